"""Packaging of charrnn."""
import os
import re

from setuptools import find_packages, setup


def _path(*names):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), *names)


def _read(*names):
    with open(_path(*names), encoding="utf-8") as file:
        return file.read()


setup(
    name="charrnn",
    # read, not imported: NumPy, which charrnn imports, may not be installed yet
    version=re.search(r'^__version__ = "(.+)"$', _read("charrnn", "version.py"), re.MULTILINE).group(1),
    description="Character-wise LSTM language model in TensorFlow 1.15, ported from the Anna KaRNNa notebook",
    long_description=_read("README.md") if os.path.exists(_path("README.md")) else "",
    long_description_content_type="text/markdown",
    license="MIT",
    classifiers=[
        # public indexes refuse a package with this classifier; another package has the name there
        "Private :: Do Not Upload",
        "Intended Audience :: Education",
        "License :: OSI Approved :: MIT License",
        "Operating System :: MacOS :: MacOS X",
        "Operating System :: Microsoft :: Windows",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.7",
        "Programming Language :: Python :: Implementation :: CPython",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    packages=find_packages(include=["charrnn", "charrnn.*"]),
    package_data={"charrnn": ["page/*.html", "page/*.css", "page/*.js"]},
    # TensorFlow 1.15 has no wheel for 3.8 and later, where only exported models can be used.
    # A module's __getattr__ needs 3.7.
    python_requires=">=3.7",
    install_requires=[
        # the last series of 1.x, for which the notebook is written; this is 1.15.0 exactly
        "tensorflow==1.15; python_version<'3.8'",
        # the bounds of TensorFlow 1.15.5; from 1.20 on, tf.zeros of a symbolic size fails
        "numpy>=1.16,<1.19; python_version<'3.8'",
        "numpy>=1.17; python_version>='3.8'",
        # with 4.x, the next after 3.20, importing TensorFlow 1.15 fails, and pip check does not report it
        "protobuf<3.21; python_version<'3.8'",
        # the oldest version with which the progress bar was tested
        "tqdm>=4.32",
    ],
    extras_require={
        "distributed": [
            # the last that supports TensorFlow 1.15; it is built when it is installed, see make venv-distributed
            "horovod==0.28.1; python_version<'3.8'",
        ],
        "notebook": [
            # 7 is JupyterLab under another name, and needs a newer Python
            "notebook>=6.5,<7",
            "matplotlib",
        ],
        "test": [
            # the last series for Python 3.7
            "pytest>=7,<8",
            "pytest-timeout",
            "pytest-xdist",
            "hypothesis",
            # run the notebooks
            "nbclient",
            "nbformat",
            # runs the pages in a browser; the last series for Python 3.7
            "selenium>=4.11,<4.12",
        ],
    },
    entry_points={"console_scripts": [
        "charrnn-train = charrnn.train:main",
        "charrnn-sample = charrnn.sample:main",
        "charrnn-evaluate = charrnn.commands.evaluate:main",
        "charrnn-export = charrnn.commands.export:main",
        "charrnn-inspect = charrnn.commands.inspect:main",
    ]},
)
