"""How a text is written: one value, which flags, keywords and checks share."""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Dict, Mapping, NamedTuple, Optional

from charrnn.hyperparameters import Checkable, setting
from charrnn.system.words import did_you_mean

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    class How(TypedDict, total=False):
        """The fields of :class:`Writing` as keywords, for type checkers and editors."""

        temperature: float
        top_n: Optional[int]
        top_p: Optional[float]
        steer: Optional[Mapping[str, float]]
        best_of: int


# top_p must be above 0
LEAST_SHARE = 1e-9
# float32 cannot hold numbers that are much larger
LARGEST_TEMPERATURE = 1e38
# sentences that are drawn at a time, at most
MOST_DRAWN = 16
# The notebook draws from as many of the most probable characters.
TOP_N = 5
# characters of a vocabulary above which top_n is off by default, as for Chinese
LARGE_VOCABULARY = 200
# With a smaller top_p, the first letters of lines lose their variety.
LINES_TOP_P = 0.98

# What a run that begins with a model writes with, unless it is one of a list (docs/log.md).
START_WRITING: Dict[str, Any] = dict(temperature=1.0, top_p=0.92, best_of=12)
# What version 5.0 recorded in place of the reader, which now reads wherever one of these is recorded.
REPLACED_BY_READER = ("contrast", "no_copy", "no_repeat", "known_words")

# the group of flags
DECODING = "decoding"


class OnPage(NamedTuple):
    """The slider of a page for a setting.

    Attributes:
        label: what stands above it.
        least, step: its numbers.
        most: its largest number; None for the characters of the vocabulary.
        at_most: what stands for the largest number; "" for itself.
    """

    label: str
    least: float
    most: Optional[float]
    step: float
    at_most: str = ""


@dataclass(frozen=True)
class Writing(Checkable):
    """How a text is written. The defaults are the notebook's.

    What ``allow`` leaves is divided by the temperature, and ``top_n`` and ``top_p`` are applied. A direction is held
    after each character. With ``best_of``, sentences are drawn in this way, of which the reader takes one.
    """

    temperature: float = setting(
        1.0,
        DECODING,
        "divide the logits by it; 0 takes the most probable character each time",
        least=0,
        most=LARGEST_TEMPERATURE,
        in_words="at least 0",
    )
    top_n: Optional[int] = setting(
        None,
        DECODING,
        "draw from so many of the most probable characters",
        least=1,
        kind=int,
        otherwise=f"{TOP_N}, or all with a top_p, of lines, or of a vocabulary of more than {LARGE_VOCABULARY} "
        "characters",
    )
    # nucleus sampling: Holtzman et al. 2020, arXiv:1904.09751
    top_p: Optional[float] = setting(
        None,
        DECODING,
        "draw from the fewest most probable characters whose probabilities, after temperature and top_n, add up to it",
        least=LEAST_SHARE,
        most=1,
        in_words="above 0 and at most 1",
        kind=float,
        otherwise=f"1, or {LINES_TOP_P} of lines",
    )
    steer: Optional[Mapping[str, float]] = setting(
        None,
        DECODING,
        "write as if a property of the text held, such as 'inside quotation marks=1.5': 0 is the average without it, 1 "
        "the average with it; -0.5 and 1.5 are good ends. An unknown property lists those that the model has. May be "
        "repeated",
        kind=dict,
    )
    best_of: int = setting(
        1,
        DECODING,
        "draw so many sentences at a time, of which a reader takes one: without copies of the training text, "
        "repetitions and unknown words if there is one, and then what is probable and in the text's own words",
        least=1,
        most=MOST_DRAWN,
    )

    def changed(self, how: Mapping[str, Any]) -> "Writing":
        """Return it with other values.

        Raises:
            ValueError: there is no such name, or a value is out of range.
        """
        for name in how:
            if name in REPLACED_BY_READER:
                raise ValueError(f"there is no argument {name} since version 6.0: use best_of")
            if name not in KEYWORDS:
                raise ValueError(f"there is no argument {name}{did_you_mean(name, KEYWORDS)}")
        changed = replace(self, **how)
        changed.check()
        return changed


# The sliders of pages. Links have the settings in this order, so a new one comes last.
ON_PAGE = {
    "temperature": OnPage("How daring (temperature)", 0.1, 2, 0.05),
    "top_n": OnPage("How many letters to choose from (top n)", 1, None, 1, "all"),
    "top_p": OnPage("How much of the probability to keep (top p)", 0.05, 1, 0.01, "all"),
    "best_of": OnPage("How many sentences to choose each one from", 1, MOST_DRAWN, 1),
}
KEYWORDS = tuple(field.name for field in fields(Writing))


def recorded_writing(writing: Optional[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """Return what a record says of how to write, as this version writes it.

    What only a newer version knows is left out.

    Raises:
        ValueError: a value is out of range.
    """
    if not writing:
        return writing
    known = {name: value for name, value in writing.items() if name in KEYWORDS}
    if any(name in writing for name in REPLACED_BY_READER):
        known["best_of"] = START_WRITING["best_of"]
    Writing().changed(known)
    return known
