"""What a page says of its discoveries, the units that have learned to track something, and the text it opens with."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set

from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import choose_settings
from charrnn.inspection import clamped, features, units

OPENING_TEMPERATURE = 0.5


class Discovery(NamedTuple):
    """What the page says of a discovery, and what the network writes with its unit clamped low and clamped high."""

    said: Dict[str, Any]
    low: List[str]
    high: List[str]


def discovered(
    model: Model, measured: units.Measured, untrained: units.Measured, prime: str, text: str
) -> Dict[str, Any]:
    """Return what the page says of the discoveries, and the beginning, the seed and the temperature that it opens with.

    Discoveries that change words come first. The seed is that of the texts that have the most words of the text and in
    which the feature of the first discovery varies. They are written with its unit clamped at its two ends, or not
    clamped where no word tells such texts apart.

    Args:
        model: the model with the weights of the page.
        measured: its units, measured on a text.
        untrained: those of a network that was not trained.
        prime: the beginning that the page opens with.
        text: the text.
    """
    settings = choose_settings(len(model.vocabulary), OPENING_TEMPERATURE)
    free = clamped.write(model, prime, settings)
    least, most = measured.limits()

    discoveries = []
    for tracking, chance in measured.discoveries(untrained):
        unit = tracking.unit
        low = clamped.write(
            model, prime, settings, unit=unit, value=least[unit.part, unit.column] / 127
        )
        high = clamped.write(
            model, prime, settings, unit=unit, value=most[unit.part, unit.column] / 127
        )
        comparison = clamped.compare(low, free, high)
        said = describe(tracking, chance, comparison, count=measured.deviation.size, text=text)
        discoveries.append(Discovery(said, low, high))
    # This keeps the order of those that change words, and of the others: the highest correlation first.
    discoveries.sort(key=lambda discovery: discovery.said["told"] is None)

    feature = None
    opening = free
    if discoveries:
        first = discoveries[0]
        feature = first.said["feature"]
        if first.said["told"]:
            opening = [f"{low}\n\n{high}" for low, high in zip(first.low, first.high)]
    seed = _best_seed(opening, prime, set(features.words(text)), feature)
    return {
        "discoveries": [discovery.said for discovery in discoveries],
        "opening": {"prime": prime, "seed": seed, "temperature": OPENING_TEMPERATURE},
    }


def _best_seed(
    texts: Sequence[str], prime: str, known_words: Set[str], feature: Optional[str]
) -> int:
    """Return the seed of the text that has the largest share of known words and in which a feature varies most."""

    def worth(written):
        said = features.words(prime + written)
        known = [word for word in said if word in known_words]
        share = len(known) / max(1, len(said))
        if feature is None:
            return share**8
        return features.BY_NAME[feature].values(written).std() * share**8

    worths = [worth(text) for text in texts]
    return clamped.SEEDS[worths.index(max(worths))]


def describe(
    tracking: units.Tracking,
    chance: float,
    comparison: Optional[Dict[str, Any]],
    count: int,
    text: str,
) -> Dict[str, Any]:
    """Return what the page says of a unit that tracks something.

    Args:
        tracking: the unit and its feature.
        chance: the correlation of the best untrained unit.
        comparison: from :func:`charrnn.inspection.clamped.compare`.
        count: units of the network.
        text: the text on which they are measured.
    """
    feature = features.BY_NAME[tracking.feature]
    is_clear = abs(tracking.correlation) >= units.CLEAR

    if not is_clear:
        ends = ("low", "high")
    elif feature.name == features.QUOTATION and features.is_speech(text):
        ends = ("narration", "speech")
    else:
        ends = feature.ends

    if comparison:
        words_of_ends = [words[0] for words in comparison["words"]]
        if tracking.correlation < 0:
            words_of_ends.reverse()
        less, more = words_of_ends
        sentence = f"Move one of its {count:,} numbers and it says *{more}* instead of *{less}*."
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
        "untrained": round(chance, 3),
    }
