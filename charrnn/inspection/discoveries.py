"""What a page says of its discoveries, and the text that it opens with.

A discovery is a direction of the memory that changes what is written as said, see :mod:`charrnn.inspection.steered`,
or a unit that tracks a feature of the text clearly more closely than any unit of an untrained network:
:meth:`charrnn.inspection.units.Measured.discoveries` chooses these.
"""

import re
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from charrnn.checkpoints.writing import Writing
from charrnn.engines.trained_model import Model
from charrnn.inspection import clamped, steered, units
from charrnn.text import features

# characters of the two texts at the top of the page
SHOWN = clamped.LENGTH
# A difference of this many words is plain without counting.
CLEARLY_SEEN = 3
# From this multiple of the line ends of a free text on, lines end too soon.
CLEARLY_MORE = 1.25
# Up to this number of line ends in a text, on the mean, its lines never end; up to this share of all, hardly ever.
NEARLY_NONE = 0.25
FEW = 0.15

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


def discovered(
    model: Model,
    measured: units.Measured,
    untrained: units.Measured,
    trial: Optional[steered.Trial],
    prime: str,
    text: str,
) -> Dict[str, Any]:
    """Return what the page says of the discoveries, and the beginning, the seed and the temperature that it opens with.

    Directions come first. Then come units: those whose two ends can be told apart in what is written, the clearest
    before the others. Each of these has the seed with which its two texts, held at either end, show that best; the page
    opens with the seed of the first. Where nothing tells its ends apart, it opens with one text, not held, in which its
    feature varies.

    Args:
        model: the model with the weights of the page.
        measured: its units, measured on the text.
        untrained: those of a network of the same sizes that was not trained, measured on the same text.
        trial: tries its directions; None if it has none.
        prime: the beginning that the page opens with.
        text: the training text, whose words are those that the network should write.
    """
    writing = Writing(temperature=steered.TEMPERATURE)
    known_words = set(features.words(text))
    free = clamped.write(model, prime, writing)
    told_directions = trial.told() if trial else []

    directions = []
    for told in told_directions:
        low, high = told.low[prime], told.high[prime]
        index = _telling_index(low, high, told.comparison, prime, known_words)
        entry = describe_direction(told, text)
        entry["seed"] = steered.COUNTED[index]
        entry["texts"] = [_as_shown(low[index]), _as_shown(high[index])]
        directions.append(entry)

    of_units = _units_discovered(model, measured, untrained, free, prime, text, known_words)
    discoveries = directions + of_units
    seed = None
    feature = None
    if discoveries:
        first = discoveries[0]
        seed = first["seed"]
        feature = first["feature"]
    if seed is None:
        index = _varied_index(free, feature, prime, known_words)
        seed = clamped.SEEDS[index]
    return {
        "discoveries": discoveries,
        "directions": [told.as_json() for told in told_directions],
        "opening": {
            "prime": prime,
            "seed": seed,
            "temperature": steered.TEMPERATURE,
            "shown": SHOWN,
        },
    }


def _units_discovered(
    model: Model,
    measured: units.Measured,
    untrained: units.Measured,
    free: Sequence[str],
    prime: str,
    text: str,
    known_words: Set[str],
) -> List[Dict[str, Any]]:
    """Return the entries of the units, in their order."""
    writing = Writing(temperature=steered.TEMPERATURE)
    # The values between which each unit nearly always is, where 127 stands for 1.
    least, most = measured.limits()

    # how clearly the ends of each discovery differ, and what the page says of it
    found: List[Tuple[float, Dict[str, Any]]] = []
    for tracking, untrained_correlation in measured.discoveries(untrained):
        unit = tracking.unit
        low_value = least[unit.part, unit.column] / 127
        high_value = most[unit.part, unit.column] / 127
        low = clamped.write(model, prime, writing, unit=unit, value=low_value)
        high = clamped.write(model, prime, writing, unit=unit, value=high_value)
        comparison = clamped.compare(low, free, high)
        entry = describe(
            tracking,
            untrained_correlation,
            comparison=comparison,
            count=measured.deviation.size,
            text=text,
        )
        entry["seed"] = None
        entry["texts"] = None
        clearness = 0.0
        if comparison:
            clearness = comparison.clearness
            entry["told"]["seen"] = {prime: comparison.seen}
            index = _telling_index(low, high, comparison, prime, known_words)
            entry["seed"] = clamped.SEEDS[index]
            entry["texts"] = [_as_shown(low[index]), _as_shown(high[index])]
        found.append((clearness, entry))
    # Otherwise the order stays: the highest correlation first.
    found.sort(key=lambda discovery: discovery[0], reverse=True)
    return [entry for _, entry in found]


def _telling_index(
    low: Sequence[str],
    high: Sequence[str],
    comparison: clamped.Comparison,
    prime: str,
    known_words: Set[str],
) -> int:
    """Return the place of the two texts that show best what a comparison says.

    Their words should be known, and they should have few paragraphs, because their boxes have room for some lines only.
    """

    def worth(low_text: str, high_text: str) -> float:
        shown_low = _as_shown(low_text)
        shown_high = _as_shown(high_text)
        seen = min(clamped.seen(shown_low, shown_high, comparison), CLEARLY_SEEN)
        if seen <= 0:
            return seen
        both = f"{prime}{shown_low}\n\n{prime}{shown_high}"
        paragraphs = len(re.split(r"\n\n+", both))
        return seen * _readable(both, known_words) / paragraphs

    return _best_of([worth(*texts) for texts in zip(low, high)])


def _varied_index(
    texts: Sequence[str], feature: Optional[str], prime: str, known_words: Set[str]
) -> int:
    """Return the place of the text in which a feature, if there is one, varies most, and whose words are known."""

    def worth(written: str) -> float:
        readable = _readable(prime + written, known_words)
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
    comparison = told.comparison
    of_lines = not comparison.words and comparison.sign == "\n"
    ends = SLIDES.get(told.name, feature.ends)
    if told.name == features.QUOTATION and features.is_speech(text):
        ends = ("telling", "talking")
    elif told.name == "first line of a paragraph" and features.is_play(text):
        ends = ("verse", "names of speakers")
    elif told.name in NOUNS and features.has_capital_nouns(text):
        _, _, ends = NOUNS[told.name]
    elif of_lines and told.name not in SLIDES:
        ends = ("long lines", "short lines")
        if not comparison.more_at_high:
            ends = ("short lines", "long lines")

    less, more = ends
    if told.name in SLIDES or of_lines:
        sentence = f"Slide from *{less}* to *{more}*."
    elif comparison.words:
        [low_word, *_], [high_word, *_] = comparison.words
        ends = (f"\u201c{low_word}\u201d", f"\u201c{high_word}\u201d")
        sentence = f"Slide, and it says *{high_word}* instead of *{low_word}*."
    else:
        sentence = f"Slide, and it writes *{comparison.sign}* far more often."
    return {
        "unit": told.name,
        "feature": told.name,
        "ends": ends,
        "sentence": sentence,
        "told": {**comparison.as_json(), "seen": told.seen},
        "correlation": round(told.direction.correlation, 3),
        "untrained": None,
    }


def describe(
    tracking: units.Tracking,
    untrained_correlation: float,
    comparison: Optional[clamped.Comparison],
    count: int,
    text: str,
) -> Dict[str, Any]:
    """Return the entry of the page's data for a discovery.

    Args:
        tracking: the unit and its feature.
        untrained_correlation: that of the best unit of an untrained network, as absolute value.
        comparison: from :func:`charrnn.inspection.clamped.compare`; None if nothing tells the ends apart.
        count: units of the network.
        text: the training text.
    """
    feature = features.BY_NAME[tracking.feature]
    correlation = round(tracking.correlation, 3)
    label, claim, ends = (feature.name, feature.claim, feature.ends)
    if feature.name in NOUNS and features.has_capital_nouns(text):
        label, claim, ends = NOUNS[feature.name]
    if feature.name == features.QUOTATION and features.is_speech(text):
        ends = ("narration", "speech")

    told = None
    if comparison:
        told = comparison.as_json()
        sentence = f"Move one of its {count:,} numbers, and {_what_changes(tracking, comparison)}."
    elif abs(correlation) >= units.CLEAR:
        sentence = f"One of the {count:,} numbers in this network {claim}."
    else:
        sentence = f"One of the {count:,} numbers in this network has an idea of this: {label}."

    return {
        "unit": str(tracking.unit),
        "feature": feature.name,
        "ends": ends,
        "sentence": sentence,
        "told": told,
        "correlation": correlation,
        "untrained": round(untrained_correlation, 3),
    }


def _what_changes(tracking: units.Tracking, comparison: clamped.Comparison) -> str:
    """Say what is written when a unit is moved, with asterisks around what is stressed."""
    if not comparison.words:
        return _how_lines_end(comparison)

    # The words are for the unit's low and its high end, so here they are turned.
    words_of_ends = [words[0] for words in comparison.words]
    if tracking.correlation < 0:
        words_of_ends.reverse()
    less, more = words_of_ends
    return f"it says *{more}* instead of *{less}*"


def _how_lines_end(comparison: clamped.Comparison) -> str:
    """Say what becomes of line ends at the two ends of a unit, of which one has more of them."""
    [at_low], [free], [at_high] = comparison.counts
    more = max(at_low, at_high)
    less = min(at_low, at_high)
    soon = "too soon" if more >= CLEARLY_MORE * free else "in time"
    if less <= NEARLY_NONE * comparison.texts:
        late = "never"
    elif less <= FEW * (more + less):
        late = "hardly ever"
    elif CLEARLY_MORE * less <= free:
        late = "too late"
    else:
        late = "in time"
    if soon == late:
        return "its lines end *sooner*, or *later*"
    return f"its lines end *{soon}*, or *{late}*"
