"""What ``charrnn-sample --novelty`` compares texts with: their training text, and texts of others."""

import argparse
import sys
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, FrozenSet, List, Optional

from charrnn.checkpoints.find import KNOWN_MODELS
from charrnn.checkpoints.text_of_run import DividedText
from charrnn.engines.opening import text_of_start
from charrnn.engines.sampler import Sample
from charrnn.engines.trained_model import Model
from charrnn.system import errors, terminal, words
from charrnn.text import novelty
from charrnn.text.corpus import Text, others_words


@dataclass(frozen=True)
class Comparison:
    """The texts that written ones are compared with.

    Attributes:
        known_lines: the lines of the training text; empty without ``--lines``.
        training: the training text; "" without ``--novelty``.
        start: the name of the model that the network began with; "" for none.
        of_start: the training text of that model; None if it is not at hand.
        others: a text of other people in the same language; None if it is not at hand.
        writes_lines: whether lines are written, not texts.
    """

    known_lines: FrozenSet[str] = frozenset()
    training: str = ""
    start: str = ""
    of_start: Optional[DividedText] = None
    others: Optional[Text] = None
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
        written = "\n".join(sample.text for sample in samples)
        terminal.write(f"{self._words_line(written)}\n", sys.stdout)

    def as_json(self, sample: Sample, prime: str) -> Dict[str, Any]:
        """Return the novelty and the words of a text as a dict of JSON types."""
        report = {}
        if self.training:
            report["novelty"] = _novelty(sample, prime, self.training)
            report["words"] = asdict(self._whose_words(sample.text))
        if self.of_start:
            report["novelty_of_start"] = _novelty(sample, prime, self.of_start.training)
        return report

    @property
    def _text_of_start(self) -> str:
        return f"the text of {self.start}"

    def _whose_words(self, text: str) -> novelty.Words:
        other = self.others.text if self.others else None
        return novelty.whose_words(text, self.training, other)

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
            f"{whose.only_other:.1%} only in {self.others.name}{other}, {whose.neither:.1%} in neither"
        )


def compared_with(args: argparse.Namespace, model: Model) -> Comparison:
    """Read the texts that ``--novelty`` or ``--new`` need. A note says which one is not at hand."""
    comparison = Comparison(writes_lines=bool(args.lines))
    text = model.training_text()
    if args.lines:
        comparison = replace(comparison, known_lines=text.lines())
    if args.novelty:
        comparison = replace(comparison, training=text.training)
    if not args.novelty or model.run is None or model.run.init_from is None:
        return comparison

    start = model.run.init_from
    of_start = None
    try:
        of_start = text_of_start(model.run)
    except (ValueError, OSError) as error:
        terminal.print_note(
            f"what is copied from the text of {start}, with which the network began, is not counted: "
            f"{errors.described(error)}"
        )
    # Whose words they are, other novels of the language tell as well.
    others = None
    if start in KNOWN_MODELS:
        others = others_words(KNOWN_MODELS[start].language)
    return replace(comparison, start=start, of_start=of_start, others=others)


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
