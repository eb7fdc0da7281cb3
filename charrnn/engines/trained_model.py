"""A trained model: its weights, its vocabulary and its run, whatever file they came from, and what it can do.

Models of LSTM cells need no TensorFlow. Letters for shapes as in :mod:`charrnn.engines`.
"""

import contextlib
import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Collection,
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
from charrnn.checkpoints.text_of_run import DividedText, divide, training_text
from charrnn.checkpoints.weights import Weights, packed, rounded
from charrnn.checkpoints.writing import START_WRITING, Writing, takes_how
from charrnn.data import StrPath, Vocabulary
from charrnn.engines import Engine
from charrnn.engines.contrast import Contrast
from charrnn.engines.decoding import for_vocabulary, softmax
from charrnn.engines.directions import Direction, Steering, find_directions
from charrnn.engines.guards import Guard, Guards, KnownWords, NoCopy, NoRepeat, PairedQuotes
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.processor import Allow, Allowing, Processor
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
from charrnn.text.hashes import COPIED, REPEATED, Hashes, near_of, read_hashes
from charrnn.text.lexicon import Lexicon
from charrnn.text.unknown import resolve
from charrnn.text.windows import LONG_TEXT, Windows

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from charrnn.checkpoints.writing import How

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
        open_start: opens the model that it began with; None if it began with none.
        open_known_words: returns the words of the known model that has the name of this one now; None if none has.
        train_text: the text that it was trained on, if it was given; None for the one that its run has or names.
        words: the frequent words of its language, see :mod:`charrnn.text.lexicon`.
        hashes: those of the training text, which guards use without it, see :mod:`charrnn.text.hashes`.
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
    open_start: Optional[Callable[[], "Model"]] = None
    open_known_words: Optional[Callable[[], Optional[bytes]]] = None
    train_text: Optional[Text] = None
    words: Optional[bytes] = None
    hashes: Optional[bytes] = None
    num_layers: int = field(init=False)
    cell: str = field(init=False)
    # What :meth:`_once` keeps: an engine, the model that it began with, its text, directions.
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

    @takes_how
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
                - contrast: how much more like its own text than like the model that it began with, at least -1; 0 for
                  not at all. With 0.5 it writes more words of its own text, and copies more of it, see
                  :mod:`charrnn.engines.contrast`. It follows ``allow`` and the guards, and precedes temperature.
                - steer: a dict from properties of the text, which :meth:`directions` finds, to where the memory is held
                  while the text is written: 0 is the mean outside, 1 the mean inside, and -0.5 and 1.5 are half as far
                  again. ``{"inside quotation marks": 1.5}`` writes more speech.
                - no_copy, no_repeat: write no run of so many characters of the training text, or of the text itself; 0
                  allows all.
                - known_words: write words of the training text and frequent ones of its language only.

        Returns:
            The text with its beginning; with ``n``, a list of n texts.

        Raises:
            ValueError: an argument is out of range, the model does not know a character of the prime, or with
                ``contrast`` the model that it began with is not at hand, or there is none, or ``steer`` names a
                property that has no direction, or a guard needs the training text or the words of a language, and they
                are not at hand.
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

    @takes_how
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

        The arguments are those of :meth:`write`. The iterator's ``close`` ends the text early.
        """
        writing = self.writing_with(how, plain=plain)
        length = errors.checked_integer("length", length, 0)
        seed = _checked_seed(seed)
        prime = self._checked_prime(prime, unknown)
        processors = self.processors(writing, allow)

        # The arguments are checked now, and the text is drawn when it is asked for.
        def pieces() -> Iterator[str]:
            yield prime
            with contextlib.closing(self.engine()) as engine:
                sampler = Sampler(engine, processors=processors)
                yield from sampler.pieces(prime, length, writing, seed, stop=stop)

        return pieces()

    @takes_how
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
            usual = self.usual_writing(but=how)
        return for_vocabulary(Writing().changed({**usual, **how}), len(self.vocabulary), of_lines)

    def usual_writing(self, but: Collection[str] = ()) -> Dict[str, Any]:
        """Return what texts are written with if nothing else is said, fields of Writing in place of the notebook's.

        It is what the run records. Version 4.0 and before recorded nothing: where such a run began with a model, it is
        what a run of today records. What is not at hand is left out, which a note says the first time.

        Args:
            but: fields that are not asked for.
        """
        recorded: Dict[str, Any] = {}
        if self.run is not None and self.run.writing is not None:
            recorded = self.run.writing
        elif self.open_start is not None and not _is_of_lines(self.run):
            recorded = START_WRITING

        usable = {}
        for name, value in recorded.items():
            if name in but or not value:
                continue
            looks = functools.partial(self._problem_with, name, value)
            problem = self._once(f"problem with {name}", looks)
            if problem is None:
                usable[name] = value
        return usable

    def _problem_with(self, name: str, value: Any) -> Optional[str]:
        """Return why a field of Writing cannot be used, and print it as a note; None if it can."""
        try:
            self.processors(Writing().changed({name: value}))
        except ValueError as error:
            terminal.print_note(f"{self.name} is written without {name}: {error}")
            return str(error)
        return None

    @contextlib.contextmanager
    def sampler(
        self, writing: Writing, n: int = 1, allow: Optional[Allow] = None
    ) -> Iterator[Sampler]:
        """Make what writes n texts at once."""
        processors = self.processors(writing, allow)
        with contextlib.closing(self.engine()) as engine:
            yield Sampler(engine, n, processors)

    def processors(self, writing: Writing, allow: Optional[Allow] = None) -> List[Processor]:
        """Return what changes a text while it is written, in its order."""
        processors: List[Processor] = []
        if allow is not None:
            if not callable(allow):
                raise ValueError(
                    "allow must be a function of the text so far, such as lambda text: 'abc', "
                    f"not {allow!r}"
                )
            processors.append(Allowing(self.vocabulary, allow))
        guards = self._guards(writing)
        if guards:
            processors.append(Guards(guards))
        if writing.contrast:
            processors.append(self.contrasted(writing.contrast))
        if writing.steer:
            processors.append(self.steered(writing.steer))
        return processors

    def _guards(self, writing: Writing) -> List[Guard]:
        """Return the guards of a text, the one that gives way last first."""
        guards: List[Guard] = []
        no_copy = None
        if writing.no_copy:
            copied = self._windows("copied", writing.no_copy, Windows.of)
            near = self._windows("near", near_of(writing.no_copy), Windows.within_words)
            no_copy = NoCopy(self.vocabulary, copied, near)
            guards.append(no_copy)
        if writing.known_words:
            known = self._once("lexicon", self._lexicon)
            guards.append(KnownWords(self.vocabulary, known, no_copy))
        if writing.no_repeat:
            repeated = self._windows("repeated", writing.no_repeat, Windows.repeated)
            guards.append(NoRepeat(self.vocabulary, writing.no_repeat, repeated))
        if writing.steer:
            guards.append(PairedQuotes(self.vocabulary, writing.steer))
        return guards

    def _windows(self, kind: str, length: int, hash_text: Callable[[str, int], Windows]) -> Windows:
        """Return the windows of the training text of a kind, a name in Hashes, and keep them.

        Raises:
            ValueError: neither the text nor their hashes are at hand.
        """
        carried = self._carried_hashes()
        if carried is None:
            training = self.training_text().training
            return self._once(f"{kind} windows of {length}", lambda: hash_text(training, length))

        windows: Windows = getattr(carried, kind)
        if windows.length != length:
            raise ValueError(
                f"{self.name} has hashes in place of its training text, which allow no_copy={COPIED} and "
                f"no_repeat={REPEATED}: for other numbers, name the text with --train-text, or "
                "open_model(..., train_text=PATH)"
            )
        return windows

    def _carried_hashes(self) -> Optional[Hashes]:
        """Return the hashes that the model has in place of its text; None if it has none, or the text was given.

        Raises:
            CheckpointError: they are damaged.
        """
        if self.hashes is None or self.train_text is not None:
            return None
        content: bytes = self.hashes
        with self._reading_guards():
            return self._once("hashes", lambda: read_hashes(content))

    def _lexicon(self) -> Lexicon:
        """Return the words that the training text has, if that is at hand, and the frequent ones of its language."""
        words_of_language = self.words_of_language()
        if words_of_language is None:
            raise ValueError(
                f"known_words needs the words of a language, and {self.name} has none with it"
            )
        with self._reading_guards():
            of_language = lexicon.unpack(words_of_language)
        carried = self._carried_hashes()
        if carried is not None:
            return Lexicon(of_language, carried.own)
        if not self._has_text():
            return Lexicon(of_language)
        return Lexicon([*of_language, *lexicon.forms_of(self.training_text().training)])

    def words_of_language(self) -> Optional[bytes]:
        """Return the words that come with the model, or with the one that it began with; None for none.

        Raises:
            ValueError: the model that it began with is not at hand, nor a known one of its name.
        """
        if self.words is not None or self.open_start is None:
            return self.words
        try:
            return self._once("start", self.open_start).words
        except ValueError:
            # The known model of this name is another one now, but of the same language.
            if self.open_known_words is None:
                raise
            return self.open_known_words()

    def _has_text(self) -> bool:
        """Return whether the training text was given, or is in the folder of the run."""
        return self.train_text is not None or bool(self.run and self.run.folder)

    @contextlib.contextmanager
    def _reading_guards(self) -> Iterator[None]:
        """Raise CheckpointError in place of the ValueError of what the file of the model has for guards."""
        try:
            yield
        except ValueError as error:
            raise record.CheckpointError(f"the model {self.name} cannot be read: {error}")

    def contrasted(self, strength: float) -> Contrast:
        """Return the contrast with which a text can be written.

        Raises:
            ValueError: the model that this one began with is not at hand, or there is none.
        """
        if self.open_start is None:
            raise ValueError(
                f"contrast is for a model that began with another one, and {self.name} began with none"
            )
        start = self._once("start", self.open_start)
        return Contrast(self.vocabulary, start.kept_engine(), strength)

    def training_text(self) -> DividedText:
        """Read the text that the model was trained on, and divide it as the training did.

        Raises:
            ValueError: it is not at hand.
        """
        return self._once("text", self._read_training_text)

    def _read_training_text(self) -> DividedText:
        if self.train_text is not None:
            return divide(self.train_text, self.run)
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

    def next(self, text: str, unknown: str = "error", contrast: float = 0.0) -> np.ndarray:
        """Return the probability of each character of the vocabulary to follow a text, float32 [C].

        The first call lays out the weights, so changes of ``weights`` after it do not count here.

        Args:
            text: at least one character.
            unknown, contrast: as for :meth:`write`.

        Raises:
            ValueError: the text is empty, or has a character that the model does not know.
        """
        known, _ = checked_prime(text, self.vocabulary, unknown)
        engine = self.kept_engine()
        own, _ = engine.read(self.vocabulary.encode(known), engine.zero_state())
        logits = own
        writing = Writing().changed({"contrast": contrast})
        for processor in self.processors(writing, allow=None):
            processor.begin(known, rows=1, after_last=False)
            logits = processor.process(logits, own, [known])
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

    def save(self, path: StrPath, dtype: str = "float32") -> None:
        """Write the model to one ``.npz`` file, see :mod:`charrnn.checkpoints.weights`.

        With it are the words of its language, and, for the guards, hashes of its training text in place of the text, if
        that is at hand and has fewer than 300,000 characters.

        Args:
            path: the file. If it is a symbolic link, the file that it points to is written.
            dtype: type of the matrices, float32, float16 or int8. Biases are always float32.

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

        words_of_language, hashes = self.carried_for_guards()
        files.write_atomically(target, packed(arrays, about, words_of_language, hashes))

    def carried_for_guards(self) -> Tuple[Optional[bytes], Optional[bytes]]:
        """Return what a file has for guards: the words of a language and hashes of the training text, or None."""
        words_of_language = None
        # The model that it began with may not be at hand.
        with contextlib.suppress(ValueError, OSError):
            words_of_language = self.words_of_language()
        hashes = self.hashes
        if self._has_text():
            with contextlib.suppress(ValueError, OSError):
                hashes = self._hashes_of_text(words_of_language)
        return words_of_language, hashes

    def _hashes_of_text(self, words_of_language: Optional[bytes]) -> Optional[bytes]:
        """Return hashes of the training text, unless that is long."""
        training = self.training_text().training
        if len(training) >= LONG_TEXT:
            return None
        of_language = []
        if words_of_language is not None:
            of_language = lexicon.unpack(words_of_language)
        return Hashes.of(training, of_language).packed()

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


def _is_of_lines(run: Optional[RunRecord]) -> bool:
    """Return whether a run has shuffled the lines of its text, as those of a list."""
    return run is not None and run.hyperparameters.shuffle == "lines"


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
