"""A trained model: its weights, its vocabulary and its run, whatever file they came from, and what it can do.

Models of LSTM cells need no TensorFlow. Letters for shapes as in :mod:`charrnn.engines`.
"""

import contextlib
import importlib.util
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Tuple, Union, overload

import numpy as np

from charrnn.checkpoints import record, text_of_run
from charrnn.checkpoints.find import is_model_file
from charrnn.checkpoints.record import RunRecord
from charrnn.checkpoints.weights import Weights, packed
from charrnn.data import StrPath, Vocabulary
from charrnn.engines import Engine, sampler
from charrnn.engines.decoding import softmax
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.sampler import (
    Allow,
    Sampler,
    check_prime,
    choose_settings,
    default_prime,
    fresh_seed,
)
from charrnn.engines.surprisal import surprisal
from charrnn.hyperparameters import CELLS
from charrnn.system import errors, files, words
from charrnn.system.tensorflow import is_eager
from charrnn.system.terminal import tensorflow_quieted

# No training leads to larger weights, and sums of products of such weights do not overflow float32.
LARGEST_WEIGHT = 1e30
_LAYER = r"rnn/multi_rnn_cell/cell_(\d+)/([^/]+)/"
# Pairs: the largest number of texts at once, and the number of characters in all texts together from which on the graph
# is faster than NumPy. Measured by benchmarks/bench.py generation; docs/speed.md has the figures.
# That was NumPy 1.18. NumPy 2.5 is faster, but no other numbers would be right on all machines.
GRAPH_PAYS = ((1, math.inf), (3, 36_000), (math.inf, 15_000))


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained network, which :func:`open_model` opens.

    Attributes:
        name: the path that it was read from, or its known name, for display.
        vocabulary: C characters.
        weights: a dict from the name of each trainable variable to its values, float32.
        run: the run that it comes from; None for a checkpoint of the notebook.
        skipped: a line for each newer checkpoint that was skipped because it is damaged.
        num_layers: number of layers.
        cell: kind of cell.

    Raises:
        ValueError: the weights are not those of a network with this vocabulary.
    """

    name: str
    vocabulary: Vocabulary
    weights: Weights
    run: Optional[RunRecord] = None
    skipped: Tuple[str, ...] = ()
    num_layers: int = field(init=False)
    cell: str = field(init=False)

    def __post_init__(self) -> None:
        # a frozen dataclass has no other way
        vars(self)["num_layers"], vars(self)["cell"] = _network_of(self.weights)
        if len(self.vocabulary) != len(self.softmax_bias):
            raise ValueError(
                f"it was trained on {len(self.softmax_bias)} distinct characters, but the vocabulary has "
                f"{len(self.vocabulary)}"
            )
        for name, values in self.weights.items():
            if values.dtype != np.float32 or not (
                -LARGEST_WEIGHT <= values.min(initial=0) and values.max(initial=0) <= LARGEST_WEIGHT
            ):
                raise ValueError(
                    f"{name} has weights that are not finite, or larger than {LARGEST_WEIGHT:.0e}"
                )

    def __repr__(self) -> str:
        return (
            f"<Model {self.name}: {words.plural(self.num_layers, 'layer')} of {self.lstm_size:,} {self.cell} "
            f"units, {len(self.vocabulary):,} characters>"
        )

    @overload
    def write(
        self,
        prime: Optional[str] = None,
        length: int = 1000,
        *,
        n: None = None,
        temperature: float = 1.0,
        top_n: Optional[int] = None,
        top_p: Optional[float] = None,
        seed: Optional[int] = None,
        stop: Optional[str] = None,
        unknown: str = "error",
        allow: Optional[Allow] = None,
    ) -> str: ...

    @overload
    def write(
        self,
        prime: Optional[str] = None,
        length: int = 1000,
        *,
        n: int,
        temperature: float = 1.0,
        top_n: Optional[int] = None,
        top_p: Optional[float] = None,
        seed: Optional[int] = None,
        stop: Optional[str] = None,
        unknown: str = "error",
        allow: Optional[Allow] = None,
    ) -> List[str]: ...

    def write(
        self,
        prime: Optional[str] = None,
        length: int = 1000,
        *,
        n: Optional[int] = None,
        temperature: float = 1.0,
        top_n: Optional[int] = None,
        top_p: Optional[float] = None,
        seed: Optional[int] = None,
        stop: Optional[str] = None,
        unknown: str = "error",
        allow: Optional[Allow] = None,
    ) -> Union[str, List[str]]:
        """Write a text, the same that ``charrnn-sample`` writes with these arguments.

        Args:
            prime: the beginning of the text, at least one character; None for ``"The "`` or what suits another script.
            length: characters to draw after it, at least 0.
            n: number of texts, which are written at once, at most 100,000; None for a single one.
            temperature, top_n, top_p: how to draw, see :class:`charrnn.engines.decoding.Settings`. By default all
                characters if there is a ``top_p`` or a vocabulary of more than 200 characters, else the 5 most
                probable.
            seed: seed of the first text, below 2^32; each further text has the next. None for a new one.
            stop: end a text after this string.
            unknown: what to do with characters of the prime that the model does not know: ``error`` refuses them,
                ``skip`` leaves them out, ``nearest`` replaces accented letters, quotes and dashes.
            allow: a function that takes a text so far, with its beginning, and returns the characters that may come
                next, as a str or a set; None for all. The probabilities of all others become 0, before temperature,
                ``top_n`` and ``top_p``. The text ends where the model knows none of the characters.

        Returns:
            The text with its beginning; with ``n``, a list of n texts.

        Raises:
            ValueError: an argument is out of range, or the model does not know a character of the prime.
        """
        settings = choose_settings(len(self.vocabulary), temperature, top_n, top_p)
        prime, length, rows, seed = self._beginning(
            prime, length, 1 if n is None else n, seed, unknown
        )
        characters = 0 if allow else rows * length  # step by step, NumPy is faster
        with contextlib.closing(self.engine(rows, characters, keeps_eager=True)) as engine:
            samples, interrupted = Sampler(engine, rows, allow).write(
                prime, length, settings, seed, stop=stop
            )
        if interrupted:
            raise KeyboardInterrupt
        texts = [prime + sample.text for sample in samples]
        return texts[0] if n is None else texts

    def stream(
        self,
        prime: Optional[str] = None,
        length: int = 1000,
        *,
        temperature: float = 1.0,
        top_n: Optional[int] = None,
        top_p: Optional[float] = None,
        seed: Optional[int] = None,
        stop: Optional[str] = None,
        unknown: str = "error",
        allow: Optional[Allow] = None,
    ) -> Iterator[str]:
        """Return an iterator over the prime, and then each character that :meth:`write` writes, as it is drawn.

        The arguments are those of :meth:`write`. The iterator's ``close`` ends the text early.
        """
        settings = choose_settings(len(self.vocabulary), temperature, top_n, top_p)
        prime, length, _, seed = self._beginning(prime, length, 1, seed, unknown)

        def characters() -> Iterator[str]:
            yield prime
            with contextlib.closing(self.engine(1, length)) as engine:
                yield from Sampler(engine, allow=allow).stream(prime, length, settings, seed, stop)

        return characters()

    def write_lines(
        self,
        n: int,
        length: int = 1000,
        *,
        new: Union[bool, StrPath] = False,
        temperature: float = 1.0,
        top_n: Optional[int] = None,
        top_p: Optional[float] = None,
        seed: Optional[int] = None,
    ) -> List[str]:
        """Write lines such as names or titles, the same that ``charrnn-sample --lines`` writes with these arguments.

        Args:
            n: number of lines.
            length: characters of a line at most.
            new: whether to leave out the lines of the training text and repeated ones, so that there may be fewer than
                n; or the path or known name of that text, if the model does not have it.
            temperature, top_n, top_p, seed: as for :meth:`write`, but by default ``top_p`` is 0.98.

        Returns:
            A list of lines without line ends.

        Raises:
            ValueError: as for :meth:`write`, or the training text that ``new`` needs cannot be read.
        """
        settings = choose_settings(len(self.vocabulary), temperature, top_n, top_p, of_lines=True)
        _, length, n, seed = self._beginning("\n", length, n, seed)
        named = None if isinstance(new, bool) else str(new)
        known = text_of_run.training_text(self.run, named, flag="new=PATH").lines() if new else None
        with contextlib.closing(self.engine(n, n * sampler.CHUNK, keeps_eager=True)) as engine:
            samples, _, interrupted = Sampler(engine, n).write_lines(length, settings, seed, known)
        if interrupted:
            raise KeyboardInterrupt
        return [sample.text.rstrip("\n") for sample in samples]

    def _beginning(
        self, prime: Optional[str], length: int, n: int, seed: Optional[int], unknown: str = "error"
    ) -> Tuple[str, int, int, int]:
        """Check arguments of :meth:`write`. Return them, or what stands for a prime or seed that is None."""
        length = errors.checked_integer("length", length, 0)
        n = errors.checked_integer("n", n, 1, sampler.MOST_TEXTS)
        seed = (
            fresh_seed()
            if seed is None
            else errors.checked_integer("seed", seed, 0, sampler.SEEDS - 1)
        )
        prime = default_prime(self.vocabulary, self.run) if prime is None else prime
        return check_prime(prime, self.vocabulary, unknown), length, n, seed

    def next(self, text: str, unknown: str = "error") -> np.ndarray:
        """Return the probability of each character of the vocabulary to follow a text, float32 [C].

        Args:
            text: at least one character.
            unknown: as for :meth:`write`.

        Raises:
            ValueError: the text is empty, or has a character that the model does not know.
        """
        text = check_prime(text, self.vocabulary, unknown)
        with contextlib.closing(self.engine(1, len(text))) as engine:
            logits, _ = engine.read(self.vocabulary.encode(text), engine.zero_state())
        return softmax(logits)[0]

    def surprisal(self, text: str) -> np.ndarray:
        """Return how unexpected each character of a text but the first is, float32 [T - 1], in nats.

        Raises:
            ValueError: the text has fewer than 2 characters, or one that the model does not know.
        """
        with contextlib.closing(self.engine(1, len(text))) as engine:
            return surprisal(engine, self.vocabulary.encode(text))

    def activations(self, text: str) -> np.ndarray:
        """Return the state after each character of a text, float32 [T, S, L].

        Raises:
            ValueError: the text is empty, or has a character that the model does not know.
        """
        if not text:
            raise ValueError("the text is empty")
        with contextlib.closing(self.engine(1, len(text))) as engine:
            return engine.activations(self.vocabulary.encode(text), engine.zero_state())[0]

    def save(self, path: StrPath, dtype: str = "float32") -> None:
        """Write the model to one ``.npz`` file, see :mod:`charrnn.checkpoints.weights`.

        Args:
            path: the file. If it is a symbolic link, the file that it points to is written.
            dtype: type of the matrices, float32 or float16. Biases are always float32.

        Raises:
            ValueError: the name does not end in ``.npz``, there is no such type, or a weight is too large for float16.
            OSError: the file cannot be written.
        """
        target = Path(files.target_of(path))
        if not is_model_file(target):
            raise ValueError(
                f"{str(path)!r} cannot be the name of an exported model: it must end in .npz, but not in "
                ".progress.npz"
            )
        if record.step_of(target.stem) >= 0 and record.is_run(target.parent):
            raise ValueError(f"{path} belongs to a run: give the name of another file")
        if dtype not in ("float32", "float16"):
            raise ValueError(f"dtype must be float32 or float16, not {dtype!r}")
        about = (
            record.record_of(self.run)
            if self.run
            else {"vocabulary": "".join(self.vocabulary.chars)}
        )
        with np.errstate(over="ignore"):
            weights = {
                name: values.astype(dtype) if values.ndim > 1 else values
                for name, values in self.weights.items()
            }
        if not all(np.isfinite(values).all() for values in weights.values()):
            raise ValueError("a weight is too large for float16: use float32")
        files.write_atomically(target, packed(weights, about))

    def engine(self, texts: int = 1, characters: int = 0, keeps_eager: bool = False) -> Engine:
        """Make the engine that runs the model. This is the only place that chooses between the engines.

        Args:
            texts: number of texts that are written or read at once.
            characters: number of characters in all texts together; 0 if not known.
            keeps_eager: whether a program uses the model, in which LSTM cells must not turn TensorFlow's eager mode
                off to be faster.
        """
        least = next(value for limit, value in GRAPH_PAYS if texts <= limit)
        if self.cell == "lstm" and (
            characters < least
            or importlib.util.find_spec("tensorflow") is None
            or keeps_eager
            and is_eager()
        ):
            return NumpyLSTM(
                self.vocabulary, self.kernels, self.biases, self.softmax_kernel, self.softmax_bias
            )
        with tensorflow_quieted():
            from charrnn.engines.graph_engine import GraphEngine

            engine = GraphEngine(self.vocabulary, self.lstm_size, self.num_layers, self.cell)
            engine.load(self.weights)
        return engine

    @property
    def lstm_size(self) -> int:
        """L, units in a layer."""
        return len(self.softmax_kernel)

    @property
    def kernels(self) -> Tuple[np.ndarray, ...]:
        """The kernel of each LSTM layer, float32 [I + L, 4L], with gates i, j, f, o. I is C in the first, else L."""
        return tuple(self.weights[f"{_scope(layer)}/kernel"] for layer in range(self.num_layers))

    @property
    def biases(self) -> Tuple[np.ndarray, ...]:
        """The bias of each LSTM layer, float32 [4L], including what ``BasicLSTMCell`` adds to the gate f."""
        forget = np.repeat(np.array([0, 0, 1, 0], np.float32), self.lstm_size)
        return tuple(
            self.weights[f"{_scope(layer)}/bias"] + forget for layer in range(self.num_layers)
        )

    @property
    def softmax_kernel(self) -> np.ndarray:
        """float32 [L, C]."""
        return self.weights["softmax/Variable"]

    @property
    def softmax_bias(self) -> np.ndarray:
        """float32 [C]."""
        return self.weights["softmax/Variable_1"]


def lstm_weights(kernels: Sequence[np.ndarray], softmax_kernel: np.ndarray) -> Weights:
    """Return the weights of a network of LSTM cells by the names of their variables. The biases are zeros."""
    weights = {
        "softmax/Variable": softmax_kernel,
        "softmax/Variable_1": np.zeros(softmax_kernel.shape[1], np.float32),
    }
    for layer, kernel in enumerate(kernels):
        weights[f"{_scope(layer)}/kernel"] = kernel
        weights[f"{_scope(layer)}/bias"] = np.zeros(kernel.shape[1], np.float32)
    return weights


def _scope(layer: int) -> str:
    return f"rnn/multi_rnn_cell/cell_{layer}/{CELLS['lstm'].scope}"


def _network_of(weights: Weights) -> Tuple[int, str]:
    """Return the number of layers and the kind of cell. Raise ValueError if they are not the weights of a network."""
    shapes = {name: values.shape for name, values in weights.items()}
    matches = [match for match in (re.match(_LAYER, name) for name in shapes) if match]
    layers, scopes = ({match.group(number) for match in matches} for number in (1, 2))
    cell = next((name for name, kind in CELLS.items() if scopes == {kind.scope}), None)
    if (
        not cell
        or len(shapes.get("softmax/Variable", ())) != 2
        or not shapes["softmax/Variable"][0]
    ):
        raise ValueError(
            "it is not a model of charrnn: it has no softmax/Variable of shape [L, C], or no layers of a "
            "known cell"
        )
    lstm_size, num_classes = shapes["softmax/Variable"]
    expected = {"softmax/Variable": (lstm_size, num_classes), "softmax/Variable_1": (num_classes,)}
    for layer in range(len(layers)) if cell == "lstm" else ():
        expected[f"{_scope(layer)}/kernel"] = (
            (lstm_size if layer else num_classes) + lstm_size,
            4 * lstm_size,
        )
        expected[f"{_scope(layer)}/bias"] = (4 * lstm_size,)
    for name in {**expected, **shapes}:
        if shapes.get(name) != expected.get(name) and (
            cell == "lstm" or not re.match(_LAYER, name)
        ):
            raise ValueError(
                f"it is not a model of charrnn: {name} has shape {shapes.get(name)}, not "
                f"{expected.get(name)}"
            )
    return len(layers), cell
