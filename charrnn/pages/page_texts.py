"""The texts of a page: where units and the loss are measured, what the page reads at first, and how it names them."""

import math
import re
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import numpy as np

from charrnn.checkpoints.find import KNOWN_MODELS
from charrnn.checkpoints.text_of_run import divide, training_text
from charrnn.checkpoints.writing import Writing
from charrnn.engines import Engine
from charrnn.engines.sampler import Sampler, default_prime
from charrnn.engines.trained_model import Model
from charrnn.inspection import units
from charrnn.system import errors, words
from charrnn.text import corpus, features, unknown
from charrnn.text.beginnings import beginnings_of

# Characters that the network writes if there is no training text, in texts of at most LONGEST_WRITTEN. Hardly
# a character is left out, so that signs are as frequent as in what it learned.
WRITTEN = 40000
LONGEST_WRITTEN = 1000
WRITTEN_TOP_P = 0.98
# what they are then a part of
SOURCE_OF_WRITTEN = "a text that the network wrote"

# characters from which directions and the words that the network knows are taken
LEARNED = 2_000_000

# Characters that the page reads at first, and how many of them are seen without scrolling.
PASSAGE = 1000
SEEN_FIRST = 400
# characters in a line of a text that was broken into lines
LEAST_WIDTH = 40

# Offered for the known texts.
BEGINNINGS = {
    "anna": ("Anna said, ", "Dear ", "Chapter "),
    "tiny-shakespeare": ("ROMEO:\n", "KING ", "O, "),
    "python": ("def ", "import ", "class "),
}
MOST_BEGINNINGS = 4

TITLES = {
    "anna": "Anna Karenina",
    "tiny-shakespeare": "Tiny Shakespeare",
    "names": "Names",
    "python": "Python's standard library",
}
# What a model of a language has read, by its name.
OF_LANGUAGES = {
    known.name: f"{known.read} ({known.language})"
    for known in KNOWN_MODELS.values()
    if known.name not in TITLES
}
# characters of the name of a text
LONGEST_NAME = 60
# Characters that would turn around what follows a name.
_TURNING = "[\u202a-\u202e\u2066-\u2069]"


@dataclass(frozen=True)
class PageTexts:
    """The texts for a page.

    Attributes:
        measured: the characters on which units are measured.
        measured_name: what they are, for a reader.
        loss: the characters on which the loss is measured.
        loss_name: what they are.
        source: what text they are from.
        learned: the characters from which directions and known words are taken.
        note: why the network wrote them, or which characters are left out; "" if neither.
    """

    measured: str
    measured_name: str
    loss: str
    loss_name: str
    source: str
    learned: str
    note: str = ""


def choose_texts(engine: Engine, model: Model, text: Optional[corpus.Text]) -> PageTexts:
    """Return parts of a text, or of the training text if it is None; if that is missing, the network writes one."""
    try:
        if text is None:
            training, held_out, _, sha256 = training_text(model.run)
        else:
            training, held_out, _, sha256 = divide(text, model.run)
    except (ValueError, OSError) as error:
        return _written_texts(engine, model, errors.described(error))

    source = "the training text"
    if text and model.run and sha256 != model.run.text_sha256:
        source = f"the text {title_of(text.name)}"

    missing = engine.vocabulary.unknown(training + held_out)
    note = ""
    if missing:
        left_out = words.listed(map(repr, missing))
        note = f"left out of the text, because the model does not know them: {left_out}"
    training, _ = unknown.resolve(training, engine.vocabulary, "skip")
    held_out, _ = unknown.resolve(held_out, engine.vocabulary, "skip")

    measured = training[: units.CHARACTERS]
    measured_name = _name_of_part("the first", len(measured), len(training), source)

    whole = held_out or training
    if held_out:
        source = "the held-out text"
    # The middle, because a book may end with notes or a licence.
    start = max(0, len(whole) - units.CHARACTERS) // 2
    loss = whole[start : start + units.CHARACTERS]
    loss_name = _name_of_part("the middle", len(loss), len(whole), source)
    return PageTexts(
        measured=measured,
        measured_name=measured_name,
        loss=loss,
        loss_name=loss_name,
        source=source,
        learned=training[:LEARNED],
        note=note,
    )


def _name_of_part(which: str, length: int, length_of_whole: int, source: str) -> str:
    if length == length_of_whole:
        which = "all"
    return f"{which} {length:,} characters of {source}"


def _written_texts(engine: Engine, model: Model, reason: str) -> PageTexts:
    """Return what the network writes, because the training text cannot be read for some reason."""
    written = written_text(engine, model, WRITTEN)
    name = f"{WRITTEN:,} characters that the network wrote"
    return PageTexts(
        measured=written,
        measured_name=name,
        loss=written,
        loss_name=name,
        source=SOURCE_OF_WRITTEN,
        learned=written,
        note="the page uses a text that the network wrote, because the training text cannot be read: "
        f"{reason}",
    )


def written_text(engine: Engine, model: Model, length: int) -> str:
    """Return texts that the network writes, always the same, in paragraphs of their own and of a length together."""
    prime = default_prime(model.vocabulary, model.beginning)
    writing = Writing(top_p=WRITTEN_TOP_P)
    n_texts = math.ceil(length / LONGEST_WRITTEN)
    sampler = Sampler(engine, num_samples=n_texts)
    samples = sampler.write(prime, math.ceil(length / n_texts), writing, seed=0)
    texts = [prime + sample.text for sample in samples]
    has_blank_lines = any("\n\n" in text for text in texts)
    between = "\n\n" if has_blank_lines else "\n"
    known, _ = unknown.resolve(between.join(texts), model.vocabulary, "skip")
    return known[:length]


def choose_passage(text: str, names: Sequence[str]) -> str:
    """Return about PASSAGE characters of a text, from the beginning of a paragraph or line to the end of a word.

    It begins where the features vary in the first SEEN_FIRST characters. A place is as good as the feature that varies
    least there, relative to its variation in the whole text. Without features, it is the first place.
    """
    of_features = [features.BY_NAME[name].values(text) for name in names]

    def least_variation(place: int) -> float:
        variations = [
            values[place : place + SEEN_FIRST].std() / _deviation(values) for values in of_features
        ]
        return min(variations, default=0.0)

    start = max(_beginnings_of_paragraphs(text), key=least_variation)

    passage = text[start : start + PASSAGE]
    end = max(passage.rfind(" "), passage.rfind("\n"))
    if end <= PASSAGE // 2:
        return passage
    return passage[:end]


def _deviation(values: np.ndarray) -> float:
    """Return the standard deviation of a feature in a text; 1 if it does not vary."""
    return float(values.std()) or 1.0


def _beginnings_of_paragraphs(text: str) -> List[int]:
    """Return where paragraphs begin in the first half of a text; if none does, the lines; or 0 alone."""
    first_half = len(text) // 2
    for boundary in ("\n\n", "\n"):
        ends = [match.end() for match in re.finditer(boundary + r"(?=\S)", text)]
        starts = [end for end in ends if end <= first_half]
        if starts:
            return starts
    return [0]


def least_full_line(text: str) -> Optional[int]:
    """Return from how many characters on a line of a text is full, so that it ends for the layout only.

    None if the text was not broken into lines of some width. Where it was, most lines are nearly as long as the
    longest.
    """
    lengths = [len(line) for line in text.split("\n") if line]
    usual, long = np.percentile(lengths or [0], [50, 95])
    if usual < LEAST_WIDTH or long > 1.25 * usual:
        return None
    return int(usual * 2 / 3)


def title_of(text_name: str) -> str:
    """Return what a reader calls a text. No folder is in it, because a page may be published."""
    if ", " in text_name:
        # The text has several sources.
        title = ", ".join(map(title_of, text_name.split(", ")))
    elif text_name in TITLES:
        title = TITLES[text_name]
    elif text_name in OF_LANGUAGES:
        title = OF_LANGUAGES[text_name]
    else:
        title = re.sub(r".*[/\\]|\.txt$", "", text_name.rstrip("/\\"), flags=re.DOTALL)

    title = re.sub(_TURNING, "", title)
    if len(title) > LONGEST_NAME:
        return f"{title[:LONGEST_NAME]}\u2026"
    return title


def title_of_start(init_from: str) -> str:
    """Return what a reader calls the text of the model that a run began with."""
    if init_from in TITLES:
        return TITLES[init_from]
    if init_from in OF_LANGUAGES:
        return OF_LANGUAGES[init_from]
    # No folder, because a page may be published.
    *_, name = re.split(r"[/\\]", init_from)
    return f"the text of the model {name}"


def language_and_text(title: str) -> Tuple[str, str]:
    """Return the language of a model and its novels for what a reader calls these; "" and the title of another text."""
    for known in KNOWN_MODELS.values():
        if title == OF_LANGUAGES.get(known.name):
            return known.language, known.read
    return "", title


def choose_beginnings(model: Model, text: str) -> List[str]:
    """Return the default prime and up to three others: those of a known text, or what begins most paragraphs."""
    others: Sequence[str] = ()
    if model.run:
        others = BEGINNINGS.get(model.run.text_name, ())
    if not others:
        others = beginnings_of(text)

    beginnings = dict.fromkeys([default_prime(model.vocabulary, model.beginning), *others])
    known = [beginning for beginning in beginnings if not model.vocabulary.unknown(beginning)]
    return known[:MOST_BEGINNINGS]
