"""The data of a model's page, apart from the weights: one object, which the page reads as JSON."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from charrnn.checkpoints.writing import ON_PAGE
from charrnn.data import Vocabulary
from charrnn.engines.trained_model import Model
from charrnn.inspection import units
from charrnn.pages.page_texts import (
    PageTexts,
    language_and_text,
    title_of,
    title_of_start,
)
from charrnn.system import words
from charrnn.system.commands_to_type import flag
from charrnn.text import unknown
from charrnn.version import __version__

# what the first line of a page says where nothing was discovered
SENTENCE = "This network writes, and each letter that it reads surprises it more or less."


@dataclass(frozen=True)
class PageData:
    """The data of a page but for the weights. Its fields are the keys of ``data`` in ``charrnn/pages/model/model.js``.

    Attributes:
        title: the title of the document.
        sentence: what it claims where nothing was discovered.
        name: what it calls the training text.
        name_of_start: what it calls the text of the model that the network began with; None for none.
        facts: pairs of a name and what is said, such as the loss.
        vocabulary: the code points of the characters, by their ids.
        nearest: a replacement for each character that is not among these, where there is one.
        beginnings: beginnings to choose from.
        source: where the passage is from, in words.
        settings: how the network writes what a reader asks for, fields of :class:`charrnn.checkpoints.writing.Writing`.
        network: the number of layers and of units in each.
        measured: the text that the units are measured on.
        long_line: characters from which on a line ends for the layout only; None for a text of other lines.
        tracked: what every unit tracks, and its limits.
        discoveries: what is told of directions and units, from :func:`charrnn.inspection.discoveries.discovered`.
        directions: what the page holds, from :meth:`charrnn.inspection.steered.ToldDirection.as_json`.
        opening: the beginning, the seed and the settings that the page opens with, and the characters it shows.
        no_direction: why it has no direction; "" if it has one.
        passage: the text that the network reads.
        beside: whether the page of learning is in the same folder.
    """

    title: str
    sentence: str
    name: str
    name_of_start: Optional[str]
    facts: List[List[str]]
    vocabulary: List[int]
    nearest: Dict[str, str]
    beginnings: List[str]
    source: str
    settings: Dict[str, Any]
    network: Dict[str, int]
    measured: str
    long_line: Optional[int]
    tracked: Dict[str, Any]
    discoveries: List[Dict[str, Any]]
    directions: List[Dict[str, Any]]
    opening: Dict[str, Any]
    no_direction: str
    passage: str
    beside: bool


@dataclass(frozen=True)
class PageNames:
    """What a page calls itself and the texts that its network learned from.

    Attributes:
        title: the title of the document.
        name: the training text.
        name_of_start: the text of the model that the network began with; None for none.
    """

    title: str
    name: str
    name_of_start: Optional[str]


def names_of(model: Model, title: Optional[str]) -> PageNames:
    """Return the names on the page of a model; ``title`` is another name of its training text, or None."""
    if title is not None:
        name = title
    elif model.run:
        name = title_of(model.run.text_name)
    else:
        name = Path(model.name).stem
    language, learned_from = language_and_text(name)

    name_of_start = None
    if model.run and model.run.init_from:
        name_of_start = title_of_start(model.run.init_from)
        language, first = language_and_text(name_of_start)
        learned_from = f"{first}, and then from {name}"
    learned = "learned to write"
    if language:
        learned += f" {language}"
    return PageNames(f"A machine that {learned} from {learned_from}", name, name_of_start)


def facts_of(
    model: Model, name: str, texts: PageTexts, *, loss: float, weights: str
) -> List[List[str]]:
    """Return the facts of a model, whose training text has a name: pairs of a name and what is said."""
    layers = words.plural(model.num_layers, "layer")
    layers_of_units = f"{layers} of {words.plural(model.lstm_size, 'unit')}"
    facts = [
        ["Training text", name],
        ["Network", f"LSTM, {layers_of_units}, {len(model.vocabulary)} characters"],
        ["Loss", f"{loss:.4f} nats per character on {texts.loss_name}"],
        ["Units", f"measured on {texts.measured_name}"],
        ["Made by", f"charrnn {__version__}"],
        ["Weights", weights],
    ]
    if model.run and model.run.init_from:
        # No folder, because a page may be published.
        *_, last = re.split(r"[/\\]", model.run.init_from)
        facts.insert(1, ["Began with", f"the model {last}"])
    return facts


@functools.lru_cache(maxsize=1)
def replacements_for(chars: Tuple[str, ...]) -> Dict[str, str]:
    """Return a replacement for each character below U+3000 that a vocabulary lacks, where there is one."""
    vocabulary = Vocabulary(chars)
    nearest = {}
    for char in vocabulary.unknown("".join(map(chr, range(9, 0x3000)))):
        replacement, _ = unknown.resolve(char, vocabulary, "nearest")
        if replacement:
            nearest[char] = replacement
    return nearest


def tracked_units(measured: units.Measured) -> Dict[str, Any]:
    """Return what every unit tracks, and its limits from -127 to 127, in the order of the activations of the page."""
    best, correlations = measured.tracked()
    least, most = measured.limits()
    return {
        "features": measured.features,
        "best": best.ravel().tolist(),
        "correlations": np.rint(100 * correlations).astype(int).ravel().tolist(),
        "least": least.ravel().tolist(),
        "most": most.ravel().tolist(),
    }


def sliders(num_classes: int) -> List[Dict[str, Any]]:
    """Return the sliders of the settings of writing, for a vocabulary of C characters, as their declarations say."""
    declared = []
    for key, on_page in ON_PAGE.items():
        slider = on_page._asdict()
        if on_page.most is None:
            slider["most"] = num_classes
        declared.append({**slider, "key": key, "name": flag(key)[2:]})
    return declared
