"""``tensorflow.examples.tutorials.mnist.input_data`` for TensorFlow 2: reads files of handwritten digits."""

import gzip
from pathlib import Path
from typing import Any, NamedTuple, Optional, Tuple

import numpy as np

from charrnn.system.tensorflow import tf

__all__ = ["read_data_sets"]

TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
NUM_CLASSES = 10


class DataSet:
    """Images and their labels, in batches.

    Attributes:
        images: [examples, pixels] or [examples, height, width, 1].
        labels: [examples] or, one-hot, [examples, 10].
        num_examples: how many there are.
        epochs_completed: how often all of them were in a batch.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images = images
        self.labels = labels
        self.num_examples = len(images)
        self.epochs_completed = 0
        self._next = 0

    def next_batch(
        self, batch_size: int, fake_data: bool = False, shuffle: bool = True
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Return the next images and labels. They are shuffled before each epoch; a batch may be in two of them."""
        start = self._next
        self._next += batch_size
        if start == 0 and self.epochs_completed == 0 and shuffle:
            self._shuffle()
        if self._next <= self.num_examples:
            return self.images[start : self._next], self.labels[start : self._next]

        self.epochs_completed += 1
        last_images = self.images[start:]
        last_labels = self.labels[start:]
        if shuffle:
            self._shuffle()
        self._next -= self.num_examples
        images = np.concatenate([last_images, self.images[: self._next]])
        labels = np.concatenate([last_labels, self.labels[: self._next]])
        return images, labels

    def _shuffle(self) -> None:
        order = np.arange(self.num_examples)
        np.random.shuffle(order)
        self.images = self.images[order]
        self.labels = self.labels[order]


class Datasets(NamedTuple):
    """The three parts of the data."""

    train: DataSet
    validation: DataSet
    test: DataSet


def read_data_sets(
    train_dir: Any,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = tf.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: Optional[int] = None,
    source_url: Optional[str] = None,
) -> Datasets:
    """Read the four files of MNIST in a folder, or of a data set that has files of the same form.

    Args:
        train_dir: the folder.
        fake_data: has no effect, as in :meth:`DataSet.next_batch`.
        one_hot: whether a label is a vector with a 1 in its place.
        dtype: tf.float32 for pixels from 0 to 1, or tf.uint8 from 0 to 255.
        reshape: whether an image is a vector.
        validation_size: how many images of the training are kept for validation.
        seed: of NumPy's random numbers, by default that of the graph, if it has one.
        source_url: has no effect, because nothing is downloaded.

    Raises:
        FileNotFoundError: the folder does not have the files.
    """
    folder = Path(train_dir)
    for name in FILES:
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"put the files {', '.join(FILES)} into {folder}: charrnn downloads none, and {name} is missing"
            )

    if seed is None:
        seed = tf.get_default_graph().seed
    if seed is not None:
        np.random.seed(seed)

    def images(name: str) -> np.ndarray:
        pixels = _array(folder / name)  # [examples, height, width]
        count, height, width = pixels.shape
        shape = [count, height * width] if reshape else [count, height, width, 1]
        pixels = pixels.reshape(shape)
        if tf.as_dtype(dtype) == tf.uint8:
            return pixels
        return np.multiply(pixels.astype(np.float32), 1.0 / 255.0)

    def labels(name: str) -> np.ndarray:
        classes = _array(folder / name)
        return np.eye(NUM_CLASSES)[classes] if one_hot else classes

    train_images = images(TRAIN_IMAGES)
    train_labels = labels(TRAIN_LABELS)
    return Datasets(
        train=DataSet(train_images[validation_size:], train_labels[validation_size:]),
        validation=DataSet(train_images[:validation_size], train_labels[:validation_size]),
        test=DataSet(images(TEST_IMAGES), labels(TEST_LABELS)),
    )


def _array(path: Path) -> np.ndarray:
    """Read an array of bytes in the format IDX: its number of axes in byte 3, its sizes in four bytes each."""
    with gzip.open(str(path)) as file:
        content = file.read()
    sizes = np.frombuffer(content, ">u4", count=content[3], offset=4)
    start = 4 + 4 * len(sizes)
    return np.frombuffer(content, np.uint8, offset=start).reshape(sizes)
