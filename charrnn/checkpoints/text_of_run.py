"""The text that a model was trained on: where it is found, and how it is divided. And the words of its language."""

import contextlib
from pathlib import Path
from typing import FrozenSet, NamedTuple, Optional

from charrnn.checkpoints.find import KNOWN_MODELS, file_of
from charrnn.checkpoints.record import START_FILE, WORDS_FILE, RunRecord
from charrnn.checkpoints.weights import read_packed
from charrnn.system import files, terminal
from charrnn.text.corpus import KNOWN_TEXTS, LIST_OF_NAMES, Text, read


class DividedText(NamedTuple):
    """The parts of a text that a model was trained on, and the SHA-256 of the whole."""

    training: str
    held_out: str
    test: str
    sha256: str

    def lines(self) -> FrozenSet[str]:
        """Return the lines of the whole text, without spaces around them."""
        whole = f"{self.training}{self.held_out}{self.test}"
        return frozenset(line.strip() for line in whole.split("\n"))


def training_text(
    run: Optional[RunRecord],
    name: Optional[str] = None,
    flag: str = "--train-text, or open_model(..., train_text=PATH)",
) -> DividedText:
    """Read the text that a model was trained on, and divide it as the training did.

    Args:
        run: the run that the model comes from, if known.
        name: a path or a known name; None for the text in the run folder, or the known text that the run names.
        flag: the flag that names the text, for messages.

    Raises:
        ValueError: the text cannot be read.
    """
    if name is not None:
        text = read(name)
        terminal.print_skipped(text.skipped)
        return divide(text, run)
    if run and run.folder:
        return divide(Text(run.text_name, run.text()), run)
    if run and run.text_name in (*KNOWN_TEXTS, LIST_OF_NAMES):
        return divide(read(run.text_name), run)
    raise ValueError(f"the model has no training text with it: name the text with {flag}")


def divide(text: Text, run: Optional[RunRecord]) -> DividedText:
    """Divide a training text as a run does. Nothing is held out if there is no run or if its text is another one."""
    if run:
        own = run.in_order(text.text)
        if own is not None:
            parts = run.divide(own)
            return DividedText(*parts, sha256=run.text_sha256)
    return DividedText(text.text, held_out="", test="", sha256=files.text_sha256(text.text))


def words_of_language(run: Optional[RunRecord]) -> Optional[bytes]:
    """Return the frequent words of the language of a run that began with a model, see :mod:`charrnn.text.lexicon`.

    They are in its folder, in a run of an older version in the copy of that model there. Otherwise they are those of
    the known model that it names.

    Returns:
        The words, compressed; None if there are none, or they are not at hand.
    """
    if run is None or run.init_from is None:
        return None
    if run.folder is not None:
        with contextlib.suppress(OSError):
            return (Path(run.folder) / WORDS_FILE).read_bytes()
        with contextlib.suppress(ValueError):
            return read_packed(Path(run.folder) / START_FILE).words
    if run.init_from in KNOWN_MODELS:
        with contextlib.suppress(ValueError):
            return read_packed(file_of(run.init_from)).words
    return None
