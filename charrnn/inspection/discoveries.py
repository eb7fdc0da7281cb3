"""What a page says of its discoveries, and the text that it opens with.

A discovery is a unit that tracks a feature of the text clearly more closely than any unit of an untrained network:
:meth:`charrnn.inspection.units.Measured.discoveries` chooses them.
"""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import choose_settings
from charrnn.inspection import clamped, features, units

OPENING_TEMPERATURE = 0.5
# From so many times the line ends of a free text on, lines end too soon; with so few in a text, they never do.
CLEARLY_MORE = 1.25
NEARLY_NONE = 0.25


class Discovery(NamedTuple):
    """An entry of the page's data, and what the network writes with the unit clamped low and clamped high."""

    entry: Dict[str, Any]
    low: List[str]
    high: List[str]


def discovered(
    model: Model, measured: units.Measured, untrained: units.Measured, prime: str, text: str
) -> Dict[str, Any]:
    """Return what the page says of the discoveries, and the beginning, the seed and the temperature that it opens with.

    Those whose two ends can be told apart in what is written come first, the clearest before the others. For each seed
    there are two texts, with the unit of the first discovery clamped at its two ends; or one, not clamped, where
    nothing tells the two apart. :func:`_best_seed` chooses.

    Args:
        model: the model with the weights of the page.
        measured: its units, measured on the text.
        untrained: those of a network of the same sizes that was not trained, measured on the same text.
        prime: the beginning that the page opens with.
        text: the text, whose words are those that the network should write.
    """
    settings = choose_settings(len(model.vocabulary), OPENING_TEMPERATURE)
    free = clamped.write(model, prime, settings)
    # The values between which each unit nearly always is, where 127 stands for 1.
    least, most = measured.limits()

    discoveries = []
    for tracking, untrained_correlation in measured.discoveries(untrained):
        unit = tracking.unit
        low_value = least[unit.part, unit.column] / 127
        high_value = most[unit.part, unit.column] / 127
        low = clamped.write(model, prime, settings, unit=unit, value=low_value)
        high = clamped.write(model, prime, settings, unit=unit, value=high_value)
        entry = describe(
            tracking,
            untrained_correlation,
            comparison=clamped.compare(low, free, high),
            count=measured.deviation.size,
            text=text,
        )
        discoveries.append(Discovery(entry, low, high))
    # Otherwise the order stays: the highest correlation first.
    discoveries.sort(key=_clearness, reverse=True)

    feature = None
    opening = free
    if discoveries:
        first = discoveries[0]
        feature = first.entry["feature"]
        if first.entry["told"]:
            opening = [f"{low}\n\n{high}" for low, high in zip(first.low, first.high)]
    seed = _best_seed(opening, prime, set(features.words(text)), feature)
    return {
        "discoveries": [discovery.entry for discovery in discoveries],
        "opening": {"prime": prime, "seed": seed, "temperature": OPENING_TEMPERATURE},
    }


def _clearness(discovery: Discovery) -> float:
    told = discovery.entry["told"]
    return 0.0 if told is None else clamped.clearness(told)


def _best_seed(
    texts: Sequence[str], prime: str, known_words: Set[str], feature: Optional[str]
) -> int:
    """Return the seed of the text that is worth most: nearly all its words are known, and a feature varies in it."""

    def worth(written: str) -> float:
        words = features.words(prime + written)
        known = [word for word in words if word in known_words]
        share = len(known) / max(1, len(words))
        # By the high power, a text with invented words loses against any without, unless its feature varies far more.
        readable = share**8
        if feature is None:
            return readable
        return features.BY_NAME[feature].values(written).std() * readable

    worths = [worth(text) for text in texts]
    return clamped.SEEDS[worths.index(max(worths))]


def describe(
    tracking: units.Tracking,
    untrained_correlation: float,
    comparison: Optional[Dict[str, Any]],
    count: int,
    text: str,
) -> Dict[str, Any]:
    """Return the entry of the page's data for a discovery.

    Args:
        tracking: the unit and its feature.
        untrained_correlation: that of the best unit of an untrained network, as absolute value.
        comparison: from :func:`charrnn.inspection.clamped.compare`; None if nothing tells the ends apart.
        count: units of the network.
        text: the text on which they are measured.
    """
    feature = features.BY_NAME[tracking.feature]
    is_clear = abs(tracking.correlation) >= units.CLEAR

    ends = ("low", "high")
    if is_clear:
        ends = _ends_of_clear(feature, tracking.correlation, text)

    if comparison:
        sentence = f"Move one of its {count:,} numbers, and {_what_changes(tracking, comparison)}."
    elif is_clear:
        sentence = f"One of the {count:,} numbers in this network {feature.claim}."
    else:
        sentence = (
            f"One of the {count:,} numbers in this network has an idea of this: {feature.name}."
        )

    return {
        "unit": str(tracking.unit),
        "feature": feature.name,
        "ends": ends,
        "sentence": sentence,
        "told": comparison,
        "correlation": round(tracking.correlation, 3),
        "untrained": round(untrained_correlation, 3),
    }


def _ends_of_clear(feature: features.Feature, correlation: float, text: str) -> Tuple[str, str]:
    """Return names for the low and for the high end of a unit that clearly tracks a feature."""
    least, most = feature.ends
    if feature.name == features.QUOTATION and features.is_speech(text):
        least, most = "narration", "speech"
    return (most, least) if correlation < 0 else (least, most)


def _what_changes(tracking: units.Tracking, comparison: Dict[str, Any]) -> str:
    """Say what is written when a unit is moved, with asterisks around what is stressed."""
    if comparison["words"] is None:
        return _how_lines_end(comparison)

    # The words are for the unit's low and its high end, so here they are turned.
    words_of_ends = [words[0] for words in comparison["words"]]
    if tracking.correlation < 0:
        words_of_ends.reverse()
    less, more = words_of_ends
    return f"it says *{more}* instead of *{less}*"


def _how_lines_end(comparison: Dict[str, Any]) -> str:
    """Say what becomes of line ends at the two ends of a unit, of which one has far more of them."""
    [at_low], [free], [at_high] = comparison["counts"]
    more = max(at_low, at_high)
    less = min(at_low, at_high)
    soon = "too soon" if more >= CLEARLY_MORE * free else "in time"
    late = "never" if less <= NEARLY_NONE * comparison["texts"] else "hardly ever"
    return f"its lines end *{soon}*, or *{late}*"
