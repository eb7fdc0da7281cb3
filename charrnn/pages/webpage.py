"""A model as one web page: the weights, the program that runs them, and what its units track, in a single HTML file."""

import html
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Set, Tuple

import numpy as np

from charrnn.data import StrPath
from charrnn.engines.directions import Direction, find_directions
from charrnn.engines.surprisal import surprisal
from charrnn.engines.trained_model import Model
from charrnn.inspection import units
from charrnn.inspection.discoveries import Told, discovered
from charrnn.inspection.steered import Trial, no_direction_told
from charrnn.pages.assembly import assemble, to_json
from charrnn.pages.page_data import (
    SENTENCE,
    PageData,
    facts_of,
    names_of,
    replacements_for,
    sliders,
    tracked_units,
)
from charrnn.pages.page_texts import (
    PASSAGE,
    SOURCE_OF_WRITTEN,
    choose_beginnings,
    choose_passage,
    choose_texts,
    language_and_text,
    least_full_line,
    written_text,
)
from charrnn.pages.stored import (
    network_data,
    reader_data,
    store,
    stored_model,
    target_of_page,
    untrained_model,
)
from charrnn.system import files
from charrnn.text import corpus

# pieces that are read in parallel to measure the loss
LOSS_ROWS = 64
# Shown if the page of learning is beside this one.
LEARNING = '<a href="learn.html">Watch a network learn to write</a>. '


@dataclass(frozen=True)
class Page:
    """What was written.

    Attributes:
        size: bytes of the file.
        loss: nats per character with the weights of the page.
        loss_name: the text that the loss was measured on.
        units: for each feature the unit that tracks it best, with their correlation.
        note: as for PageTexts.
    """

    size: int
    loss: float
    loss_name: str
    units: Tuple[units.Tracking, ...]
    note: str


def export_page(
    model: Model,
    path: StrPath,
    *,
    weights: str = "float16",
    text: Optional[corpus.Text] = None,
    title: Optional[str] = None,
    shows_text: bool = True,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> Page:
    """Write a model as one web page.

    The units are measured at the beginning of the training text, the loss in the middle of the held-out text or, if
    nothing is held out, of the training text.

    Args:
        model: a model of LSTM cells.
        path: the file to create or replace, whose name ends in ``.html``. If it is a symbolic link, the file that it
            points to is written.
        weights: how they are stored, one of :data:`charrnn.pages.stored.WEIGHTS`.
        text: the training text, or another one; None for the one that the run of the model names. If that cannot be
            read, the network writes one.
        title: what the page calls the training text; None for its file's name.
        shows_text: False to show a passage that the network wrote, and have none of the text in the page.
        progress: wraps the loops over the windows of these texts, to show progress bars.

    Raises:
        ValueError: the name does not end in ``.html``, the network has cells other than ``lstm``, or weights that
            float16 cannot hold, or it knows fewer than two characters of the text.
        OSError: the file cannot be written.
    """
    target = target_of_page(model, path)
    # All is measured with the weights of the page.
    stored = store(model, weights)
    rounded = stored_model(model, stored)
    engine = rounded.engine()
    texts = choose_texts(engine, model, text)
    loss_ids = engine.vocabulary.encode(texts.loss)
    nats = surprisal(engine, loss_ids, LOSS_ROWS, progress=progress)
    loss = float(nats.mean(dtype=np.float64))
    measured = units.measure(engine, texts.measured, model.num_layers, progress)
    untrained_engine = untrained_model(model).engine()
    untrained = units.measure(untrained_engine, texts.measured, model.num_layers, progress)

    if not shows_text:
        texts = replace(texts, source=SOURCE_OF_WRITTEN)
    primes = choose_beginnings(model, texts.measured)
    told, no_direction = _told_of(
        model,
        rounded,
        measured=measured,
        untrained=untrained,
        primes=primes,
        text=texts.learned,
    )
    tracked_features = [discovery["feature"] for discovery in told.discoveries]
    shown = texts.loss
    if not shows_text:
        shown = written_text(engine, model, 2 * PASSAGE)
    names = names_of(model, title)
    settings = told.opening["settings"]
    if model.usual_writing():
        settings = asdict(model.writing_with({}))
    page_data = PageData(
        title=names.title,
        sentence=SENTENCE,
        name=names.name,
        name_of_start=names.name_of_start,
        facts=facts_of(model, names.name, texts, loss=loss, weights=weights),
        vocabulary=[ord(char) for char in model.vocabulary.chars],
        nearest=replacements_for(model.vocabulary.chars),
        beginnings=primes,
        source=texts.source,
        settings=settings,
        network={"num_layers": model.num_layers, "lstm_size": model.lstm_size},
        measured=texts.measured_name,
        long_line=least_full_line(texts.measured),
        tracked=tracked_units(measured),
        discoveries=told.discoveries,
        directions=told.directions,
        opening=told.opening,
        no_direction=no_direction,
        passage=choose_passage(shown, tracked_features),
        beside=(Path(target).parent / "learn.html").exists(),
    )

    reader = reader_data(model, with_text=shows_text)
    content = render(page_data, network_data(model, stored), reader)
    # A title may contain a lone surrogate, which UTF-8 lacks.
    encoded = content.encode("utf-8", "replace")
    files.write_atomically(target, encoded)
    best = tuple(tracking for tracking, *_ in measured.best(1))
    return Page(
        size=len(encoded),
        loss=loss,
        loss_name=texts.loss_name,
        units=best,
        note=texts.note,
    )


def _told_of(
    model: Model,
    rounded: Model,
    *,
    measured: units.Measured,
    untrained: units.Measured,
    primes: Sequence[str],
    text: str,
) -> Tuple[Told, str]:
    """Return what the page tells of a model, and why it tells no direction, or "".

    Args:
        model: the model.
        rounded: the same with the weights of the page.
        measured, untrained: what its units track, and those of a network that has learned nothing.
        primes: the beginnings of its texts.
        text: the text that it learned.
    """
    directions, why_none = _directions_of(model, text)
    trial = None
    if directions:
        trial = Trial(rounded, directions, primes, text)
    # The notebook's "The " is for any text. A beginning of this text reads better.
    of_text = primes if model.beginning else primes[1:]
    opening_prime = (of_text or primes)[0]
    told = discovered(rounded, measured, untrained, trial, opening_prime, text=text)
    no_direction = ""
    if not told.directions:
        no_direction = why_none or no_direction_told(primes)
    return told, no_direction


def _directions_of(model: Model, text: str) -> Tuple[Dict[str, Direction], str]:
    """Return the directions of a model, the same as without a page, and why there are none."""
    try:
        directions = find_directions(model.engine(), text)
    except ValueError as error:
        return {}, f"Several numbers together would change more, but {error}."
    if directions:
        return directions, ""
    return {}, (
        "Several numbers together would change more, but no property of the text can be read from its memory well "
        "enough."
    )


def render(page_data: PageData, network: Dict[str, Any], reader: Dict[str, Any]) -> str:
    """Return the page.

    Args:
        page_data: what the page reads.
        network: the weights, from :func:`network_data`.
        reader: what the reader knows, from :func:`charrnn.pages.stored.reader_data`.
    """
    claim = page_data.sentence
    if page_data.discoveries:
        claim = page_data.discoveries[0]["sentence"]
    claim = html.escape(claim)
    facts = [
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(fact)}</dd>"
        for name, fact in page_data.facts
    ]
    beside = ""
    if page_data.beside:
        beside = LEARNING
    whose_lines = "These lines it did not write: they are a passage"
    if page_data.source == SOURCE_OF_WRITTEN:
        whose_lines = "These lines are a passage"
    weights = to_json(network)
    fields = sliders(len(page_data.vocabulary))
    return assemble(
        "page.html",
        {
            "title": html.escape(page_data.title),
            "plain_claim": claim.replace("*", ""),
            "claim": re.sub(r"\*(.*?)\*", r"<em>\1</em>", claim),
            "learned_from": _learned_from(page_data),
            "whose_lines": whose_lines,
            "beside": beside,
            "facts": "".join(facts),
            **_opening_parts(page_data),
            "fields": "\n  ".join(map(_slider, fields)),
            "data": to_json(asdict(page_data)),
            "sliders": to_json(fields),
            "weights": weights,
            "reader": to_json(reader),
            "size": str(len(weights)),
        },
    )


def _slider(field: Dict[str, Any]) -> str:
    """Return a slider with its label, in HTML."""
    name = field["name"]
    label = f'<label for="{name}">{field["label"]} <output id="{name}-value" for="{name}"></output></label>'
    numbers = f'min="{field["least"]}" max="{field["most"]}" step="{field["step"]}"'
    return f'{label}\n  <input id="{name}" type="range" {numbers}>'


def _learned_from(page_data: PageData) -> str:
    """Return from which texts the network learned, in HTML. A name may be in a script that is written to the left."""
    name = f"<cite><bdi>{html.escape(page_data.name)}</bdi></cite>"
    first = page_data.name_of_start or page_data.name
    language, novels = language_and_text(first)
    if page_data.name_of_start is None:
        return f"{language} by reading {novels}" if language else f"by reading one text, {name}"
    if language:
        return f"{language} from {novels}, and then from {name}"
    return f"from <cite><bdi>{html.escape(first)}</bdi></cite>, and then from {name}"


def _opening_parts(page_data: PageData) -> Dict[str, str]:
    """Return what is in the document of the two texts that the page opens with: it is there before the page starts."""
    parts = {
        "first_class": "",
        "pair_hidden": " hidden",
        "colour_said": "",
        "left": "",
        "right": "",
        "low": "",
        "high": "",
        "low_head": "",
        "high_head": "",
    }
    discoveries = page_data.discoveries
    if not discoveries or not discoveries[0]["texts"]:
        return parts
    first = discoveries[0]

    parts["first_class"] = "of-pair"
    parts["pair_hidden"] = ""
    parts["colour_said"] = "The same beginning, the same dice: only the handle is elsewhere."
    prime = html.escape(page_data.opening["prime"])
    counts_lines = not first["told"]["words"]
    telling = {word for words in first["told"]["words"] or () for word in words}
    for side, written in zip(("low", "high"), first["texts"]):
        if page_data.long_line and not counts_lines:
            # Its lines were broken for the layout.
            written = re.sub(r"(?<!\n)\n(?!\n)", " ", written)
        paragraphs = [_with_marks(paragraph, telling) for paragraph in re.split(r"\n\n+", written)]
        paragraphs[0] = f'<span class="prime">{prime}</span>{paragraphs[0]}'
        blocks = [f'<div class="block">{paragraph}</div>' for paragraph in paragraphs]
        parts[side] = f'<div class="printed">{"".join(blocks)}</div>'
    for name, side, end in zip(first["ends"], ("low", "high"), ("left", "right")):
        parts[end] = html.escape(name)
        parts[f"{side}_head"] = f"<b>{parts[end]}</b>"
    return parts


def _with_marks(text: str, telling: Set[str]) -> str:
    """Return a text as HTML, in which some words are bold; also I in I'm, and one in small letters with a capital."""

    def marked(match: "re.Match[str]") -> str:
        word = match.group()
        stem = re.sub("['\u2019].*", "", word)
        escaped = html.escape(word)
        if telling.isdisjoint((word, stem, word.lower(), stem.lower())):
            return escaped
        return f'<b class="telling">{escaped}</b>'

    return re.sub(r"[\w'\u2019]+|[^\w'\u2019]+", marked, text)
