"""A model as one web page: the weights, the program that runs them, and what its units track, in a single HTML file."""

import functools
import html
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Set, Tuple

import numpy as np

from charrnn.checkpoints.writing import Writing
from charrnn.data import StrPath, Vocabulary
from charrnn.engines import Engine
from charrnn.engines.decoding import for_vocabulary
from charrnn.engines.directions import Direction, find_directions
from charrnn.engines.surprisal import surprisal
from charrnn.engines.trained_model import Model
from charrnn.inspection import memory, units
from charrnn.inspection.discoveries import discovered
from charrnn.inspection.places import highest_places, weights_of
from charrnn.inspection.steered import Trial, no_direction_told
from charrnn.pages.assembly import assemble, to_json
from charrnn.pages.page_texts import (
    PASSAGE,
    SOURCE_OF_WRITTEN,
    PageTexts,
    choose_beginnings,
    choose_passage,
    choose_texts,
    language_and_text,
    least_full_line,
    title_of,
    title_of_start,
    written_text,
)
from charrnn.pages.stored import network_data, start_of, store, stored_model, untrained_model
from charrnn.system import files, words
from charrnn.text import corpus, unknown
from charrnn.version import __version__

# pieces that are read in parallel to measure the loss
LOSS_ROWS = 64
# characters that are shown before a place of the text, and after it
AROUND_PLACE = 35
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
    weights: Optional[str] = None,
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
        weights: how they are stored, one of :data:`charrnn.pages.stored.WEIGHTS`. None for float16, or for int8 where
            the page also has the network that this one began with, which is always in int8.
        text: the training text, or another one; None for the one that the run of the model names. If that cannot be
            read, the network writes one.
        title: what the page calls the training text; None for its file's name.
        shows_text: False to show a passage that the network wrote, and none of the text.
        progress: wraps the loops over the windows of these texts, to show progress bars.

    Raises:
        ValueError: the name does not end in ``.html``, the network has cells other than ``lstm``, or weights that
            float16 cannot hold, or it knows fewer than two characters of the text.
        OSError: the file cannot be written.
    """
    if model.cell != "lstm":
        raise ValueError(
            f"only a model of lstm cells can be a page, and {model.name} has {model.cell}"
        )
    target = files.target_of(path)
    # No file of a run or model ends so.
    if not target.lower().endswith(".html"):
        raise ValueError(f"{str(path)!r} cannot be the name of a page: it must end in .html")

    start = start_of(model)
    weights = weights or ("float16" if start is None else "int8")
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
        texts = replace(texts, source=SOURCE_OF_WRITTEN, work="")
    page_data = _page_data(model, texts, measured, title, loss=loss, weights=weights)
    primes = page_data["beginnings"]
    told = _discoveries(
        model,
        rounded,
        measured=measured,
        untrained=untrained,
        primes=primes,
        text=texts.learned,
        most_surprise=_mean_of_letters(nats, texts.loss),
    )
    page_data.update(told)
    page_data["work"] = _with_places(page_data, engine, texts, progress)
    tracked_features = [discovery["feature"] for discovery in page_data["discoveries"]]
    shown = texts.loss
    if not shows_text:
        shown = written_text(engine, model, 2 * PASSAGE)
    page_data["passage"] = choose_passage(shown, tracked_features)
    bits = memory.bits_after(engine, loss_ids, progress=progress)
    learned_ids = engine.vocabulary.encode(texts.learned)
    pairs = memory.bits_of_pairs(learned_ids, loss_ids, len(model.vocabulary))
    page_data["memory"] = {"letters": list(bits), "bits": list(bits.values()), "pairs": pairs}
    page_data["beside"] = (Path(target).parent / "learn.html").exists()
    page_data["has_start"] = start is not None

    content = render(page_data, network_data(model, stored, start))
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


def _mean_of_letters(nats: np.ndarray, text: str) -> float:
    """Return the mean nats of the letters of a text, of which the first character is not guessed."""
    is_letter = [char.isalpha() for char in text[1:]]
    return float(nats @ is_letter) / max(1, sum(is_letter))


def _discoveries(
    model: Model,
    rounded: Model,
    *,
    measured: units.Measured,
    untrained: units.Measured,
    primes: Sequence[str],
    text: str,
    most_surprise: float,
) -> Dict[str, Any]:
    """Return what the page tells of a model, see :func:`discovered`, and why it tells no direction, or "".

    Args:
        model: the model.
        rounded: the same with the weights of the page.
        measured, untrained: what its units track, and those of a network that has learned nothing.
        primes: the beginnings of its texts.
        text: the text that it learned.
        most_surprise: as for Trial.
    """
    directions, why_none = _directions_of(model, text)
    trial = None
    if directions:
        trial = Trial(rounded, directions, primes, text, most_surprise)
    # The notebook's "The " is for any text. A beginning of this text reads better.
    of_text = primes if model.beginning else primes[1:]
    opening_prime = (of_text or primes)[0]
    told = discovered(rounded, measured, untrained, trial, opening_prime, text=text)
    no_direction = ""
    if not told["directions"]:
        no_direction = why_none or no_direction_told(primes)
    return dict(told, no_direction=no_direction)


def _with_places(
    page_data: Dict[str, Any],
    engine: Engine,
    texts: PageTexts,
    progress: Callable[[Sequence[int]], Iterable[int]],
) -> Optional[Dict[str, Any]]:
    """Add to each discovery of a page where in a known work it is highest, and return what the page says of the work.

    Of another text, nothing is added, and None is returned.
    """
    discoveries = page_data["discoveries"]
    if not texts.work or not discoveries:
        return None
    probes = {direction["name"]: direction["probe"] for direction in page_data["directions"]}
    weights = [weights_of(discovery["unit"], probes, engine) for discovery in discoveries]
    ids = engine.vocabulary.encode(texts.work)
    places_of_all = highest_places(engine, ids, np.array(weights), progress)
    for discovery, places in zip(discoveries, places_of_all):
        discovery["places"] = [_place_in(texts.work, place) for place in places]
    return {"name": texts.work_name, "letters": len(texts.work)}


def _place_in(text: str, place: int) -> Dict[str, Any]:
    """Return what the page shows of a place of a text, with the share of the text that stands before it."""
    return {
        "share": round(place / len(text), 4),
        "before": text[max(0, place - AROUND_PLACE) : place],
        "char": text[place],
        "after": text[place + 1 : place + AROUND_PLACE],
    }


def render(page_data: Dict[str, Any], network: Dict[str, Any]) -> str:
    """Return the page.

    Args:
        page_data: what the views need, see ``charrnn/pages/model/model.js``.
        network: the weights, from :func:`network_data`.
    """
    claim = page_data["sentence"]
    if page_data["discoveries"]:
        claim = page_data["discoveries"][0]["sentence"]
    claim = html.escape(claim)
    facts = [
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(fact)}</dd>"
        for name, fact in page_data["facts"]
    ]
    beside = ""
    if page_data["beside"]:
        beside = LEARNING
    whose_lines = "These lines it did not write: they are a passage"
    if page_data["source"] == SOURCE_OF_WRITTEN:
        whose_lines = "These lines are a passage"
    weights = to_json(network)
    return assemble(
        "page.html",
        {
            "title": html.escape(page_data["title"]),
            "plain_claim": claim.replace("*", ""),
            "claim": re.sub(r"\*(.*?)\*", r"<em>\1</em>", claim),
            "learned_from": _learned_from(page_data),
            "whose_lines": whose_lines,
            "beside": beside,
            "facts": "".join(facts),
            **_opening_parts(page_data),
            "data": to_json(page_data),
            "weights": weights,
            "size": str(len(weights)),
        },
    )


def _learned_from(page_data: Dict[str, Any]) -> str:
    """Return from which texts the network learned, in HTML. A name may be in a script that is written to the left."""
    name = f"<cite><bdi>{html.escape(page_data['name'])}</bdi></cite>"
    first = page_data.get("name_of_start", page_data["name"])
    language, novels = language_and_text(first)
    if "name_of_start" not in page_data:
        return f"{language} by reading {novels}" if language else f"by reading one text, {name}"
    if language:
        return f"{language} from {novels}, and then from {name}"
    return f"from <cite><bdi>{html.escape(first)}</bdi></cite>, and then from {name}"


def _opening_parts(page_data: Dict[str, Any]) -> Dict[str, str]:
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
    discoveries = page_data["discoveries"]
    if not discoveries or not discoveries[0]["texts"]:
        return parts
    first = discoveries[0]

    parts["first_class"] = "of-pair"
    parts["pair_hidden"] = ""
    parts["colour_said"] = "The same beginning, the same dice: only the handle is elsewhere."
    prime = html.escape(page_data["opening"]["prime"])
    counts_lines = not first["told"]["words"]
    telling = {word for words in first["told"]["words"] or () for word in words}
    for side, written in zip(("low", "high"), first["texts"]):
        if page_data["long_line"] and not counts_lines:
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


def _page_data(
    model: Model,
    texts: PageTexts,
    measured: units.Measured,
    title: Optional[str],
    *,
    loss: float,
    weights: str,
) -> Dict[str, Any]:
    """Return what the page needs, but for what depends on the discoveries."""
    if title is not None:
        name = title
    elif model.run:
        name = title_of(model.run.text_name)
    else:
        name = Path(model.name).stem
    language, learned_from = language_and_text(name)
    # What only a network that began with a model has.
    of_start = {}
    if model.run and model.run.init_from:
        name_of_start = title_of_start(model.run.init_from)
        language, first = language_and_text(name_of_start)
        learned_from = f"{first}, and then from {name}"
        of_start["name_of_start"] = name_of_start
    learned = "learned to write"
    if language:
        learned += f" {language}"
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
    return {
        "title": f"A machine that {learned} from {learned_from}",
        "sentence": "This network writes, and each letter that it reads surprises it more or less.",
        "name": name,
        **of_start,
        "facts": facts,
        "vocabulary": [ord(char) for char in model.vocabulary.chars],
        "nearest": _nearest(model.vocabulary.chars),
        "beginnings": choose_beginnings(model, texts.measured),
        "source": texts.source,
        "settings": asdict(for_vocabulary(Writing(), len(model.vocabulary))),
        "network": {"num_layers": model.num_layers, "lstm_size": model.lstm_size},
        "measured": texts.measured_name,
        "long_line": least_full_line(texts.measured),
        "tracked": _tracked(measured),
    }


@functools.lru_cache(maxsize=1)
def _nearest(chars: Tuple[str, ...]) -> Dict[str, str]:
    """Return a replacement for each character below U+3000 that a vocabulary lacks, where there is one."""
    vocabulary = Vocabulary(chars)
    nearest = {}
    for char in vocabulary.unknown("".join(map(chr, range(9, 0x3000)))):
        replacement, _ = unknown.resolve(char, vocabulary, "nearest")
        if replacement:
            nearest[char] = replacement
    return nearest


def _tracked(measured: units.Measured) -> Dict[str, Any]:
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
