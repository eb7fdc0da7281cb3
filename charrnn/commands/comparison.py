"""What ``charrnn-sample --novelty`` compares texts with: their training text, and the words of others."""

import argparse
import sys
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, FrozenSet, List, Optional

from charrnn.engines.sampler import Sample
from charrnn.engines.trained_model import Model
from charrnn.system import terminal, words
from charrnn.text import novelty, pieces


@dataclass(frozen=True)
class Comparison:
    """The texts that written ones are compared with.

    Attributes:
        known_lines: the lines of the training text; empty without ``--lines``.
        training: the training text; "" without ``--novelty``.
        others: the frequent words of its language; None if the model has none with it.
        writes_lines: whether lines are written, not texts.
    """

    known_lines: FrozenSet[str] = frozenset()
    training: str = ""
    others: Optional[FrozenSet[str]] = None
    writes_lines: bool = False

    def print_novelty(self, samples: List[Sample]) -> None:
        """Print how much of each text is copied, or how many lines are, and whose words they have."""
        if self.writes_lines:
            print(_novelty_of_lines(samples, self.known_lines))
            return

        for sample in samples:
            print(_novelty_line(sample.text, self.training))
        texts = [pieces.without_cut_word(sample.text) for sample in samples]
        written = "\n".join(texts)
        terminal.write(f"{self._words_line(written)}\n", sys.stdout)
        terminal.write(f"{_variety_line(texts, self.training)}\n", sys.stdout)

    def as_json(self, sample: Sample, prime: str) -> Dict[str, Any]:
        """Return the novelty and the words of a text as a dict of JSON types."""
        report = {}
        if self.training:
            report["novelty"] = _novelty(sample, prime, self.training)
            text = pieces.without_cut_word(sample.text)
            report["words"] = asdict(self._whose_words(text))
            report["variety"] = asdict(novelty.variety([text], self.training))
        return report

    def _whose_words(self, text: str) -> novelty.Words:
        return novelty.whose_words(text, self.training, self.others)

    def _words_line(self, text: str) -> str:
        whose = self._whose_words(text)
        in_training = f"words: {whose.own:.1%} are in the training text"
        if not self.others:
            return f"{in_training}, {whose.neither:.1%} are not"
        in_text = self._whose_words(self.training).only_own
        own = other = ""
        if whose.named_own:
            own = f": {', '.join(whose.named_own)}"
        if whose.named_other:
            other = f" ({', '.join(whose.named_other)})"
        return (
            f"{in_training} ({whose.only_own:.1%} of all only there, {in_text:.1%} in the text itself{own}), "
            f"{whose.only_other:.1%} only in its language's list of frequent words{other}, "
            f"{whose.neither:.1%} in neither"
        )


def compared_with(args: argparse.Namespace, model: Model) -> Comparison:
    """Read the text that ``--novelty`` or ``--new`` need, and the words of its language."""
    comparison = Comparison(writes_lines=bool(args.lines))
    text = model.training_text()
    if args.lines:
        comparison = replace(comparison, known_lines=text.lines())
    if args.novelty:
        others = None
        listed = model.listed_words()
        if listed is not None:
            others = frozenset(pieces.words("\n".join(listed)))
        comparison = replace(comparison, training=text.training, others=others)
    return comparison


def _variety_line(texts: List[str], training: str) -> str:
    of_text = novelty.variety(texts, training)
    return (
        f"variety: {of_text.repeated:.1%} of the phrases of three words were there before "
        f"({of_text.repeated_in_training:.1%} in the training text); {of_text.different:,} of the first "
        f"{words.plural(of_text.counted, 'word')} are different ({of_text.different_in_training:,})"
    )


def _novelty_of_lines(samples: List[Sample], known_lines: FrozenSet[str]) -> str:
    copied = sum(sample.text.strip() in known_lines for sample in samples)
    return f"novelty: {copied:,} of {words.plural(len(samples), 'line')} are in the training text"


def _novelty_line(text: str, training: str) -> str:
    copied = novelty.compare(text, training)
    longest = text[copied.start : copied.start + copied.longest]
    share = f"{copied.share:.1%} of the {pieces.COPIED}-character windows are copied"
    if len(text) < pieces.COPIED:
        share = f"{copied.share:.1%} of the text is copied"
    return (
        f"novelty: the longest run copied from the training text has {copied.longest:,} characters ({longest!r}, "
        f"at character {copied.place:,}); {share}"
    )


def _novelty(sample: Sample, prime: str, training: str) -> Dict[str, Any]:
    """Return the novelty of what was drawn, with the place of the longest run in the whole text."""
    copied = novelty.compare(sample.text, training)
    return asdict(replace(copied, start=len(prime) + copied.start))
