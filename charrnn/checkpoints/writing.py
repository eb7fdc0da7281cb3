"""How a model writes: one value, which flags, keywords, checks and the record of a run share."""

import inspect
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, Tuple, TypeVar

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


# A smaller temperature makes the logits overflow float32.
LEAST_TEMPERATURE = 0.001
# top_p must be above 0
LEAST_SHARE = 1e-9
# float32 cannot hold numbers that are much larger
LARGEST_TEMPERATURE = 1e38
# The notebook draws from as many of the most probable characters.
TOP_N = 5
# characters of a vocabulary above which top_n is off by default, as for Chinese
LARGE_VOCABULARY = 200
# With a smaller top_p, the first letters of lines lose their variety.
LINES_TOP_P = 0.98

# the group of flags
DECODING = "decoding"

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Writing(Checkable):
    """How a text is written. The defaults are the notebook's.

    A direction is held, and a contrast and ``allow`` change the probabilities, before a character is drawn. For that,
    the logits are divided by the temperature, and then ``top_n`` and ``top_p`` are applied.
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
        "how much more like its own text than like the model that it began with, which -1 writes as; a larger one "
        "copies more of that text, which --novelty tells",
        least=-1,
    )
    steer: Optional[Mapping[str, float]] = setting(
        None,
        DECODING,
        "hold the memory of the network where it is with a property of the text, such as 'inside quotation "
        "marks=1.5': 0 is its mean without the property, 1 with it; -0.5 and 1.5 are good ends. An unknown property "
        "lists those that the model has. May be repeated",
        kind=dict,
    )

    def kept(self, num_classes: int, of_lines: bool = False) -> Tuple[int, float]:
        """Return ``top_n`` and ``top_p`` for a vocabulary of C characters: what suits it in place of None.

        >>> Writing().kept(80), Writing(top_p=0.5).kept(80), Writing().kept(5000)
        ((5, 1.0), (80, 0.5), (5000, 1.0))
        """
        top_n = self.top_n
        top_p = self.top_p
        if of_lines and top_n is None and top_p is None:
            top_p = LINES_TOP_P

        draws_from_all = top_p is not None or num_classes > LARGE_VOCABULARY
        if top_n is None and draws_from_all:
            top_n = num_classes
        elif top_n is None:
            top_n = TOP_N
        if top_p is None:
            top_p = 1.0
        return top_n, top_p

    def for_vocabulary(self, num_classes: int, of_lines: bool = False) -> "Writing":
        """Return it with a ``top_n`` and a ``top_p`` that are not None, see :meth:`kept`."""
        top_n, top_p = self.kept(num_classes, of_lines)
        return replace(self, top_n=top_n, top_p=top_p)

    def changed(self, how: Mapping[str, Any]) -> "Writing":
        """Return it with other values.

        Raises:
            ValueError: there is no such name, or a value is out of range.
        """
        for name in how:
            if name not in NAMES:
                raise ValueError(f"there is no argument {name}{did_you_mean(name, NAMES)}")
        changed = replace(self, **how)
        changed.check()
        return changed

    @property
    def takes_most_probable(self) -> bool:
        """Whether the most probable character is taken, the first of several, without a random number."""
        return self.temperature < LEAST_TEMPERATURE


NAMES = tuple(field.name for field in fields(Writing))


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
