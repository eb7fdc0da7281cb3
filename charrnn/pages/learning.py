"""docs/learn.html, the page on which a network learns: python -m charrnn.pages.learning FILE.html

Its sources are in ``charrnn/pages/learn``, with three texts to learn; those that it shares with the page of a model
are in ``charrnn/pages/shared``.
"""

import sys
from pathlib import Path

from charrnn.pages.assembly import SOURCES, assemble, shortened
from charrnn.system import files
from charrnn.version import __version__

TEXTS = {
    "a rhyme with a rule": "rhyme.txt",
    "names": "../../text/names.txt",
    "a program": "program.txt",
}


def learning_page() -> str:
    """Return the page."""
    elements = ""
    for name, file in TEXTS.items():
        text = (SOURCES / "learn" / file).read_text("utf-8")
        elements += f'<script type="text/plain" title="{name}">{text}</script>\n'
    return assemble("learn.html", {"version": __version__, "texts": elements}, shortened)


if __name__ == "__main__":
    files.write_atomically(Path(sys.argv[1]), learning_page().encode("utf-8"))
