"""What ``charrnn-sample --novelty`` tells: what texts copy from their training text, and whose words they have."""

import sys
from dataclasses import asdict, replace
from typing import Any, Dict, FrozenSet, List

from charrnn.engines.reader import Reader
from charrnn.engines.sampler import Sample
from charrnn.engines.trained_model import Model
from charrnn.system import terminal, words
from charrnn.text import novelty, pieces

# words that are named, at most
NAMED = 5


def print_novelty(samples: List[Sample], model: Model) -> None:
    """Print what each text copies, and then whose words all of them have."""
    training = model.training_text().training
    for sample in samples:
        print(_copied_line(sample.text, training))
    written = "\n".join(pieces.without_cut_word(sample.text) for sample in samples)
    terminal.write(f"{_words_line(written, model.reader())}\n", sys.stdout)


def print_known_lines(samples: List[Sample], known_lines: FrozenSet[str]) -> None:
    """Print how many lines are in the training text."""
    copied = sum(sample.text.strip() in known_lines for sample in samples)
    print(f"novelty: {copied:,} of {words.plural(len(samples), 'line')} are in the training text")


def as_json(sample: Sample, prime: str, model: Model) -> Dict[str, Any]:
    """Return the novelty and the words of a text as a dict of JSON types."""
    copied = novelty.compare(sample.text, model.training_text().training)
    reader = model.reader()
    text = pieces.without_cut_word(sample.text)
    return {
        # with the place of the longest run in the whole text
        "novelty": asdict(replace(copied, start=len(prime) + copied.start)),
        "words": {
            "own": reader.share_of_own(text),
            "own_in_training": reader.own_in_training,
            "unknown": reader.unknown_words(text),
        },
    }


def _copied_line(text: str, training: str) -> str:
    copied = novelty.compare(text, training)
    longest = text[copied.start : copied.start + copied.longest]
    share = f"{copied.share:.1%} of the {pieces.COPIED}-character windows are copied"
    if len(text) < pieces.COPIED:
        share = f"{copied.share:.1%} of the text is copied"
    return (
        f"novelty: the longest run copied from the training text has {copied.longest:,} characters ({longest!r}, "
        f"at character {copied.place:,}); {share}"
    )


def _words_line(text: str, reader: Reader) -> str:
    unknown = reader.unknown_words(text)
    named = ""
    if unknown:
        named = f" ({', '.join(unknown[:NAMED])})"
    line = f"{len(unknown):,} unknown{named}"
    # It has none if the frequent words of its language are not at hand.
    if reader.own_in_training:
        own = reader.share_of_own(text)
        line = f"{own:.1%} are the training text's own ({reader.own_in_training:.1%} there), {line}"
    return f"words: {line}"
