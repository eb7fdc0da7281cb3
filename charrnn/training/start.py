"""What a new run begins with: a trained model, or random weights.

A model that has learned to write spares a short text most of the work, even where it predicts the text worse than
counts of pairs of characters. It is chosen by how it predicts the beginning of the text to train on.
"""

import contextlib
import math
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from charrnn.data import Vocabulary, split
from charrnn.engines.opening import known_models
from charrnn.engines.surprisal import WARM_UP, surprisal
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import Hyperparameters
from charrnn.system import files, words
from charrnn.text import lines
from charrnn.text.baselines import ngram_nats
from charrnn.text.corpus import Text

# in place of a model: begin with random weights
NONE = "none"

# A longer text needs no model to begin with.
LONGEST = 300_000
# characters at the beginning of the text to train on that are read, at most and at least
LOOK = 10_000
LEAST_LOOK = 200
# pieces that are read in parallel, and the characters that are read in all, as each piece needs some before its own
ROWS = 16
READ_IN_ALL = LOOK + ROWS * WARM_UP
# With fewer nats per character, a model has read the text. Models have 0.9 to 1.12 on their own texts, and at least
# 1.71 on others.
LEAST_UNREAD = 1.4
# A model may predict a text by this many nats worse than counts of pairs. Source code is up to 0.6 worse, and gains
# much. Other languages are 1.2 to 1.8 worse: Russian loses, and German, which gains a little, then hardly has its
# umlauts.
MOST_WORSE = 1.0


@dataclass(frozen=True, eq=False)
class Start:
    """What a new run begins with.

    Attributes:
        model: the model whose weights it takes; None for random ones.
        reason: why this was chosen, for the plan; "" if the user has named it.
    """

    model: Optional[Model] = None
    reason: str = ""


def choose_start(text: Text, hyper: Hyperparameters, sizes: Dict[str, Any]) -> Start:
    """Choose the known model that a new run on a text begins with, if it is to begin with one.

    Args:
        text: the text of the run. What the run holds out of it is not read.
        hyper: the hyperparameters of the run, if it begins with random weights.
        sizes: the values of hyperparameters that the model must have.
    """
    if len(text.text) >= LONGEST:
        return Start(reason=f"because the text has {LONGEST:,} characters or more")
    content = text.text
    if hyper.shuffle == "lines":
        content = lines.shuffled(content)
    training, _, _ = split(content, hyper.val_fraction, hyper.test_fraction)
    look = training[:LOOK]
    if len(look) < LEAST_LOOK:
        return Start(reason=f"because there are fewer than {LEAST_LOOK} characters to train on")

    fitting = [model for model in known_models() if _has(model, sizes)]
    if not fitting:
        named = words.listed(f"{name} {value}" for name, value in sizes.items())
        return Start(reason=f"because no known model has {named}")

    sha256 = files.text_sha256(text.text)
    # The models that have read the text, and the others with their losses.
    readers: List[str] = []
    losses: List[Tuple[float, Model]] = []
    for model in fitting:
        nats = _nats(model, look)
        has_its_text = model.run is not None and model.run.text_sha256 == sha256
        if has_its_text or nats < LEAST_UNREAD:
            readers.append(model.name)
        else:
            losses.append((nats, model))
    have_read = ""
    if readers:
        verb = "has" if len(readers) == 1 else "have"
        have_read = f"{' and '.join(readers)} {verb} read this text, or one like it"
    if not losses:
        return Start(reason=f"because {have_read}")

    lowest, nearest = min(losses, key=lambda pair: pair[0])
    pairs = _nats_of_pairs(look)
    comparison = f"predicts this text with {lowest:.2f} nats, pairs of characters with {pairs:.2f}"
    if readers:
        comparison = f"{comparison} ({have_read})"
    if lowest < pairs + MOST_WORSE:
        return Start(nearest, f"which {comparison}")
    return Start(reason=f"because {nearest.name} {comparison}")


def _has(model: Model, sizes: Dict[str, Any]) -> bool:
    return all(getattr(model, name) == value for name, value in sizes.items())


def _nats(model: Model, text: str) -> float:
    """Return the mean nats per character of a text. A character that the model does not know is one of C at random.

    C is the number of characters of the text and of the model together, so that another script does not look easy.
    """
    known = "".join(char for char in text if char in model.vocabulary.vocab_to_int)
    n_unknown = len(text) - len(known)
    num_classes = len(set(text).union(model.vocabulary.chars))
    total = n_unknown * math.log(num_classes)
    n_measured = n_unknown
    if len(known) > 1:
        with contextlib.closing(model.engine(ROWS, READ_IN_ALL)) as engine:
            nats = surprisal(engine, model.vocabulary.encode(known), ROWS)
        total += float(np.sum(nats, dtype=np.float64))
        n_measured += len(nats)
    return total / max(1, n_measured)


def _nats_of_pairs(text: str) -> float:
    """Return the mean nats per character of a text, by the counts of pairs that each half has of the other."""
    vocabulary = Vocabulary.from_text(text)
    ids = vocabulary.encode(text)
    first = ids[: len(ids) // 2]
    second = ids[len(ids) // 2 :]
    nats = [
        ngram_nats(first, second, len(vocabulary), order=1),
        ngram_nats(second, first, len(vocabulary), order=1),
    ]
    return float(np.mean(np.concatenate(nats)))
