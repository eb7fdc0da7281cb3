"""How a text is written: one value, which flags, keywords and checks share."""

import inspect
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, TypeVar

from charrnn.hyperparameters import Checkable, setting
from charrnn.system.words import did_you_mean

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    class How(TypedDict, total=False):
        """The fields of :class:`Writing` as keywords, for type checkers and editors."""

        temperature: float
        top_n: Optional[int]
        top_p: Optional[float]
        contrast: float
        steer: Optional[Mapping[str, float]]
        no_copy: int
        no_repeat: int
        known_words: bool
        best_of: int


# top_p must be above 0
LEAST_SHARE = 1e-9
# float32 cannot hold numbers that are much larger
LARGEST_TEMPERATURE = 1e38
# Sentences that are drawn at a time, at most. The seeds of N sentences are the random numbers of the next N characters,
# so a sentence has at least as many characters.
MOST_DRAWN = 12
# The notebook draws from as many of the most probable characters.
TOP_N = 5
# characters of a vocabulary above which top_n is off by default, as for Chinese
LARGE_VOCABULARY = 200
# With a smaller top_p, the first letters of lines lose their variety.
LINES_TOP_P = 0.98

# What a run that begins with a model writes with, unless it is one of a list (docs/log.md).
START_WRITING: Dict[str, Any] = dict(
    contrast=0.4,
    temperature=1.0,
    top_p=0.92,
    no_copy=20,
    no_repeat=14,
    known_words=True,
    best_of=4,
)

# the group of flags
DECODING = "decoding"

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Writing(Checkable):
    """How a text is written. The defaults are the notebook's.

    ``allow``, the guards (``no_copy``, ``known_words``, ``no_repeat``) and a contrast change the probabilities, in this
    order. Then the logits are divided by the temperature, and ``top_n`` and ``top_p`` are applied. A direction is held
    after each character. With ``best_of``, sentences are drawn in this way, of which one is taken.
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
    contrast: float = setting(
        0.0,
        DECODING,
        "above 0, write more like the training text than like the model that this one began with; -1 writes like that "
        "model. Larger values copy more (see --novelty)",
        least=-1,
    )
    steer: Optional[Mapping[str, float]] = setting(
        None,
        DECODING,
        "write as if a property of the text held, such as 'inside quotation marks=1.5': 0 is the average without it, 1 "
        "the average with it; -0.5 and 1.5 are good ends. An unknown property lists those that the model has. May be "
        "repeated",
        kind=dict,
    )
    no_copy: int = setting(
        0,
        DECODING,
        "write no run of so many characters of the training text; 20 is a good number, 0 allows all",
    )
    no_repeat: int = setting(
        0,
        DECODING,
        "write no run of so many characters that the text has had, unless the training text repeats it as often; 14 is "
        "a good number, 0 allows all",
    )
    known_words: bool = setting(
        False,
        DECODING,
        "write words of the training text and frequent ones of its language only",
        choices=(True, False),
    )
    best_of: int = setting(
        1,
        DECODING,
        "draw so many sentences at a time, and take the one that the network expects most, per character",
        least=1,
        most=MOST_DRAWN,
    )

    def changed(self, how: Mapping[str, Any]) -> "Writing":
        """Return it with other values.

        Raises:
            ValueError: there is no such name, or a value is out of range.
        """
        for name in how:
            if name not in KEYWORDS:
                raise ValueError(f"there is no argument {name}{did_you_mean(name, KEYWORDS)}")
        changed = replace(self, **how)
        changed.check()
        return changed


KEYWORDS = tuple(field.name for field in fields(Writing))


def writing_after(start_has_words: bool) -> Dict[str, Any]:
    """Return what a run writes with that began with a model, which has the words of its language with it or not."""
    return dict(START_WRITING, known_words=start_has_words)


def takes_how(method: Method) -> Method:
    """Decorate a method whose ``**how`` are the fields of :class:`Writing`: its signature then names each of them."""
    signature = inspect.signature(method)
    *before, _ = signature.parameters.values()
    of_writing = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=field.type,
        )
        for field in fields(Writing)
    ]
    method.__signature__ = signature.replace(parameters=[*before, *of_writing])  # type: ignore[attr-defined]
    return method
