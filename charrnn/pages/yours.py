"""A page of a language, which learns a text of its reader's: ``charrnn-export english my-page.html --learn``.

Its sources are in ``charrnn/pages/yours``, with three texts to try; those that it shares with the other pages are in
``charrnn/pages/shared``.
"""

import html
from pathlib import Path
from typing import Any, Dict, List, Optional

from charrnn.checkpoints.find import KNOWN_MODELS
from charrnn.checkpoints.record import RunRecord, as_json
from charrnn.checkpoints.text_of_run import training_text
from charrnn.data import StrPath, Vocabulary
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import Hyperparameters
from charrnn.pages.assembly import SOURCES, assemble, shortened, to_json
from charrnn.pages.page_texts import language_and_text, title_of, written_text
from charrnn.pages.stored import network_data, store, target_of_page
from charrnn.system import files
from charrnn.text import pieces
from charrnn.version import __version__

# characters of a text that the page learns, at least and at most
LEAST = 2_000
MOST = 60_000
# Characters that the network writes where the text that it learned is not at hand. Their words are those of the
# language.
WRITTEN = 100_000
# Characters of that text whose words are counted, at most.
COUNTED = 2_000_000
# The texts to try, which are in English.
EXAMPLES = {"a diary": "diary.txt", "recipes": "recipes.txt", "a chat": "chat.txt"}
ENGLISH = "English"
# The pages to which it has a link if they are in the same folder, and how the link describes them.
OTHERS = {
    "anna.html": "what is inside a network that read <cite>Anna Karenina</cite>",
    "learn.html": "a small network that learns from nothing",
}


def export_learning_page(
    model: Model,
    path: StrPath,
    *,
    rule: Dict[str, Any],
    writing: Dict[str, Any],
    title: Optional[str] = None,
) -> int:
    """Write a page on which a model goes on to learn a text, and return its size in bytes.

    Args:
        model: a model of LSTM cells, whose weights the page has in int8.
        path: the file to create or replace, whose name ends in ``.html``.
        rule: what it is trained with, by the length of the text, from LEAST to MOST characters: what
            :func:`charrnn.training.presets.table_from_model` returns.
        writing: what a text is written with, by the names of :class:`charrnn.checkpoints.writing.Writing`.
        title: what the page calls the text that the model has learned; None for what is known of it.

    Raises:
        ValueError: the name does not end in ``.html``, or the network has cells other than ``lstm``.
        OSError: the file cannot be written.
    """
    target = target_of_page(model, path)
    text_name = title or _name_of_text(model)
    language, read = language_and_text(text_name)
    page_data = {
        "name": model.name,
        "language": language,
        "read": read,
        "chars": list(model.vocabulary.chars),
        "least": LEAST,
        "most": MOST,
        "rule": rule,
        "writing": writing,
        "about": _about(model, rule, writing),
        "languages": {
            known.name: {"language": known.language, "trigrams": known.trigrams}
            for known in KNOWN_MODELS.values()
            if known.trigrams
        },
    }
    network = network_data(model, store(model, "int8"))
    content = _page(page_data, network, _words(model), Path(target).parent)
    encoded = content.encode("utf-8", "replace")
    files.write_atomically(target, encoded)
    return len(encoded)


def _page(
    page_data: Dict[str, Any], network: Dict[str, Any], words: List[str], folder: Path
) -> str:
    """Return the page. It has links to the other pages that are in its folder."""
    language = page_data["language"]
    examples = ""
    if language == ENGLISH:
        for name, file in EXAMPLES.items():
            text = (SOURCES / "yours" / file).read_text("utf-8")
            examples += f'<script type="text/plain" title="{name}">{text}</script>\n'
    beside = [
        f'<a href="{file}">{what}</a>' for file, what in OTHERS.items() if (folder / file).exists()
    ]
    knows = f"has read {html.escape(page_data['read'])}"
    if language:
        knows = f"knows {html.escape(language)} from {html.escape(page_data['read'])}"
    return assemble(
        "yours.html",
        {
            "knows": knows,
            "language": html.escape(language or "its language"),
            "examples": examples,
            "beside": f'<p class="small">See also {" and ".join(beside)}.</p>' if beside else "",
            "version": __version__,
            "data": to_json(page_data),
            "weights": to_json(network),
            "words": to_json(words),
        },
        shortened,
    )


def _name_of_text(model: Model) -> str:
    if model.run:
        return title_of(model.run.text_name)
    return title_of(model.name)


def _words(model: Model) -> List[str]:
    """Return the frequent words of the language of a model.

    Where it has none with it, they are the words of the text that it has learned, or if that is not at hand, of one
    that it writes.
    """
    of_language = model.listed_words()
    if of_language is not None:
        return of_language
    try:
        learned, _, _, _ = training_text(model.run)
    except (ValueError, OSError):
        learned = written_text(model.engine(), model, WRITTEN)
    return sorted(set(pieces.words(learned[:COUNTED])))


def _about(model: Model, rule: Dict[str, Any], writing: Dict[str, Any]) -> Dict[str, Any]:
    """Return what a file of the page says of itself, see charrnn.checkpoints.weights, but for what the text decides."""
    hyper = Hyperparameters(
        **rule["always"], lstm_size=model.lstm_size, num_layers=model.num_layers, seed=0
    )
    record = RunRecord(
        hyperparameters=hyper,
        vocabulary=Vocabulary("ab"),
        text_name="a text in a page",
        text_sha256="",
        init_from=model.name,
        init_from_sha256=model.sha256,
        writing=writing,
    )
    return as_json(record)
