"""A model as one web page: the weights, the program that runs them, and what its units track, in a single HTML file.

The page is put together from the files in ``charrnn/inspection/page``. It needs neither a server nor a network.
"""
import base64
import hashlib
import html
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

import numpy as np

from charrnn.data import StrPath, Vocabulary
from charrnn.engines import Engine
from charrnn.engines.decoding import Settings
from charrnn.engines.loading import divide, training_text
from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import Sampler, default_prime, default_top_n, write
from charrnn.engines.surprisal import surprisal
from charrnn.inspection import features, units
from charrnn.inspection.stored import network_data, store, stored_model
from charrnn.system import console, files
from charrnn.text import corpus, unknown
from charrnn.version import __version__

SOURCES = Path(__file__).resolve().parent / "page"
BEGINNINGS = {"anna": ("Anna said, ", "Dear ", "Chapter "), "tiny-shakespeare": ("ROMEO:\n", "KING ", "O, "),
              "python": ("def ", "import ", "class ")}  # offered for the known texts
MOST_BEGINNINGS = 4
UNITS_EACH = 3  # number of units shown for a feature
EXPRESSIVE = 6  # number of units shown that track no feature
EXCERPT = 140  # characters of the text on which a unit is shown
EXCERPT_LINES = 8  # lines of an excerpt, at most
TITLES = {"anna": "Anna Karenina", "tiny-shakespeare": "Tiny Shakespeare", "python": "Python's standard library"}
PASSAGE = 1000  # characters that the page reads at first
SEEN_FIRST = 400  # characters that are seen without scrolling
LOSS_ROWS = 64  # pieces that are read in parallel to measure the loss
WRITTEN = 20000  # characters that the network writes if there is no training text


@dataclass(frozen=True)
class Texts:
    """The texts for a page.

    Attributes:
        measured: the characters on which units are measured.
        measured_name: what they are, for a reader.
        loss: the characters on which the loss is measured.
        loss_name: what they are.
        note: why the network wrote them, or which characters are left out; "" if neither.
    """

    measured: str
    measured_name: str
    loss: str
    loss_name: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """What was written.

    Attributes:
        size: bytes of the file.
        loss: nats per character with the weights of the page.
        loss_name: the text that the loss was measured on.
        units: for each feature the unit that tracks it best, with their correlation.
        note: as for Texts.
    """

    size: int
    loss: float
    loss_name: str
    units: Tuple[units.Tracking, ...]
    note: str


def export_page(model: Model, path: StrPath, *, weights: str = "float16", text: Optional[corpus.Text] = None,
                progress: Callable[[Iterable[int]], Iterable[int]] = iter) -> Page:
    """Write a model as one web page.

    The units are measured at the beginning of the training text, the loss in the middle of the held-out text or, if
    nothing is held out, of the training text.

    Args:
        model: a model of LSTM cells.
        path: the file to create or replace. If it is a symbolic link, the file that it points to is written.
        weights: how they are stored, one of :data:`charrnn.inspection.stored.WEIGHTS`.
        text: the training text, or another one; None for the one that the run of the model names. If that cannot be
            read, the network writes one.
        progress: wraps the loops over the windows of these texts, to show progress bars.

    Raises:
        ValueError: the network has cells other than ``lstm``, or weights that float16 cannot hold, or it knows fewer
            than two characters of the text.
        OSError: the file cannot be written.
    """
    if model.cell != "lstm":
        raise ValueError(f"only a model of lstm cells can be a page, and {model.name} has {model.cell}")
    stored = store(model, weights)
    engine = stored_model(model, stored).engine()
    texts = _texts(engine, model, text)
    measured = units.measure(engine, texts.measured, model.num_layers, progress)
    loss = float(surprisal(engine, engine.vocabulary.encode(texts.loss), LOSS_ROWS, progress=progress).mean(
        dtype=np.float64))
    content = render(_data(model, texts, measured, loss), network_data(model, stored))
    encoded = content.encode("utf-8", "replace")  # a title may contain a lone surrogate, which UTF-8 lacks
    files.write_atomically(files.target_of(path), encoded)
    best = tuple(group[0] for group in measured.best(UNITS_EACH))
    return Page(len(encoded), loss, texts.loss_name, best, texts.note)


def render(data: Dict[str, Any], network: Dict[str, Any]) -> str:
    """Return the page.

    Args:
        data: what the views need, see ``charrnn/inspection/page/view.js``.
        network: the weights, from :func:`network_data`.
    """
    template = _source("page.html")
    names = re.findall(r"\{\{(\w+\.(?:js|css))\}\}", template)
    parts = {name: _source(name) for name in names}
    hashes = {ending: " ".join(_hash(parts[name]) for name in names if name.endswith(ending))
              for ending in (".js", ".css")}
    parts.update({
        # nothing is fetched, and no script runs but these
        "policy": f"default-src 'none'; script-src {hashes['.js']}; style-src {hashes['.css']}; worker-src blob:; "
                  "img-src data:; base-uri 'none'; form-action 'none'",
        "title": html.escape(data["title"]),
        "subtitle": html.escape(data["subtitle"]),
        "facts": "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(fact)}</dd>" for name, fact in data["facts"]),
        "cell.svg": _source("cell.svg").replace(' xmlns="http://www.w3.org/2000/svg"', ""),  # needed in files only
        "data": _json(data),
        "weights": _json(network),
    })
    return re.sub(r"\{\{([\w.]+)\}\}", lambda match: parts[match.group(1)], template)


def _source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _json(value: Any) -> str:
    """Return JSON without any "<", so that it cannot end the script element that contains it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _texts(engine: Engine, model: Model, text: Optional[corpus.Text]) -> Texts:
    """Return the texts for a page: parts of the training text, or what the network writes where that is missing."""
    try:
        training, held_out, _, sha256 = training_text(model.run) if text is None else divide(text, model.run)
    except (ValueError, OSError) as error:
        prime = default_prime(engine.vocabulary)
        (sample,), interrupted = write(Sampler(engine), prime, WRITTEN, _settings(engine.vocabulary), seed=0)
        if interrupted:
            raise KeyboardInterrupt
        written, name = prime + sample.text, f"{WRITTEN:,} characters that the network wrote"
        return Texts(written, name, written, name, "the page uses a text that the network wrote, because the training "
                     f"text cannot be read: {console.described(error)}")
    source = "the training text"
    if text and model.run and sha256 != model.run.text_sha256:
        source = f"the text {_title(text.name)}"
    missing = engine.vocabulary.unknown(training + held_out)
    training, held_out = (unknown.resolve(each, engine.vocabulary, "skip")[0] for each in (training, held_out))
    measured, whole = training[:units.CHARACTERS], held_out or training
    start = max(0, len(whole) - units.CHARACTERS) // 2  # not the end, where a book may have notes or a licence
    loss = whole[start:start + units.CHARACTERS]
    return Texts(
        measured, f"the first {len(measured):,} characters of {source}", loss,
        f"the middle {len(loss):,} characters of {'the held-out text' if held_out else source}",
        f"left out of the text, because the model does not know them: {console.listed(map(repr, missing))}"
        if missing else "")


def _passage(text: str, measured: units.Measured) -> str:
    """Return about PASSAGE characters of a text, from the beginning of a paragraph or line to the end of a word.

    In the first lines of this passage, the feature of the first discovery varies most.
    """
    first = next(iter(_discoveries(measured)), None)
    values = np.zeros(len(text)) if first is None else features.BY_NAME[first.feature].values(text)
    for boundary in ("\n\n", "\n"):
        starts = [match.end() for match in re.finditer(boundary + r"(?=\S)", text) if match.end() <= len(text) // 2]
        if starts:
            break
    start = max(starts or [0], key=lambda each: values[each:each + SEEN_FIRST].std())
    passage = text[start:start + PASSAGE]
    end = max(passage.rfind(" "), passage.rfind("\n"))
    return passage[:end] if end > PASSAGE // 2 else passage


def _data(model: Model, texts: Texts, measured: units.Measured, loss: float) -> Dict[str, Any]:
    """Return what the views need."""
    run, settings = model.run, _settings(model.vocabulary)
    name = _title(run.text_name) if run else Path(model.name).stem
    network = f"{console.plural(model.num_layers, 'layer')} of {console.plural(model.lstm_size, 'unit')}"
    return {
        "title": f"Inside {name}",
        "subtitle": f"A neural network of {network} that learned to write from one text, character by character. "
                    "It runs here, in this page.",
        "facts": [["Training text", name], ["Network", f"LSTM, {network}, {len(model.vocabulary)} characters"],
                  ["Loss", f"{loss:.4f} nats per character on {texts.loss_name}"],
                  ["Units", f"measured on {texts.measured_name}"], ["Made by", f"charrnn {__version__}"]],
        "vocabulary": [ord(char) for char in model.vocabulary.chars],
        "nearest": _nearest(model.vocabulary),
        "prime": default_prime(model.vocabulary),
        "beginnings": _beginnings(model, texts.measured),
        "passage": _passage(texts.loss, measured),
        "settings": {"temperature": settings.temperature, "top_n": settings.top_n, "top_p": settings.top_p},
        "network": {"num_layers": model.num_layers, "lstm_size": model.lstm_size},
        "measured": texts.measured_name,
        "units": _gallery(texts.measured, measured),
        "tracked": _tracked(measured),
        "discoveries": [str(each.unit) for each in _discoveries(measured)],
    }


def _title(text_name: str) -> str:
    """Return what a reader calls a text. No folder is in it, because a page may be published."""
    if ", " in text_name:  # of several sources
        return ", ".join(map(_title, text_name.split(", ")))
    return TITLES.get(text_name) or re.sub(r".*[/\\]|\.txt$", "", text_name.rstrip("/\\"), flags=re.DOTALL)


def _beginnings(model: Model, text: str) -> List[str]:
    """Return the default prime and up to three others: those of a known text, or what begins most lines of a text."""
    known = BEGINNINGS.get(model.run.text_name, ()) if model.run else ()
    frequent = Counter(re.findall(r"^\w+[ :]", text, re.MULTILINE)).most_common(MOST_BEGINNINGS)
    found = [default_prime(model.vocabulary), *(known or [words for words, _ in frequent])]
    return [each for each in dict.fromkeys(found) if not model.vocabulary.unknown(each)][:MOST_BEGINNINGS]


def _settings(vocabulary: Vocabulary) -> Settings:
    """Return the settings that ``charrnn-sample`` has where none are given."""
    return Settings(top_n=default_top_n(len(vocabulary)))


def _nearest(vocabulary: Vocabulary) -> Dict[str, str]:
    """Return a replacement for each character below U+3000 that the vocabulary lacks, where there is one."""
    lacking = vocabulary.unknown("".join(map(chr, range(9, 0x3000))))
    found = {char: unknown.resolve(char, vocabulary, "nearest")[0] for char in lacking}
    return {char: near for char, near in found.items() if near}


def _gallery(text: str, measured: units.Measured) -> List[Dict[str, Any]]:
    """Return the units of the gallery; the first for each feature, and each without one, has an excerpt."""
    found, values = [], features.measure(text)
    for group in measured.best(UNITS_EACH):
        for unit, feature, correlation in group:
            excerpt = _excerpt(text, measured, unit, values[feature]) if unit is group[0].unit else None
            found.append({"unit": str(unit), "feature": feature, "correlation": round(correlation, 3),
                          "excerpt": excerpt})
    for unit in measured.expressive(EXPRESSIVE):
        found.append({"unit": str(unit), "feature": None, "correlation": None,
                      "excerpt": _excerpt(text, measured, unit)})
    return found


def _tracked(measured: units.Measured) -> Dict[str, Any]:
    """Return what every unit tracks, in the order of the activations of the page."""
    best, correlations = measured.tracked()
    return {"features": [{"name": name, "about": features.BY_NAME[name].about, "counts": features.BY_NAME[name].counts}
                         for name in measured.features],
            "best": best.ravel().tolist(), "correlations": np.rint(100 * correlations).astype(int).ravel().tolist()}


def _discoveries(measured: units.Measured) -> List[units.Tracking]:
    """Return the unit that tracks quotation best, if one does, then the best ones of the other features."""
    best: Dict[units.Unit, units.Tracking] = {}
    for group in sorted(measured.best(UNITS_EACH), key=lambda each: each[0].feature != features.QUOTATION):
        best.setdefault(group[0].unit, group[0])  # a unit may be the best for several features
    return list(best.values())


def _excerpt(text: str, measured: units.Measured, unit: units.Unit,
             feature: Optional[np.ndarray] = None) -> Dict[str, Any]:
    """Return a piece of the second half of a text, of whole words, with what a unit does in it, from -127 to 127.

    It is the piece in which the unit changes most with the feature or, without one, at all.
    """
    half = len(text) // 2
    values = measured.shown[:, unit.part, unit.column]
    other = values if feature is None else feature[half:]
    starts = [0] + [match.end() for match in re.finditer(r"\s+", text[half:len(text) - EXCERPT])][::5]
    start = max(starts, key=lambda each: abs(_covariance(values[each:each + EXCERPT], other[each:each + EXCERPT])))
    whole_words = re.sub(r"(\s)\S*\Z", r"\1", text[half + start:half + start + EXCERPT])
    piece = "".join(whole_words.splitlines(keepends=True)[:EXCERPT_LINES]).rstrip()
    return {"text": piece, "values": values[start:start + len(piece)].tolist()}


def _covariance(values: np.ndarray, others: np.ndarray) -> float:
    return float(np.mean((values - values.mean()) * (others - others.mean())))
