"""What mkdocs calls: links of a page that lead out of docs/ become links to the repository.

As long as the project has no address, they become plain text.
"""

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "notebooks"))

import generate

LINK_OUT = re.compile(r"\[([^\]]*)\]\(\.\./([^)]+)\)")


def on_config(config: Any, **_: Any) -> None:
    """Say where the sources of the pages are, if the project has an address: each page leads to its own."""
    if generate.address() is None:
        return
    config.repo_url = generate.address()
    config.repo_name = "GitHub"
    config.edit_uri = f"edit/{generate.BRANCH}/docs/"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the text of a page with other links."""
    address = generate.address()
    if address is None:
        return LINK_OUT.sub(r"\1", markdown)
    return LINK_OUT.sub(rf"[\1]({address}/blob/{generate.BRANCH}/\2)", markdown)
