"""What mkdocs calls: links of a page that lead out of docs/ become links to the repository.

As long as the project has no address, they become plain text. With one, the pages of networks have a picture that
is shown where a link to them is.
"""

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "notebooks"))

import generate

PICTURES = {
    "anna.html": "images/anna-page.png",
    "learn.html": "images/learn-page.png",
    "yours.html": "images/yours-page.png",
}
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


def on_post_build(config: Any, **_: Any) -> None:
    """Name the pictures of the pages in their copies on the website: it takes an address that others can read."""
    address = generate.address()
    if address is None:
        return
    for page, picture in PICTURES.items():
        path = Path(config.site_dir, page)
        content = path.read_text(encoding="utf-8")
        named = (
            f'<meta property="og:image" content="{address}/raw/{generate.BRANCH}/docs/{picture}">'
        )
        path.write_text(content.replace("<title>", f"{named}\n<title>", 1), encoding="utf-8")
