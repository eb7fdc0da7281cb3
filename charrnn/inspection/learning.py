"""docs/learn.html, the page on which a network learns: python -m charrnn.inspection.learning FILE.html

Its sources are in ``charrnn/inspection/learn``, with three texts to learn; it shares others with the page of a model.
"""
import re
import sys
from pathlib import Path

from charrnn.inspection.webpage import SOURCES, assemble, to_json
from charrnn.system import files
from charrnn.version import __version__

TEXTS = {"a rhyme with a rule": "rhyme.txt", "names": "../../text/names.txt", "a program": "program.txt"}
FIELDS = (("layers", "1"), ("units", "128"), ("rate", "-2.5"), ("temperature", "0.7"))  # of a link, with first values


def learning_page() -> str:
    """Return the page."""
    texts = {name: (SOURCES.parent / "learn" / file).read_text(encoding="utf-8") for name, file in TEXTS.items()}
    parts = {"version": __version__, "data": to_json({"texts": texts, "fields": FIELDS})}
    return assemble("learn.html", parts, _shortened)


def _shortened(source: str) -> str:
    """Leave out the indentation of a script or style, and comments but for those in the middle of a line."""
    return re.sub(r"^\s*(?:/\*.*?\*/\s*|//[^\n]*\n)*|[ \t]+//[ ][^\n]*$", "", source, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    files.write_atomically(Path(sys.argv[1]), learning_page().encode("utf-8"))
