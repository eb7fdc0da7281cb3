"""What a new run begins with: a trained model, or random weights.

A model that has learned to write spares a short text most of the work, even where it predicts the text worse than
counts of pairs of characters. Of the models whose languages are nearest to the text, it is the one that best predicts
the letters at the beginning of the text to train on: a run learns digits, spaces and signs within a few steps, but no
language.
"""

import contextlib
import math
from dataclasses import dataclass
from typing import Any, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from charrnn.checkpoints.find import KNOWN_MODELS, file_of
from charrnn.data import Vocabulary, split
from charrnn.engines.opening import open_known
from charrnn.engines.surprisal import surprisal
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import Hyperparameters
from charrnn.system import words
from charrnn.text.baselines import mean_of_letters, ngram_nats
from charrnn.text.trigrams import share_of

# in place of a model: begin with random weights
NONE = "none"

# A text of so many characters begins with no model (docs/log.md).
LONGEST = 300_000
# characters at the beginning of the text to train on that are looked at, at most and at least
LOOK = 4_000
LEAST_LOOK = 200
# Pieces that are read in parallel, and the characters that each is read from before its own.
PIECES = 64
READ_BEFORE = 40
# Models that read the text, at most: those whose languages share most groups of three letters with it (docs/log.md).
FINALISTS = 3
# Each shares at least this part of the groups that the nearest language shares.
NEARLY = 0.9
# A model may predict the letters of a text by this many nats worse than counts of pairs (docs/log.md).
MOST_WORSE = 1.2
# A model knows at least this share of the letters of a text, as characters of its vocabulary (docs/log.md).
LEAST_KNOWN = 0.8


@dataclass(frozen=True, eq=False)
class Start:
    """What a new run begins with.

    Attributes:
        model: the model whose weights it takes; None for random ones.
        reason: why this was chosen, for the plan; "" if the user has named it.
        is_unlike: whether the text is unlike all known models, such as one in another language.
    """

    model: Optional[Model] = None
    reason: str = ""
    is_unlike: bool = False

    @property
    def was_chosen(self) -> bool:
        """Whether it is a model that charrnn has chosen, rather than the user."""
        return self.model is not None and self.reason != ""


class Prediction(NamedTuple):
    """How a model predicts a text: the mean nats per character, and those of the letters alone."""

    nats: float
    of_letters: float


def choose_start(text: str, sha256: str, hyper: Hyperparameters, sizes: Mapping[str, Any]) -> Start:
    """Choose the known model that a new run on a text begins with, if it is to begin with one.

    Args:
        text: the text of the run, in its order. What the run holds out of it is not read.
        sha256: that of the text as it was given.
        hyper: the hyperparameters of the run, if it begins with random weights.
        sizes: the values of hyperparameters that the model must have.
    """
    if len(text) >= LONGEST:
        return Start(reason=f"because the text has {LONGEST:,} characters or more")
    training, _, _ = split(text, hyper.val_fraction, hyper.test_fraction)
    look = training[:LOOK]
    if len(look) < LEAST_LOOK:
        return Start(reason=f"because there are fewer than {LEAST_LOOK} characters to train on")

    present = [name for name in KNOWN_MODELS if file_of(name).exists()]
    finalists = _finalists(present, look, sizes)
    if not present:
        return Start(reason="because there is no known model")
    if not finalists:
        named = words.listed(f"{name} {value}" for name, value in sizes.items())
        return Start(reason=f"because no known model has {named}")

    # The models that have read the text, and the others.
    readers: List[str] = []
    others: List[Tuple[Prediction, Model]] = []
    for model in finalists:
        prediction = _prediction(model, look)
        if _has_read(model, sha256, prediction.nats):
            readers.append(model.name)
        else:
            others.append((prediction, model))
    have_read = ""
    if readers:
        verb = "has" if len(readers) == 1 else "have"
        have_read = f"{' and '.join(readers)} {verb} read this text, or one like it"
    if not others:
        return Start(reason=f"because {have_read}")

    prediction, nearest = min(others, key=_nats_of_letters)
    return _start_with(nearest, prediction, look, have_read)


def _start_with(nearest: Model, prediction: Prediction, look: str, have_read: str) -> Start:
    """Return a start with the model that predicts a text best, unless the text is too far from it.

    Args:
        nearest: the model.
        prediction: how it predicts the beginning of the text.
        look: this beginning.
        have_read: which models have read it, in words, or "".
    """
    known = _share_of_known_letters(nearest, look)
    if known < LEAST_KNOWN:
        reason = f"because {nearest.name} knows only {known:.0%} of the letters of this text"
        return Start(reason=reason, is_unlike=True)

    of_model = prediction.of_letters
    of_pairs = _nats_of_pairs(look)
    comparison = f"predicts the letters of this text with {of_model:.2f} nats, pairs of characters with {of_pairs:.2f}"
    if have_read:
        comparison = f"{comparison} ({have_read})"
    if of_model < of_pairs + MOST_WORSE:
        return Start(nearest, f"which {comparison}")
    return Start(reason=f"because {nearest.name} {comparison}", is_unlike=True)


def _finalists(names: List[str], look: str, sizes: Mapping[str, Any]) -> List[Model]:
    """Return the models of some sizes whose languages are nearest to a text, those that may have read it included."""
    nearness = {name: share_of(KNOWN_MODELS[name].trigrams, look) for name in names}
    least = NEARLY * max(nearness.values(), default=0.0)
    near = [name for name in names if nearness[name] >= least]
    finalists: List[Model] = []
    for name in sorted(near, key=lambda name: nearness[name], reverse=True):
        model = open_known(name)
        if all(getattr(model, setting) == value for setting, value in sizes.items()):
            finalists.append(model)
        if len(finalists) == FINALISTS:
            break
    return finalists


def _has_read(model: Model, sha256: str, nats: float) -> bool:
    """Return whether a model has read a text, by its SHA-256, or so often that it knows it or one like it by heart.

    Args:
        model: a known model.
        sha256: that of the text.
        nats: nats per character of the model on its beginning.
    """
    if model.run is not None and model.run.text_sha256 == sha256:
        return True
    memorised = KNOWN_MODELS[model.name].memorised
    return memorised is not None and nats < memorised


def _prediction(model: Model, text: str) -> Prediction:
    """Measure how a model predicts a text. A character that the model does not know is one of C at random.

    C is the number of characters of the text and of the model together, so that another script does not look easy.
    """
    vocab_to_int = model.vocabulary.vocab_to_int
    known = "".join(char for char in text if char in vocab_to_int)
    unknown = [char for char in text if char not in vocab_to_int]
    num_classes = len(set(text).union(model.vocabulary.chars))

    measured = unknown
    nats = np.full(len(unknown), math.log(num_classes), np.float32)
    if len(known) > 1:
        with contextlib.closing(model.engine()) as engine:
            of_known = surprisal(
                engine, model.vocabulary.encode(known), PIECES, warm_up=READ_BEFORE
            )
        # The first character has no surprisal.
        measured = unknown + list(known[1:])
        nats = np.concatenate([nats, of_known])
    mean = float(np.mean(nats, dtype=np.float64))
    return Prediction(mean, of_letters=mean_of_letters(nats, measured))


def _share_of_known_letters(model: Model, text: str) -> float:
    """Return which share of the letters of a text a model knows; 1 of a text without letters."""
    letters = [char for char in text if char.isalpha()]
    if not letters:
        return 1.0
    known = [char for char in letters if char in model.vocabulary.vocab_to_int]
    return len(known) / len(letters)


def _nats_of_letters(pair: Tuple[Prediction, Model]) -> float:
    prediction, _ = pair
    return prediction.of_letters


def _nats_of_pairs(text: str) -> float:
    """Return the mean nats per letter of a text, by the counts of pairs that each half has of the other."""
    vocabulary = Vocabulary.from_text(text)
    middle = len(text) // 2
    first = vocabulary.encode(text[:middle])
    second = vocabulary.encode(text[middle:])
    of_first = ngram_nats(second, first, len(vocabulary), order=1)
    of_second = ngram_nats(first, second, len(vocabulary), order=1)
    # The first character of each half has none before it.
    measured = text[1:middle] + text[middle + 1 :]
    return mean_of_letters(np.concatenate([of_first, of_second]), measured)
