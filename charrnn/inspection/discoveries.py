"""What a page says of its discoveries, and the text that it opens with.

A discovery is a direction of the memory that changes what is written as said, see :mod:`charrnn.inspection.steered`,
or a unit that tracks a feature of the text clearly more closely than any unit of an untrained network:
:meth:`charrnn.inspection.units.Measured.discoveries` chooses these.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Optional, Sequence, Set

from charrnn.checkpoints.writing import Writing
from charrnn.engines.decoding import for_vocabulary
from charrnn.engines.trained_model import Model
from charrnn.inspection import differences, steered, units
from charrnn.text import features

# characters of the two texts at the top of the page
SHOWN = differences.LENGTH
# A difference of this many words is plain without counting.
CLEARLY_SEEN = 3

# What a page slides between where it holds a direction.
SLIDES = {
    features.QUOTATION: ("text outside quotes", "text inside quotes"),
    "inside brackets": ("text outside brackets", "text inside brackets"),
    "inside a comment (after #)": ("code", "comments"),
    "first line of a paragraph": ("later lines", "first lines"),
    "inside a word in capitals": ("small letters", "capitals"),
}
# What a name is in a text whose nouns all begin with a capital: its label, its claim and its ends.
NOUNS = {
    "inside a name": ("inside a noun", "recognises nouns", ("other words", "noun")),
    "end of a name": ("end of a noun", "sees where a noun ends", ("goes on", "noun ends")),
}


@dataclass(frozen=True)
class Told:
    """What a page says of its discoveries, as JSON types.

    Attributes:
        discoveries: directions, then units, each as :func:`describe_direction` or :func:`describe` returns it.
        directions: what the page holds, see :meth:`charrnn.inspection.steered.ToldDirection.as_json`.
        opening: the beginning, the seed and the settings that the page opens with, and the characters it shows.
    """

    discoveries: List[Dict[str, Any]]
    directions: List[Dict[str, Any]]
    opening: Dict[str, Any]


def discovered(
    model: Model,
    measured: units.Measured,
    untrained: units.Measured,
    trial: Optional[steered.Trial],
    prime: str,
    text: str,
) -> Told:
    """Return what the page says of the discoveries, and the beginning, the seed and the settings that it opens with.

    Directions come first, each with the seed with which its two texts, held at either end, show best what is said; the
    page opens with the seed of the first. Then come units. Without a direction, the page opens with a text in which the
    feature of the first unit varies.

    Args:
        model: the model with the weights of the page.
        measured: its units, measured on the text.
        untrained: those of a network of the same sizes that was not trained, measured on the same text.
        trial: tries its directions; None if it has none.
        prime: the beginning that the page opens with.
        text: the training text, whose words are those that the network should write.
    """
    known_words = set(features.words(text))
    told_directions = trial.told() if trial else []

    discoveries = []
    for told in told_directions:
        low, high = told.low[prime], told.high[prime]
        index = _telling_index(low, high, told.difference, prime, known_words)
        entry = describe_direction(told, text)
        entry["seed"] = steered.COUNTED[index]
        entry["texts"] = [_as_shown(low[index]), _as_shown(high[index])]
        discoveries.append(entry)
    for tracking, untrained_correlation in measured.discoveries(untrained):
        entry = describe(tracking, untrained_correlation, measured.deviation.size, text)
        discoveries.append(entry)

    seed = None
    feature = None
    if discoveries:
        seed = discoveries[0]["seed"]
        feature = discoveries[0]["feature"]
    if seed is None:
        seeds = steered.COUNTED
        free = model.write(
            prime, SHOWN, n=len(seeds), seed=seeds[0], temperature=steered.TEMPERATURE
        )
        seed = seeds[_varied_index(free, feature, known_words)]
    writing = for_vocabulary(Writing(temperature=steered.TEMPERATURE), len(model.vocabulary))
    opening = {"prime": prime, "seed": seed, "settings": asdict(writing), "shown": SHOWN}
    return Told(discoveries, [told.as_json() for told in told_directions], opening)


def _telling_index(
    low: Sequence[str],
    high: Sequence[str],
    difference: differences.Difference,
    prime: str,
    known_words: Set[str],
) -> int:
    """Return the place of the two texts that show best what a difference says.

    Their words should be known, and they should have few paragraphs, because their boxes have room for some lines only.
    """

    def worth(low_text: str, high_text: str) -> float:
        shown_low = _as_shown(low_text)
        shown_high = _as_shown(high_text)
        seen = min(
            difference.margin(shown_low, shown_high),
            difference.of_first_words().margin(shown_low, shown_high),
            CLEARLY_SEEN,
        )
        if seen <= 0:
            return seen
        both = f"{prime}{shown_low}\n\n{prime}{shown_high}"
        paragraphs = len(re.split(r"\n\n+", both))
        return seen * _readable(both, known_words) / paragraphs

    return _best_of([worth(*texts) for texts in zip(low, high)])


def _varied_index(texts: Sequence[str], feature: Optional[str], known_words: Set[str]) -> int:
    """Return the place of the text in which a feature, if there is one, varies most, and whose words are known."""

    def worth(written: str) -> float:
        readable = _readable(written, known_words)
        if feature is None:
            return readable
        return features.BY_NAME[feature].values(written).std() * readable

    return _best_of([worth(text) for text in texts])


def _best_of(worths: List[float]) -> int:
    return worths.index(max(worths))


def _as_shown(written: str) -> str:
    """Return the part of a text that the page shows: it leaves out a word that the end would cut."""
    return re.sub(r"\w*$", "", written[:SHOWN])


def _readable(text: str, known_words: Set[str]) -> float:
    """Return a number from 0 to 1, which is 1 where all words are known.

    It is a high power of their share, so that a text with invented words loses against any without, unless it shows far
    more.
    """
    words = features.words(text)
    known = [word for word in words if word in known_words]
    share = len(known) / max(1, len(words))
    return share**8


def describe_direction(told: steered.ToldDirection, text: str) -> Dict[str, Any]:
    """Return the entry of the page's data for a direction. ``text`` is the training text."""
    feature = features.BY_NAME[told.name]
    difference = told.difference
    of_lines = not difference.words and difference.sign == "\n"
    ends = SLIDES.get(told.name, feature.ends)
    if told.name == features.QUOTATION and features.is_speech(text):
        ends = ("telling", "talking")
    elif told.name == "first line of a paragraph" and features.is_play(text):
        ends = ("verse", "names of speakers")
    elif told.name in NOUNS and features.has_capital_nouns(text):
        _, _, ends = NOUNS[told.name]
    elif of_lines and told.name not in SLIDES:
        ends = ("long lines", "short lines")
        if not difference.more_at_high:
            ends = ("short lines", "long lines")

    less, more = ends
    if told.name in SLIDES or of_lines:
        sentence = f"Slide from *{less}* to *{more}*."
    elif difference.words:
        [low_word, *_], [high_word, *_] = difference.words
        ends = (f"\u201c{low_word}\u201d", f"\u201c{high_word}\u201d")
        sentence = f"Slide, and it says *{high_word}* instead of *{low_word}*."
    else:
        sentence = f"Slide, and it writes *{difference.sign}* far more often."
    return {
        "unit": told.name,
        "feature": told.name,
        "ends": ends,
        "sentence": sentence,
        "told": {**difference.as_json(), "seen": told.seen},
        "correlation": round(told.direction.correlation, 3),
        "untrained": None,
    }


def describe(
    tracking: units.Tracking, untrained_correlation: float, count: int, text: str
) -> Dict[str, Any]:
    """Return the entry of the page's data for a unit.

    Args:
        tracking: the unit and its feature.
        untrained_correlation: that of the best unit of an untrained network, as absolute value.
        count: units of the network.
        text: the training text.
    """
    feature = features.BY_NAME[tracking.feature]
    label, claim, ends = (feature.name, feature.claim, feature.ends)
    if feature.name in NOUNS and features.has_capital_nouns(text):
        label, claim, ends = NOUNS[feature.name]
    if feature.name == features.QUOTATION and features.is_speech(text):
        ends = ("narration", "speech")

    sentence = f"One of the {count:,} numbers in this network has an idea of this: {label}."
    if abs(tracking.correlation) >= units.CLEAR:
        sentence = f"One of the {count:,} numbers in this network {claim}."
    return {
        "unit": str(tracking.unit),
        "feature": feature.name,
        "ends": ends,
        "sentence": sentence,
        "told": None,
        "correlation": round(tracking.correlation, 3),
        "untrained": round(untrained_correlation, 3),
        "seed": None,
        "texts": None,
    }
