"""What ``charrnn-sample --novelty`` compares texts with: their training text, and texts of others."""

import argparse
import contextlib
import sys
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, FrozenSet, List, Optional

from charrnn.checkpoints.text_of_run import DividedText
from charrnn.engines.opening import text_of_start
from charrnn.engines.sampler import Sample
from charrnn.engines.trained_model import Model
from charrnn.system import terminal, words
from charrnn.text import lexicon, novelty


@dataclass(frozen=True)
class Comparison:
    """The texts that written ones are compared with.

    Attributes:
        known_lines: the lines of the training text; empty without ``--lines``.
        training: the training text; "" without ``--novelty``.
        start: the name of the model that the network began with; "" for none.
        of_start: the training text of that model; None if it is not at hand.
        others: the frequent words of its language, in lower case; None if the model has none with it.
        writes_lines: whether lines are written, not texts.
    """

    known_lines: FrozenSet[str] = frozenset()
    training: str = ""
    start: str = ""
    of_start: Optional[DividedText] = None
    others: Optional[FrozenSet[str]] = None
    writes_lines: bool = False

    def print_novelty(self, samples: List[Sample]) -> None:
        """Print how much of each text is copied, or how many lines are, and whose words they have."""
        if self.writes_lines:
            print(_novelty_of_lines(samples, self.known_lines, "the training text"))
            if self.of_start:
                print(_novelty_of_lines(samples, self.of_start.lines(), self._text_of_start))
            return

        for sample in samples:
            print(_novelty_line(sample.text, self.training, "the training text"))
            if self.of_start:
                print(_novelty_line(sample.text, self.of_start.training, self._text_of_start))
        texts = [novelty.without_cut_word(sample.text) for sample in samples]
        written = "\n".join(texts)
        terminal.write(f"{self._words_line(written)}\n", sys.stdout)
        terminal.write(f"{_variety_line(texts, self.training)}\n", sys.stdout)

    def as_json(self, sample: Sample, prime: str) -> Dict[str, Any]:
        """Return the novelty and the words of a text as a dict of JSON types."""
        report = {}
        if self.training:
            report["novelty"] = _novelty(sample, prime, self.training)
            text = novelty.without_cut_word(sample.text)
            report["words"] = asdict(self._whose_words(text))
            report["variety"] = asdict(novelty.variety([text], self.training))
        if self.of_start:
            report["novelty_of_start"] = _novelty(sample, prime, self.of_start.training)
        return report

    @property
    def _text_of_start(self) -> str:
        return f"the text of {self.start}"

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
    """Read the texts that ``--novelty`` or ``--new`` need, with that of the start if it is at hand."""
    comparison = Comparison(writes_lines=bool(args.lines))
    text = model.training_text()
    if args.lines:
        comparison = replace(comparison, known_lines=text.lines())
    if args.novelty:
        comparison = replace(comparison, training=text.training)
        comparison = replace(comparison, others=_words_of_others(model))
    if not args.novelty or model.run is None or model.run.init_from is None:
        return comparison

    start = model.run.init_from
    of_start = None
    with contextlib.suppress(ValueError, OSError):
        of_start = text_of_start(model.run)
    return replace(comparison, start=start, of_start=of_start)


def _words_of_others(model: Model) -> Optional[FrozenSet[str]]:
    """Return the frequent words of a model's language, in lower case; None if they are not at hand."""
    words_of_language = None
    with contextlib.suppress(ValueError):
        words_of_language = model.words_of_language()
    if words_of_language is None:
        return None
    return frozenset(word.lower() for word in lexicon.unpack(words_of_language))


def _variety_line(texts: List[str], training: str) -> str:
    of_text = novelty.variety(texts, training)
    return (
        f"variety: {of_text.repeated:.1%} of the phrases of three words were there before "
        f"({of_text.repeated_in_training:.1%} in the training text); {of_text.different:,} of the first "
        f"{words.plural(of_text.counted, 'word')} are different ({of_text.different_in_training:,})"
    )


def _novelty_of_lines(samples: List[Sample], known_lines: FrozenSet[str], source: str) -> str:
    copied = sum(sample.text.strip() in known_lines for sample in samples)
    return f"novelty: {copied:,} of {words.plural(len(samples), 'line')} are in {source}"


def _novelty_line(text: str, training: str, source: str) -> str:
    copied = novelty.compare(text, training)
    longest = text[copied.start : copied.start + copied.longest]
    share = f"{copied.share:.1%} of the {novelty.WINDOW}-character windows are copied"
    if len(text) < novelty.WINDOW:
        share = f"{copied.share:.1%} of the text is copied"
    return (
        f"novelty: the longest run copied from {source} has {copied.longest:,} characters ({longest!r}, "
        f"at character {copied.place:,}); {share}"
    )


def _novelty(sample: Sample, prime: str, training: str) -> Dict[str, Any]:
    """Return the novelty of what was drawn, with the place of the longest run in the whole text."""
    copied = novelty.compare(sample.text, training)
    return asdict(replace(copied, start=len(prime) + copied.start))
