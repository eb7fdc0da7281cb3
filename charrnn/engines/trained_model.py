"""A trained model: its weights, its vocabulary and its run, whatever file they came from, and what it can do.

Models of LSTM cells need no TensorFlow. Letters for shapes as in :mod:`charrnn.engines`.
"""

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
    overload,
)

import numpy as np

from charrnn.checkpoints import record
from charrnn.checkpoints.find import is_model_file
from charrnn.checkpoints.record import RunRecord
from charrnn.checkpoints.text_of_run import DividedText, divide, training_text, words_of_language
from charrnn.checkpoints.weights import Weights, packed, rounded
from charrnn.checkpoints.writing import START_WRITING, Writing
from charrnn.data import StrPath, Vocabulary
from charrnn.engines import Engine
from charrnn.engines.allowing import Allow
from charrnn.engines.decoding import for_vocabulary, softmax
from charrnn.engines.directions import Direction, Steering, find_directions
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.reader import Reader
from charrnn.engines.sampler import (
    MOST_TEXTS,
    SEEDS,
    Sampler,
    checked_prime,
    default_prime,
    fresh_seed,
)
from charrnn.engines.surprisal import surprisal as measure_surprisal
from charrnn.hyperparameters import CELLS
from charrnn.system import errors, files, terminal, words
from charrnn.system.tensorflow import graphs
from charrnn.text import lexicon
from charrnn.text.corpus import Text
from charrnn.text.unknown import resolve

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from charrnn.checkpoints.writing import How

# A file or a page has a training text of so many characters with it, at most.
LONGEST_CARRIED = 200_000
# No training leads to larger weights, and sums of products of such weights do not overflow float32.
LARGEST_WEIGHT = 1e30
# The names of the variables, that of a layer up to its cell's own.
_LAYER = r"rnn/multi_rnn_cell/cell_(?P<number>\d+)/(?P<scope>[^/]+)/"
_SOFTMAX_KERNEL = "softmax/Variable"
_SOFTMAX_BIAS = "softmax/Variable_1"


@dataclass(eq=False, repr=False)
class Model:
    """A trained network, which :func:`open_model` opens.

    Attributes:
        name: the path that it was read from, or its known name, for display.
        vocabulary: C characters.
        weights: a dict from the name of each trainable variable to its values, float32.
        run: the run that it comes from; None for a checkpoint of the notebook.
        skipped: a line for each newer checkpoint that was skipped because it is damaged.
        beginning: what its texts begin with by default, as its run or file says; None for what suits the vocabulary.
        sha256: hexadecimal SHA-256 of the ``.npz`` file that it was read from; None if there is no such file.
        train_text: the text that it was trained on, if it was given; None for the one that its file or its run has, or
            its run names.
        words: the frequent words of its language in its file, see :mod:`charrnn.text.lexicon`; None if there are none.
        text: the training text in its file, compressed in the same way; None if there is none.
        num_layers: number of layers, by the names of the weights.
        cell: kind of cell by these names, one of :data:`charrnn.hyperparameters.CELLS`.

    Raises:
        ValueError: the weights are not those of a network with this vocabulary.
    """

    name: str
    vocabulary: Vocabulary
    weights: Weights
    run: Optional[RunRecord] = None
    skipped: Tuple[str, ...] = ()
    beginning: Optional[str] = None
    sha256: Optional[str] = None
    train_text: Optional[Text] = None
    words: Optional[bytes] = None
    text: Optional[bytes] = None
    num_layers: int = field(init=False)
    cell: str = field(init=False)
    # What :meth:`_once` keeps: an engine, its text, directions, a reader.
    _made: Dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.num_layers, self.cell = _network_of(self.weights)
        if self.run:
            self.beginning = self.run.beginning
        if len(self.vocabulary) != len(self.softmax_bias):
            raise ValueError(
                f"it was trained on {len(self.softmax_bias)} distinct characters, but the vocabulary has "
                f"{len(self.vocabulary)}"
            )
        for name, values in self.weights.items():
            if values.dtype != np.float32:
                raise ValueError(f"{name} has weights that are not float32, but {values.dtype}")
            if not _is_usable(values):
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
        seed: Optional[int] = None,
        stop: Optional[str] = None,
        unknown: str = "error",
        allow: Optional[Allow] = None,
        plain: bool = False,
        **how: "Unpack[How]",
    ) -> str: ...

    @overload
    def write(
        self,
        prime: Optional[str] = None,
        length: int = 1000,
        *,
        n: int,
        seed: Optional[int] = None,
        stop: Optional[str] = None,
        unknown: str = "error",
        allow: Optional[Allow] = None,
        plain: bool = False,
        **how: "Unpack[How]",
    ) -> List[str]: ...

    def write(
        self,
        prime: Optional[str] = None,
        length: int = 1000,
        *,
        n: Optional[int] = None,
        seed: Optional[int] = None,
        stop: Optional[str] = None,
        unknown: str = "error",
        allow: Optional[Allow] = None,
        plain: bool = False,
        **how: "Unpack[How]",
    ) -> Union[str, List[str]]:
        """Write a text, the same that ``charrnn-sample`` writes with these arguments.

        Args:
            prime: the beginning of the text, at least one character. None for the one that the model records, or else
                ``"The "``, or what suits another script.
            length: characters to draw after it, at least 0.
            n: number of texts, which are written at once, at most 100,000; None for a single one.
            seed: seed of the first text, below 2^32; each further text has the next. None for a new one.
            stop: end a text after this string.
            unknown: what to do with characters of the prime that the model does not know: ``error`` refuses them,
                ``skip`` leaves them out, ``nearest`` replaces accented letters, quotes and dashes.
            allow: a function that takes a text so far, with its beginning, and returns the characters that may come
                next, as a str or a set; None for all. The probabilities of all others become 0, before temperature,
                ``top_n`` and ``top_p``. The text ends where the model knows none of the characters. The function may
                also return a dict from characters to factors for their probabilities, at least 0.
            plain: write as the notebook does, at temperature 1 with the 5 most probable characters, and not as the run
                of the model says.
            how: the other keywords, each in place of what the run of the model says, see :meth:`usual_writing`:

                - temperature, top_n, top_p: how to draw, see :class:`charrnn.checkpoints.writing.Writing`. If the run
                  does not say, all characters if there is a ``top_p`` or a vocabulary of more than 200 characters,
                  else the 5 most probable.
                - best_of: draw so many sentences at a time, of which a reader takes one, see
                  :mod:`charrnn.engines.reader`; 1 draws character by character.
                - steer: a dict from properties of the text, which :meth:`directions` finds, to where the memory is held
                  while the text is written: 0 is the mean outside, 1 the mean inside, and -0.5 and 1.5 are half as far
                  again. ``{"inside quotation marks": 1.5}`` writes more speech.

        Returns:
            The text with its beginning; with ``n``, a list of n texts.

        Raises:
            ValueError: an argument is out of range, the model does not know a character of the prime, or ``steer``
                names a property that has no direction.
        """
        writing = self.writing_with(how, plain=plain)
        length = errors.checked_integer("length", length, 0)
        num_samples = 1 if n is None else _checked_number(n)
        seed = _checked_seed(seed)
        prime = self._checked_prime(prime, unknown)

        with self.sampler(writing, num_samples, allow) as sampler:
            samples = sampler.write(prime, length, writing, seed, stop=stop)

        texts = [prime + sample.text for sample in samples]
        return texts[0] if n is None else texts

    def stream(
        self,
        prime: Optional[str] = None,
        length: int = 1000,
        *,
        seed: Optional[int] = None,
        stop: Optional[str] = None,
        unknown: str = "error",
        allow: Optional[Allow] = None,
        plain: bool = False,
        **how: "Unpack[How]",
    ) -> Iterator[str]:
        """Return an iterator over the prime, and then each character that :meth:`write` writes, as it is drawn.

        With ``best_of``, the characters of a sentence come when it is taken. The arguments are those of :meth:`write`.
        The iterator's ``close`` ends the text early.
        """
        writing = self.writing_with(how, plain=plain)
        length = errors.checked_integer("length", length, 0)
        seed = _checked_seed(seed)
        prime = self._checked_prime(prime, unknown)
        parts = self._parts_of_sampler(writing, allow)

        # The arguments are checked now, and the text is drawn when it is asked for.
        def pieces() -> Iterator[str]:
            yield prime
            with contextlib.closing(self.engine()) as engine:
                sampler = Sampler(engine, **parts)
                yield from sampler.pieces(prime, length, writing, seed, stop=stop)

        return pieces()

    def write_lines(
        self,
        n: int,
        length: int = 1000,
        *,
        new: bool = False,
        seed: Optional[int] = None,
        **how: "Unpack[How]",
    ) -> List[str]:
        """Write lines such as names or titles, the same that ``charrnn-sample --lines`` writes with these arguments.

        Args:
            n: number of lines, at most 100,000.
            length: characters of a line at most, at least 0.
            new: whether to leave out the lines of the training text and repeated ones, so that there may be fewer than
                n.
            seed, how: as for :meth:`write`, but ``top_p`` is 0.98 by default, and what the run says does not count.

        Returns:
            A list of lines without line ends.

        Raises:
            ValueError: as for :meth:`write`, or the training text that ``new`` needs cannot be read.
        """
        writing = self.writing_with(how, of_lines=True)
        length = errors.checked_integer("length", length, 0)
        n = _checked_number(n)
        seed = _checked_seed(seed)
        # Each line follows a line end, which the model has to know.
        checked_prime("\n", self.vocabulary)
        known_lines = None
        if new:
            known_lines = self.training_text().lines()

        with self.sampler(writing, n) as sampler:
            samples = sampler.write_lines(length, writing, seed, known_lines)
        return [sample.text.rstrip("\n") for sample in samples]

    def writing_with(
        self, how: Mapping[str, Any], of_lines: bool = False, plain: bool = False
    ) -> Writing:
        """Return how to write: some values in place of the usual ones, and what suits the vocabulary.

        Raises:
            ValueError: there is no such value, or it is out of range.
        """
        usual: Dict[str, Any] = {}
        if not (of_lines or plain):
            usual = self.usual_writing()
        return for_vocabulary(Writing().changed({**usual, **how}), len(self.vocabulary), of_lines)

    def usual_writing(self) -> Dict[str, Any]:
        """Return what texts are written with if nothing else is said, fields of Writing in place of the notebook's.

        It is what the run records. Version 4.0 and before recorded nothing: where such a run began with a model, it is
        what a run of today records.
        """
        if self.run is None:
            return {}
        if self.run.writing is not None:
            return self.run.writing
        if self.run.init_from is not None and not self.is_of_lines:
            return START_WRITING
        return {}

    @property
    def is_of_lines(self) -> bool:
        """Whether its run has shuffled the lines of its text, as those of a list."""
        return self.run is not None and self.run.hyperparameters.shuffle == "lines"

    @contextlib.contextmanager
    def sampler(
        self, writing: Writing, n: int = 1, allow: Optional[Allow] = None
    ) -> Iterator[Sampler]:
        """Make what writes n texts at once."""
        parts = self._parts_of_sampler(writing, allow)
        with contextlib.closing(self.engine()) as engine:
            yield Sampler(engine, n, **parts)

    def _parts_of_sampler(self, writing: Writing, allow: Optional[Allow]) -> Dict[str, Any]:
        """Return what a Sampler takes besides an engine and a number.

        Raises:
            ValueError: ``allow`` is no function, or a property has no direction.
        """
        if allow is not None and not callable(allow):
            raise ValueError(
                f"allow must be a function of the text so far, such as lambda text: 'abc', not {allow!r}"
            )
        steering = None
        if writing.steer:
            steering = self.steered(writing.steer)
        # What a reader has to say of the training text, it says before a text begins.
        if writing.best_of > 1:
            self.reader()
        return {"allow": allow, "steering": steering, "reader": self.reader}

    def reader(self) -> Reader:
        """Return the reader that knows the training text, or, which a note says, one without it."""
        return self._once("reader", self._make_reader)

    def _make_reader(self) -> Reader:
        try:
            training = self.training_text().training
        except ValueError as error:
            terminal.print_note(f"sentences are chosen without the training text: {error}")
            training = ""
        return Reader(training, self.known_words(training), self.is_of_lines)

    def known_words(self, training: str) -> Optional[List[str]]:
        """Return the frequent words of the language for the reader of a training text; "" if that is not at hand.

        Then there are none for a run that began with a model: the own words of its text would count as unknown.
        """
        if training == "" and self.run is not None and self.run.init_from is not None:
            return None
        return self.listed_words()

    def listed_words(self) -> Optional[List[str]]:
        """Return the frequent words of the language of the model; None if they are not at hand.

        Raises:
            CheckpointError: they are damaged.
        """
        content = self.words or words_of_language(self.run)
        if content is None:
            return None
        return self._unpacked(content)

    def _unpacked(self, content: bytes) -> List[str]:
        """Return the words, or the lines of a text, that a file of the model has."""
        try:
            return lexicon.unpack(content)
        except ValueError as error:
            raise record.CheckpointError(f"the model {self.name} cannot be read: {error}")

    def training_text(self) -> DividedText:
        """Read the text that the model was trained on, and divide it as the training did.

        Raises:
            ValueError: it is not at hand.
        """
        return self._once("text", self._read_training_text)

    def _read_training_text(self) -> DividedText:
        if self.train_text is not None:
            return divide(self.train_text, self.run)
        if self.text is not None:
            return divide(Text(self.name, "\n".join(self._unpacked(self.text))), self.run)
        return training_text(self.run)

    def directions(self, text: Optional[str] = None) -> Dict[str, Direction]:
        """Find the directions of the memory, of which ``steer`` can hold those of the training text.

        Args:
            text: a text of at least 4,000 characters, in which they are found. None for the training text.

        Returns:
            A dict from the properties that can be read well from the memory to directions, see
            :mod:`charrnn.engines.directions`. The one that is read best comes first.

        Raises:
            ValueError: the cells are not ``lstm``, or the text is too short or not at hand.
        """
        if self.cell != "lstm":
            raise ValueError(
                f"a direction is one of the memory c of lstm cells, and the cells of {self.name} are {self.cell}"
            )
        if text is None:
            return self._once("directions", self._directions_of_training_text)
        known, _ = resolve(text, self.vocabulary, "skip")
        with contextlib.closing(self.engine()) as engine:
            return find_directions(engine, known)

    def _directions_of_training_text(self) -> Dict[str, Direction]:
        return self.directions(self.training_text().training)

    def steered(self, steer: Mapping[str, float]) -> Steering:
        """Return what holds directions while a text is written.

        Args:
            steer: as for :meth:`write`.

        Raises:
            ValueError: a property has no direction, or the same as another.
        """
        directions = self.directions()
        for name in steer:
            if name not in directions:
                raise ValueError(
                    f"{self.name} has no direction for {name!r}: it has {', '.join(directions) or 'none'}"
                )
        return Steering(self.vocabulary, directions, steer, self.softmax_kernel, self.softmax_bias)

    def _checked_prime(self, prime: Optional[str], unknown: str) -> str:
        if prime is None:
            prime = default_prime(self.vocabulary, self.beginning)
        if not isinstance(prime, str):
            raise TypeError(
                f"the prime must be a str, not {prime!r}; a number of characters is given by length="
            )
        known, _ = checked_prime(prime, self.vocabulary, unknown)
        return known

    def next(self, text: str, unknown: str = "error") -> np.ndarray:
        """Return the probability of each character of the vocabulary to follow a text, float32 [C].

        The first call lays out the weights, so changes of ``weights`` after it do not count here.

        Args:
            text: at least one character.
            unknown: as for :meth:`write`.

        Raises:
            ValueError: the text is empty, or has a character that the model does not know.
        """
        known, _ = checked_prime(text, self.vocabulary, unknown)
        engine = self.kept_engine()
        logits, _ = engine.read(self.vocabulary.encode(known), engine.zero_state())
        (chances,) = softmax(logits)
        return chances

    def surprisal(self, text: str) -> np.ndarray:
        """Return how unexpected each character of a text but the first is, float32 [T - 1], in nats.

        Raises:
            ValueError: the text has fewer than 2 characters, or one that the model does not know.
        """
        with contextlib.closing(self.engine()) as engine:
            return measure_surprisal(engine, self.vocabulary.encode(text))

    def activations(self, text: str) -> np.ndarray:
        """Return the state after each character of a text, float32 [T, S, L].

        Raises:
            ValueError: the text is empty, or has a character that the model does not know.
        """
        if not text:
            raise ValueError("the text is empty")
        with contextlib.closing(self.engine()) as engine:
            activations, _ = engine.activations(self.vocabulary.encode(text), engine.zero_state())
        return activations

    def save(self, path: StrPath, dtype: str = "float32", with_text: bool = True) -> None:
        """Write the model to one ``.npz`` file, see :mod:`charrnn.checkpoints.weights`.

        With it are the frequent words of its language, if they are known.

        Args:
            path: the file. If it is a symbolic link, the file that it points to is written.
            dtype: type of the matrices, float32, float16 or int8. Biases are always float32.
            with_text: whether the file has the training text, which the reader needs, see :meth:`carried_text`.

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

        arrays = rounded(self.weights, dtype)
        if self.run:
            about = record.as_json(self.run)
        else:
            about = {"vocabulary": "".join(self.vocabulary.chars), "beginning": self.beginning}

        words_of_model = self.words or words_of_language(self.run)
        text = None
        if with_text:
            carried = self.carried_text()
            if carried is not None:
                text = lexicon.pack(carried.split("\n"))
        files.write_atomically(target, packed(arrays, about, words_of_model, text))

    def carried_text(self) -> Optional[str]:
        """Return the training text that a file or a page has with it, so that sentences are chosen with it there.

        None if it has more than LONGEST_CARRIED characters, or is not at hand here.
        """
        has_text = self.train_text is not None or self.text is not None
        if not has_text and (self.run is None or self.run.folder is None):
            # A known text can be read wherever the model is.
            return None
        try:
            training = self.training_text().training
        except (OSError, ValueError):
            return None
        if len(training) > LONGEST_CARRIED:
            return None
        return training

    def engine(self, in_graph: bool = False) -> Engine:
        """Make the engine that runs the model: lstm cells in NumPy, others in TensorFlow's graph.

        Args:
            in_graph: run lstm cells in the graph too, which measures many rows of a text faster.
        """
        if self.cell == "lstm" and not in_graph:
            return NumpyLSTM(
                vocabulary=self.vocabulary,
                kernels=self.kernels,
                biases=self.biases,
                softmax_kernel=self.softmax_kernel,
                softmax_bias=self.softmax_bias,
            )
        with graphs():
            from charrnn.engines.graph_engine import GraphEngine

            engine = GraphEngine(self.vocabulary, self.lstm_size, self.num_layers, self.cell)
            engine.load(self.weights)
        return engine

    def kept_engine(self) -> Engine:
        """Return an engine for one text that is kept, because a program may want it for each character.

        To lay out the weights takes as long as to read hundreds of characters.
        """
        return self._once("engine", self.engine)

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what a function makes, which is called the first time only."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

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
        biases = [self.weights[f"{_scope(layer)}/bias"] for layer in range(self.num_layers)]
        return tuple(bias + forget for bias in biases)

    @property
    def softmax_kernel(self) -> np.ndarray:
        """float32 [L, C]."""
        return self.weights[_SOFTMAX_KERNEL]

    @property
    def softmax_bias(self) -> np.ndarray:
        """float32 [C]."""
        return self.weights[_SOFTMAX_BIAS]


def _is_usable(values: np.ndarray) -> bool:
    """Return whether weights are finite and not too large."""
    # A NaN among them is their minimum and their maximum, and all comparisons with it are false.
    return -LARGEST_WEIGHT <= values.min(initial=0) and values.max(initial=0) <= LARGEST_WEIGHT


def _checked_number(n: int) -> int:
    return errors.checked_integer("n", n, 1, MOST_TEXTS)


def _checked_seed(seed: Optional[int]) -> int:
    if seed is None:
        return fresh_seed()
    return errors.checked_integer("seed", seed, 0, SEEDS - 1)


def lstm_weights(kernels: Sequence[np.ndarray], softmax_kernel: np.ndarray) -> Weights:
    """Return the weights of a network of LSTM cells by the names of their variables. The biases are zeros."""
    weights = {
        _SOFTMAX_KERNEL: softmax_kernel,
        _SOFTMAX_BIAS: np.zeros(softmax_kernel.shape[1], np.float32),
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
    layers = set()
    scopes = set()
    for name in shapes:
        match = re.match(_LAYER, name)
        if match:
            layers.add(match.group("number"))
            scopes.add(match.group("scope"))

    cell = next((name for name, kind in CELLS.items() if scopes == {kind.scope}), None)
    softmax_shape = shapes.get(_SOFTMAX_KERNEL, ())
    if not cell or len(softmax_shape) != 2 or softmax_shape[0] == 0:
        raise ValueError(
            "it is not a model of charrnn: it has no softmax/Variable of shape [L, C], or no layers of a "
            "known cell"
        )

    # The weights of the layers of other cells are checked when TensorFlow has built them.
    lstm_size, num_classes = softmax_shape
    expected = {_SOFTMAX_KERNEL: softmax_shape, _SOFTMAX_BIAS: (num_classes,)}
    checked = shapes
    if cell == "lstm":
        expected.update(_lstm_shapes(num_classes, lstm_size, len(layers)))
    else:
        checked = {name: shape for name, shape in shapes.items() if not re.match(_LAYER, name)}

    # First what may be missing, then what may be too much.
    for name in [*expected, *checked]:
        if checked.get(name) != expected.get(name):
            raise ValueError(
                f"it is not a model of charrnn: {name} has shape {checked.get(name)}, not "
                f"{expected.get(name)}"
            )
    return len(layers), cell


def _lstm_shapes(num_classes: int, lstm_size: int, num_layers: int) -> Dict[str, Tuple[int, ...]]:
    """Return the shapes of the variables of LSTM layers by their names."""
    shapes: Dict[str, Tuple[int, ...]] = {}
    for layer in range(num_layers):
        n_inputs = lstm_size if layer else num_classes
        shapes[f"{_scope(layer)}/kernel"] = (n_inputs + lstm_size, 4 * lstm_size)
        shapes[f"{_scope(layer)}/bias"] = (4 * lstm_size,)
    return shapes
