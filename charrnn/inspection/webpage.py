"""A model as one web page: the weights, the program that runs them, and what its units track, in a single HTML file.

The page is put together from the files in ``charrnn/pages/model`` and ``charrnn/pages/shared``. It needs neither a
server nor a network.
"""

import base64
import hashlib
import html
import json
import os
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from charrnn.checkpoints.text_of_run import divide, training_text
from charrnn.data import StrPath, Vocabulary
from charrnn.engines import Engine
from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import Sampler, choose_settings, default_prime
from charrnn.engines.surprisal import surprisal
from charrnn.inspection import clamped, features, memory, units
from charrnn.inspection.stored import network_data, store, stored_model, untrained_model
from charrnn.system import errors, files, words
from charrnn.text import corpus, unknown
from charrnn.version import __version__

SOURCES = Path(__file__).resolve().parent.parent / "pages"
BEGINNINGS = {
    "anna": ("Anna said, ", "Dear ", "Chapter "),
    "tiny-shakespeare": ("ROMEO:\n", "KING ", "O, "),
    "python": ("def ", "import ", "class "),
}  # offered for the known texts
MOST_BEGINNINGS = 4
OPENING_TEMPERATURE = 0.5
LONGEST_NAME = 60  # characters of the name of a text
TITLES = {
    "anna": "Anna Karenina",
    "tiny-shakespeare": "Tiny Shakespeare",
    "names": "Names",
    "python": "Python's standard library",
}
PASSAGE = 1000  # characters that the page reads at first
SEEN_FIRST = 400  # characters that are seen without scrolling
LEAST_WIDTH = 40  # characters in a line of a text that was broken into lines
# if that page is beside this one
LEARNING = '<a href="learn.html">Watch a network learn to write</a>. '
LOSS_ROWS = 64  # pieces that are read in parallel to measure the loss
WRITTEN = 20000  # characters that the network writes if there is no training text
_IMPORT = re.compile(r'^import [^;]* from "(.*)";\n', re.MULTILINE)


@dataclass(frozen=True)
class Texts:
    """The texts for a page.

    Attributes:
        measured: the characters on which units are measured.
        measured_name: what they are, for a reader.
        loss: the characters on which the loss is measured.
        loss_name: what they are.
        source: what text they are from.
        note: why the network wrote them, or which characters are left out; "" if neither.
    """

    measured: str
    measured_name: str
    loss: str
    loss_name: str
    source: str
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


def export_page(
    model: Model,
    path: StrPath,
    *,
    weights: str = "float16",
    text: Optional[corpus.Text] = None,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> Page:
    """Write a model as one web page.

    The units are measured at the beginning of the training text, the loss in the middle of the held-out text or, if
    nothing is held out, of the training text.

    Args:
        model: a model of LSTM cells.
        path: the file to create or replace, whose name ends in ``.html``. If it is a symbolic link, the file that it
            points to is written.
        weights: how they are stored, one of :data:`charrnn.inspection.stored.WEIGHTS`.
        text: the training text, or another one; None for the one that the run of the model names. If that cannot be
            read, the network writes one.
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
    if not target.lower().endswith(".html"):  # as no file of a run or model does
        raise ValueError(f"{str(path)!r} cannot be the name of a page: it must end in .html")
    stored = store(model, weights)
    rounded = stored_model(model, stored)
    engine = rounded.engine()
    texts = _texts(engine, model, text)
    loss = float(
        surprisal(engine, engine.vocabulary.encode(texts.loss), LOSS_ROWS, progress=progress).mean(
            dtype=np.float64
        )
    )
    measured = units.measure(engine, texts.measured, model.num_layers, progress)
    untrained = untrained_model(model).engine()
    discoveries = measured.discoveries(
        units.measure(untrained, texts.measured, model.num_layers, progress)
    )
    data = _data(model, texts, measured, loss)
    data["facts"].append(["Weights", f"{weights}; {_faithfulness(model, rounded)}"])
    data.update(_discovered(rounded, measured, discoveries, data["beginnings"], texts.measured))
    first = [found["feature"] for found in data["discoveries"][:1]]
    bits = memory.bits_after(engine, engine.vocabulary.encode(texts.loss), progress=progress)
    data.update(
        passage=_passage(texts.loss, *first),
        memory={"letters": list(bits), "bits": list(bits.values())},
        beside=(Path(target).parent / "learn.html").exists(),
    )
    content = render(data, network_data(model, stored))
    # a title may contain a lone surrogate, which UTF-8 lacks
    encoded = content.encode("utf-8", "replace")
    files.write_atomically(target, encoded)
    best = tuple(group[0] for group in measured.best(1))
    return Page(len(encoded), loss, texts.loss_name, best, texts.note)


def render(data: Dict[str, Any], network: Dict[str, Any]) -> str:
    """Return the page.

    Args:
        data: what the views need, see ``charrnn/pages/model/model.js``.
        network: the weights, from :func:`network_data`.
    """
    weights = to_json(network)
    discoveries = data["discoveries"]
    title, claim = (
        html.escape(words) for words in (data["title"], (discoveries or [data])[0]["sentence"])
    )
    return assemble(
        "page.html",
        {
            "title": title,
            "plain_claim": claim.replace("*", ""),
            "claim": re.sub(r"\*(.*?)\*", r"<em>\1</em>", claim),
            "name": html.escape(data["name"]),
            "beside": LEARNING if data["beside"] else "",
            "facts": "".join(
                f"<dt>{html.escape(name)}</dt><dd>{html.escape(fact)}</dd>"
                for name, fact in data["facts"]
            ),
            "data": to_json(data),
            "weights": weights,
            "size": str(len(weights)),
        },
    )


def assemble(template: str, parts: Dict[str, str], change: Callable[[str], str] = str) -> str:
    """Return a page.

    Args:
        template: its template, in which the names of parts and of files of ``charrnn/pages`` are in braces.
        parts: from the name of a part to what it is.
        change: is applied to scripts and styles.
    """
    page = re.sub(
        r"\{\{(\w+\.html)\}\}",
        lambda match: source_of(match.group(1)).rstrip("\n"),
        source_of(template),
    )
    sources = {
        name: source_of(name) if name.endswith(".wasm") else change(source_of(name))
        for name in re.findall(r"\{\{(\w+\.\w+)\}\}", page)
    }
    hashes = {
        ending: " ".join(_hash(source) for name, source in sources.items() if name.endswith(ending))
        for ending in (".js", ".css")
    }
    # nothing is fetched, and no script runs but these, and WebAssembly
    policy = (
        f"default-src 'none'; script-src 'wasm-unsafe-eval' {hashes['.js']}; style-src {hashes['.css']}; "
        "worker-src blob:; img-src data:; base-uri 'none'; form-action 'none'"
    )
    parts = {**sources, **parts, "policy": policy}
    return re.sub(r"\{\{([\w.]+)\}\}", lambda match: parts[match.group(1)], page)


def source_of(name: str) -> str:
    """Return what a page has of a file: a module with all that it imports, and WebAssembly as base64."""
    path = next(SOURCES.glob(f"*/{name}"))
    return (
        base64.b64encode(path.read_bytes()).decode("ascii")
        if name.endswith(".wasm")
        else _module(path, [])
    )


def _module(path: Path, seen: List[Path]) -> str:
    """Return a module after all those that it imports and that are not `seen`, as one in which they share all names.

    Any other text is returned as it is.
    """
    seen.append(path)
    source = path.read_text(encoding="utf-8")
    imported = ((path.parent / name).resolve() for name in _IMPORT.findall(source))
    before = "".join(_module(each, seen) for each in imported if each not in seen)
    return before + re.sub("^export ", "", _IMPORT.sub("", source), flags=re.MULTILINE)


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def to_json(value: Any) -> str:
    """Return JSON without any "<", so that it cannot end the script element that contains it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _texts(engine: Engine, model: Model, text: Optional[corpus.Text]) -> Texts:
    """Return the texts for a page: parts of the training text, or what the network writes where that is missing."""
    try:
        training, held_out, _, sha256 = (
            training_text(model.run) if text is None else divide(text, model.run)
        )
    except (ValueError, OSError) as error:
        prime = default_prime(engine.vocabulary, model.run)
        [sample], interrupted = Sampler(engine).write(
            prime, WRITTEN, choose_settings(len(engine.vocabulary)), seed=0
        )
        if interrupted:
            raise KeyboardInterrupt
        written = prime + sample.text
        name = f"{WRITTEN:,} characters that the network wrote"
        return Texts(
            written,
            name,
            written,
            name,
            "a text that the network wrote",
            "the page uses a text that the "
            f"network wrote, because the training text cannot be read: {errors.described(error)}",
        )
    source = "the training text"
    if text and model.run and sha256 != model.run.text_sha256:
        source = f"the text {_title(text.name)}"
    missing = engine.vocabulary.unknown(training + held_out)
    training, held_out = (
        unknown.resolve(part, engine.vocabulary, "skip")[0] for part in (training, held_out)
    )
    measured = training[: units.CHARACTERS]
    whole = held_out or training
    # not the end, where a book may have notes or a licence
    start = max(0, len(whole) - units.CHARACTERS) // 2
    loss = whole[start : start + units.CHARACTERS]
    loss_source = "the held-out text" if held_out else source
    return Texts(
        measured,
        _part("the first", measured, training, source),
        loss,
        _part("the middle", loss, whole, loss_source),
        loss_source,
        f"left out of the text, because the model does not know them: {words.listed(map(repr, missing))}"
        if missing
        else "",
    )


def _part(which: str, part: str, whole: str, source: str) -> str:
    return f"{'all' if len(part) == len(whole) else which} {len(part):,} characters of {source}"


def _passage(text: str, feature: Optional[str] = None) -> str:
    """Return about PASSAGE characters of a text, from the beginning of a paragraph or line to the end of a word.

    In the first lines of this passage, the feature of the first discovery varies most.
    """
    values = features.BY_NAME[feature].values(text) if feature else np.zeros(len(text))
    for boundary in ("\n\n", "\n"):
        starts = [
            match.end()
            for match in re.finditer(boundary + r"(?=\S)", text)
            if match.end() <= len(text) // 2
        ]
        if starts:
            break
    start = max(starts or [0], key=lambda place: values[place : place + SEEN_FIRST].std())
    passage = text[start : start + PASSAGE]
    end = max(passage.rfind(" "), passage.rfind("\n"))
    return passage[:end] if end > PASSAGE // 2 else passage


def _discovered(
    model: Model,
    measured: units.Measured,
    discoveries: Sequence[Tuple[units.Tracking, float]],
    beginnings: List[str],
    text: str,
) -> Dict[str, Any]:
    """Return what the page says of the discoveries, and the beginning, the seed and the temperature that it opens with.

    The beginning is the one after the default, if there is one: that comes from the text, and reads better. The seed is
    that of the texts that have the most words of the text and in which the feature varies. They are written with the
    number of the first discovery clamped at its ends, or with none where no word tells such texts apart. Discoveries
    that change words come first.
    """
    prime = beginnings[:2][-1]
    settings = choose_settings(len(model.vocabulary), OPENING_TEMPERATURE)
    opening = free = clamped.write(model, prime, settings)
    found = []
    for tracking, untrained in discoveries:
        ends = (
            limit[tracking.unit.part, tracking.unit.column] / 127 for limit in measured.limits()
        )
        low, high = (clamped.write(model, prime, settings, tracking.unit, end) for end in ends)
        told = clamped.compare(low, free, high)
        found.append(
            (_discovery(tracking, untrained, told, measured.deviation.size, text), low, high)
        )
    # and as before, the highest correlation first
    found.sort(key=lambda entry: entry[0]["told"] is None)
    shown = [discovery for discovery, *_ in found]
    if shown and shown[0]["told"]:
        opening = ["\n\n".join(pair) for pair in zip(*found[0][1:])]
    known = set(features.words(text))
    varies = shown and features.BY_NAME[shown[0]["feature"]].values

    def worth(row):
        words = features.words(prime + opening[row])
        varied = varies(opening[row]).std() if varies else 1
        return varied * (sum(word in known for word in words) / max(1, len(words))) ** 8

    seed = clamped.SEEDS[max(range(len(opening)), key=worth)]
    return {
        "discoveries": shown,
        "opening": {"prime": prime, "seed": seed, "temperature": OPENING_TEMPERATURE},
    }


def _faithfulness(model: Model, stored: Model) -> str:
    """Return in words how long a page writes what the model writes with the same seeds and float32 weights."""
    prime = default_prime(model.vocabulary, model.run)
    settings = choose_settings(len(model.vocabulary))
    pairs = zip(clamped.write(model, prime, settings), clamped.write(stored, prime, settings))
    same = [len(os.path.commonprefix(pair)) for pair in pairs]
    seeds = len(clamped.SEEDS)
    if min(same) >= clamped.LENGTH:
        return f"with the same seed it writes what charrnn-sample writes ({seeds} of {seeds} seeds were tried)"
    return (
        f"with the same seed its text leaves that of charrnn-sample, after {int(np.median(same))} characters on "
        f"the median; over {clamped.LENGTH} characters, {same.count(clamped.LENGTH)} of {seeds} texts are equal"
    )


def _data(model: Model, texts: Texts, measured: units.Measured, loss: float) -> Dict[str, Any]:
    """Return what the page needs, but for what depends on the discoveries."""
    run = model.run
    settings = choose_settings(len(model.vocabulary))
    name = _title(run.text_name) if run else Path(model.name).stem
    network = (
        f"{words.plural(model.num_layers, 'layer')} of {words.plural(model.lstm_size, 'unit')}"
    )
    return {
        "title": f"A machine that learned to write from {name}",
        "sentence": "This network writes, and each letter that it reads surprises it more or less.",
        "name": name,
        "facts": [
            ["Training text", name],
            ["Network", f"LSTM, {network}, {len(model.vocabulary)} characters"],
            ["Loss", f"{loss:.4f} nats per character on {texts.loss_name}"],
            ["Units", f"measured on {texts.measured_name}"],
            ["Made by", f"charrnn {__version__}"],
        ],
        "vocabulary": [ord(char) for char in model.vocabulary.chars],
        "nearest": _nearest(model.vocabulary),
        "beginnings": _beginnings(model, texts.measured),
        "source": texts.source,
        "settings": asdict(settings),
        "network": {"num_layers": model.num_layers, "lstm_size": model.lstm_size},
        "measured": texts.measured_name,
        "long_line": _long_line(texts.measured),
        "tracked": _tracked(measured),
    }


def _long_line(text: str) -> Optional[int]:
    """Return how long a line of a text is at least if it ends for the layout only. None if no line does.

    Where a text was broken into lines of some width, most lines are nearly as long as the longest.
    """
    usual, long = np.percentile([len(line) for line in text.split("\n") if line] or [0], [50, 95])
    return int(usual * 2 / 3) if usual >= LEAST_WIDTH and long <= 1.25 * usual else None


def _discovery(
    best: units.Tracking, untrained: float, told: Optional[Dict[str, Any]], count: int, text: str
) -> Dict[str, Any]:
    """Return what the page says of one of `count` units, which tracks something; for `told` see clamped.compare."""
    feature = features.BY_NAME[best.feature]
    is_clear = abs(best.correlation) >= units.CLEAR
    is_speech = best.feature == features.QUOTATION and features.is_speech(text)
    ends = (
        ("low", "high") if not is_clear else ("narration", "speech") if is_speech else feature.ends
    )
    if told:
        less, more = (words[0] for words in told["words"][:: 1 if best.correlation > 0 else -1])
        sentence = f"Move one of its {count:,} numbers and it says *{more}* instead of *{less}*."
    else:
        known = feature.claim if is_clear else f"has an idea of this: {feature.name}"
        sentence = f"One of the {count:,} numbers in this network {known}."
    return {
        "unit": str(best.unit),
        "feature": best.feature,
        "ends": ends,
        "sentence": sentence,
        "told": told,
        "correlation": round(best.correlation, 3),
        "untrained": round(untrained, 3),
    }


def _title(text_name: str) -> str:
    """Return what a reader calls a text. No folder is in it, because a page may be published."""
    if ", " in text_name:  # of several sources
        name = ", ".join(map(_title, text_name.split(", ")))
    else:
        name = TITLES.get(text_name) or re.sub(
            r".*[/\\]|\.txt$", "", text_name.rstrip("/\\"), flags=re.DOTALL
        )
    # they would turn what comes after the name around
    name = re.sub("[\u202a-\u202e\u2066-\u2069]", "", name)
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}\u2026"


def _beginnings(model: Model, text: str) -> List[str]:
    """Return the default prime and up to three others: those of a known text, or what begins most lines of a text."""
    known = BEGINNINGS.get(model.run.text_name, ()) if model.run else ()
    frequent = Counter(re.findall(r"^\S+[ :]", text, re.MULTILINE)).most_common(MOST_BEGINNINGS)
    primes = [
        default_prime(model.vocabulary, model.run),
        *(known or [words for words, _ in frequent]),
    ]
    return [prime for prime in dict.fromkeys(primes) if not model.vocabulary.unknown(prime)][
        :MOST_BEGINNINGS
    ]


def _nearest(vocabulary: Vocabulary) -> Dict[str, str]:
    """Return a replacement for each character below U+3000 that the vocabulary lacks, where there is one."""
    lacking = vocabulary.unknown("".join(map(chr, range(9, 0x3000))))
    nearest = {char: unknown.resolve(char, vocabulary, "nearest")[0] for char in lacking}
    return {char: near for char, near in nearest.items() if near}


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
