"""A web page as one HTML file, which needs neither a server nor a network, from the sources in ``charrnn/pages``."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List

SOURCES = Path(__file__).resolve().parent
_IMPORT = re.compile(r'^import [^;]* from "(.*)";\n', re.MULTILINE)


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

    sources = {}
    for name in re.findall(r"\{\{(\w+\.\w+)\}\}", page):
        source = source_of(name)
        sources[name] = source if name.endswith(".wasm") else change(source)

    # All names are replaced at once, so that none in a part counts.
    replacements = {**sources, **parts, "policy": _policy(sources)}
    return re.sub(r"\{\{([\w.]+)\}\}", lambda match: replacements[match.group(1)], page)


def _policy(sources: Dict[str, str]) -> str:
    """Return a Content-Security-Policy: nothing is fetched, and no script runs but these, and WebAssembly."""
    scripts = [_hash(source) for name, source in sources.items() if name.endswith(".js")]
    styles = [_hash(source) for name, source in sources.items() if name.endswith(".css")]
    return (
        f"default-src 'none'; script-src 'wasm-unsafe-eval' {' '.join(scripts)}; "
        f"style-src {' '.join(styles)}; "
        "worker-src blob:; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def source_of(name: str) -> str:
    """Return what a page has of a file: a module with all that it imports, and WebAssembly as base64."""
    [path] = SOURCES.glob(f"*/{name}")
    if name.endswith(".wasm"):
        return base64.b64encode(path.read_bytes()).decode("ascii")
    return _module(path, seen=[])


def _module(path: Path, seen: List[Path]) -> str:
    """Return a module after those that it imports and that are not yet seen, as one in which they share all names."""
    seen.append(path)
    source = path.read_text(encoding="utf-8")

    imported = ""
    for name in _IMPORT.findall(source):
        other = (path.parent / name).resolve()
        if other not in seen:
            imported += _module(other, seen)

    own = _IMPORT.sub("", source)
    return imported + re.sub("^export ", "", own, flags=re.MULTILINE)


def to_json(value: Any) -> str:
    """Return JSON without any "<", so that it cannot end the script element that contains it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def shortened(source: str) -> str:
    """Return a script or style without what it does not need: indentation, line ends after signs, and comments but for
    those in the middle of a line.
    """
    without_comments = re.sub(
        r"^\s*(?:/\*.*?\*/\s*|//[^\n]*\n)*|[ \t]+//[ ][^\n]*$",
        "",
        source,
        flags=re.MULTILINE | re.DOTALL,
    )
    return re.sub(r"(?<=[,;{(\[])\n", "", without_comments)
