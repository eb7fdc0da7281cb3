"""Small programs of the kinds that tutorials have run and learn, on both TensorFlows, as they are."""

import re
from pathlib import Path

import exact_cases
import numpy as np
import pytest

from charrnn.commands import old
from charrnn.system.tensorflow import tf

PROGRAMS = sorted(Path(__file__).with_name("programs").glob("*.py"))
FIGURES = re.compile(r"^losses (\S+) (\S+)\nright (\S+)$", re.MULTILINE)


@pytest.fixture
def digits(tmp_path):
    """A folder of pictures, 28 x 28, of ten kinds: the files of MNIST."""
    random = np.random.RandomState(2)
    for part, count in (("train", 200), ("t10k", 40)):
        labels = random.randint(0, 10, count).astype(np.uint8)
        images = np.zeros([count, 28, 28], np.uint8)
        for image, label in zip(images, labels):
            image[2 * label : 2 * label + 6, 5:20] = 255
        images += random.randint(0, 30, images.shape).astype(np.uint8) * (images == 0)
        exact_cases.write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", images, 2051)
        exact_cases.write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", labels, 2049)
    return tmp_path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
@pytest.mark.thorough
def test_a_program_learns(path, digits, capsys):
    tf.reset_default_graph()
    arguments = [str(digits)]
    if path.stem == "mnist_convolution":
        arguments = ["--data_dir", str(digits)]
    assert old.main([str(path), *arguments]) == 0, capsys.readouterr().err
    (figures,) = FIGURES.findall(capsys.readouterr().out)
    first, last, right = map(float, figures)
    assert last < 0.6 * first
    assert right > 0.9


def test_there_are_the_ten_kinds():
    """They are looked at above."""
    assert len(PROGRAMS) == 10
