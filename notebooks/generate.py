"""Make the three notebooks from ``source/``.

``python notebooks/generate.py`` writes the pair of the course, ``Anna_KaRNNa_Solution.ipynb`` and
``Anna_KaRNNa.ipynb``, the port, ``Anna_KaRNNa_Port.ipynb``, and, once the project has an address, a line of
``README.md`` with "Open in Colab" and "git clone", and one of ``CITATION.cff``. The solution and the port keep the
outputs of the cells that did not change; answers to questions are those of ``assets/answers.md``. ``--check`` writes
nothing and exits 1 where a file differs from what it would write, or where a cell calls a check that does not exist.
``--run`` executes the solution and stores its outputs, ``--cells`` those of some cells alone, ``--port`` those of the
port. ``--pictures`` makes the .png files in ``assets/`` from the .svg files there, with Chromium.

The files of ``source/`` are Markdown, read in the order of their names. A line ``<!-- cell: NAME TAG ... -->`` begins a
Markdown cell. A fence ```` ```python NAME TAG ... ```` begins a code cell. A cell with the tag ``port`` is in the port,
too, one with ``port-only`` in it alone. Lines between ``<!-- course -->`` and ``<!-- all -->`` of a Markdown cell are
left out there, and so are the checks in code cells. In a code cell, this is what the reader is to write::

    # --- exercise: inputs = None
    # --- solution
    inputs = tf.placeholder(...)
    # --- end

The solution shows the lines between the last two comments. The exercise shows ``# Your code here`` and the lines
after "exercise:", with which the cell runs before it is filled in. Lines between ``# --- course`` and ``# --- end`` are
not in the port; those after ``# --- port`` are in it alone. ``{{repository}}`` stands for the project's address, if
it has one, ``{{badge}}`` for a link that opens the notebook in Google Colab. A picture ``![words](assets/NAME.png)`` is
put into the notebook itself, as data, because hosted services show no other file.
"""

import argparse
import ast
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from folded import folded

HERE = Path(__file__).resolve().parent

# The project's address on GitHub. A fork sets it here, and then runs this program. Without a name for OWNER there is no
# address yet: no badge, no line with git clone, and no link of the website that leads out of docs/.
REPOSITORY = "https://github.com/OWNER/charrnn"
BRANCH = "main"

SOURCE = HERE / "source"
ASSETS = HERE / "assets"
SOLUTION = HERE / "Anna_KaRNNa_Solution.ipynb"
EXERCISE = HERE / "Anna_KaRNNa.ipynb"
PORT = HERE / "Anna_KaRNNa_Port.ipynb"
README = HERE.parent / "README.md"
CITATION = HERE.parent / "CITATION.cff"
CHECKS = HERE / "checks" / "__init__.py"
INVITATION = "# Your code here"
ADDRESS = "<!-- address -->"
CITED_ADDRESS = "# address"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "version": "3.7"},
}
# Writes the losses of a run, each the mean of 20 steps, for readers to compare theirs with.
REFERENCE = """
_edges = range(0, len(training_losses) - 19, 20)
_means = [(edge + 10, np.mean(training_losses[edge : edge + 20])) for edge in _edges]
np.savetxt("assets/reference.csv", _means, ["%d", "%.4f"], ",", header="step,loss", comments="")
"""
_MARKDOWN = re.compile(r"^<!-- cell: ([\w-]+)(.*) -->$")
_CODE = re.compile(r"^```python ([\w-]+)(.*)$")
_STUB = re.compile(r"^(\s*)# --- exercise: (.*)$")
_SOLUTION = re.compile(r"^(\s*)# --- solution$")
_END = re.compile(r"^\s*# --- end$")
_KIND = re.compile(r"^\s*# --- (course|port)$")
_COURSE_BEGINS = "<!-- course -->"
_COURSE_ENDS = "<!-- all -->"
# a condition that waits for a check, whose lines the port has without it
_WAITING = re.compile(r"^if (?:again and )?checks\.ready\(.*\):$")
_CHECKED = re.compile(r"\n+^checks\.check_.*\Z", re.DOTALL | re.MULTILINE)
_ADDRESS_LINE = re.compile(rf".*{ADDRESS}")
_CITED_ADDRESS_LINE = re.compile(rf".*{CITED_ADDRESS}$", re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\]]*)\]\(assets/([\w-]+)\.png\)")
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_CHECK = re.compile(r"\bchecks\.(\w+)")
# a check that ends a cell; without a semicolon, which ruff format takes away, Jupyter would show what it returns
_LAST_CHECK = re.compile(r"(?m)^(checks\.check_[^;]*\))\Z")
_ASKED = re.compile(r'given\.unfold\("([\w-]+)", prediction\)')


def read_cells(source: str) -> List[Dict[str, Any]]:
    """Read the cells of a source file.

    Returns:
        For each cell its id, kind ("markdown" or "code"), tags and text.

    Raises:
        ValueError: a code cell has no end, or there is text outside of the cells.

    >>> [cell["id"] for cell in read_cells("<!-- cell: a -->\\nText.\\n\\n```python b tag\\nx = 1\\n```\\n")]
    ['a', 'b']
    """
    cells: List[Dict[str, Any]] = []
    is_open = False  # the last cell, which takes lines
    for line in source.split("\n"):
        is_code = is_open and cells[-1]["kind"] == "code"
        markdown = _MARKDOWN.match(line)
        code = _CODE.match(line)
        if is_code and line == "```":
            is_open = False
        elif markdown and not is_code:
            tags = markdown.group(2).split()
            cells.append({"id": markdown.group(1), "kind": "markdown", "tags": tags, "lines": []})
            is_open = True
        elif code and not is_code:
            tags = code.group(2).split()
            cells.append({"id": code.group(1), "kind": "code", "tags": tags, "lines": []})
            is_open = True
        elif is_open:
            cells[-1]["lines"].append(line)
        elif line.strip():
            raise ValueError(f"this line is in no cell: {line!r}")

    if is_open and cells[-1]["kind"] == "code":
        raise ValueError(f"the code cell {cells[-1]['id']!r} has no end")
    for cell in cells:
        text = "\n".join(cell.pop("lines")).strip("\n")
        cell["text"] = _LAST_CHECK.sub(r"\1;", text)
    return cells


def solved(text: str) -> str:
    """Return the text of a code cell as the solution shows it.

    >>> print(solved("# --- exercise: a = None\\n# --- solution\\na = 1\\n# --- end\\nb = a"))
    a = 1
    b = a
    """
    return _of_kinds(text, "common", "solution", "course")


def blank(text: str) -> str:
    """Return the text of a code cell as the exercise shows it.

    >>> print(blank("# --- exercise: a = None\\n# --- solution\\na = 1\\n# --- end\\nb = a"))
    # Your code here
    a = None
    b = a
    """
    return _of_kinds(text, "common", "exercise", "course")


def ported(text: str) -> str:
    """Return the text of a code cell as the port shows it: solved, without checks.

    >>> print(ported('if checks.ready("f"):\\n    a = 1\\n    f(a)\\nb = 2\\n\\n\\nchecks.check_f(f)'))
    a = 1
    f(a)
    b = 2
    """
    lines = []
    is_inside = False  # of a condition that waits for a check
    for line in _CHECKED.sub("", _of_kinds(text, "common", "solution", "port")).split("\n"):
        if _WAITING.match(line):
            is_inside = True
            continue
        if line and not line.startswith(" "):
            is_inside = False
        lines.append(line.replace("    ", "", 1) if is_inside else line)
    return "\n".join(lines)


def _of_kinds(text: str, *kinds: str) -> str:
    return "\n".join(line for kind, line in _lines(text) if kind in kinds).strip("\n")


def _lines(text: str) -> Iterator[Tuple[str, str]]:
    """Yield each line of a code cell with its kind: common to all notebooks, exercise, solution, course or port."""
    kind = "common"
    is_invited = False  # by this part of the cell
    for line in text.split("\n"):
        stub = _STUB.match(line)
        begin = stub or _SOLUTION.match(line)
        end = _END.match(line)
        of_kind = _KIND.match(line)
        if (begin and kind == "solution") or (end and kind == "common"):
            raise ValueError(f"a solution is not between its comments, at: {line.strip()}")
        if begin and not is_invited:
            is_invited = True
            # a question invites in its own words
            if "prediction = ..." not in line:
                yield "exercise", begin.group(1) + INVITATION

        if stub:
            yield "exercise", stub.group(1) + stub.group(2)
        elif begin:
            kind = "solution"
        elif of_kind:
            kind = of_kind.group(1)
        elif end:
            kind = "common"
            is_invited = False
        else:
            yield kind, line

    if kind != "common":
        raise ValueError(f"a {kind} has no end: the cell begins {text.splitlines()[0]!r}")


def address() -> Optional[str]:
    """Return the project's address, or None if it has none yet."""
    return None if "/OWNER/" in REPOSITORY else REPOSITORY


def badge(notebook_name: str) -> str:
    """Return the Markdown of a badge that opens a notebook of the repository in Google Colab, if it has an address."""
    if address() is None:
        return ""
    colab = "https://colab.research.google.com"
    opened = f"{REPOSITORY.replace('https://github.com', colab + '/github')}/blob/{BRANCH}/notebooks/{notebook_name}"
    return f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({opened})"


def address_line() -> str:
    """Return the line of the README that says where the project is, which is a comment while it has no address."""
    shown = badge(EXERCISE.name)
    if not shown:
        return ADDRESS
    # the comment stands last: Markdown takes a line that begins with one as HTML
    return f"{shown} `git clone {REPOSITORY}` {ADDRESS}"


def cited_address_line() -> str:
    """Return the line of the citation that says where the project is, which is a comment while it has no address."""
    if address() is None:
        return CITED_ADDRESS
    return f'repository-code: "{REPOSITORY}"  {CITED_ADDRESS}'


def all_cells(notebook_name: str = SOLUTION.name) -> List[Dict[str, Any]]:
    """Read the cells of all source files that one of the notebooks has.

    Raises:
        ValueError: two cells have the same name.
    """
    cells: List[Dict[str, Any]] = []
    for path in sorted(SOURCE.glob("*.md")):
        cells += read_cells(path.read_text(encoding="utf-8"))
    shown = badge(notebook_name)
    is_port = notebook_name == PORT.name
    cells = [cell for cell in cells if _is_in(cell["tags"], is_port)]

    for cell in cells:
        text = cell["text"].replace("{{repository}}", address() or "")
        text = text.replace("{{badge}}\n\n", f"{shown}\n\n" if shown else "")
        if cell["kind"] == "markdown":
            text = _with_pictures(_of_the_port(text) if is_port else _of_the_course(text))
        cell["text"] = text

    for name, count in Counter(cell["id"] for cell in cells).items():
        if count > 1:
            raise ValueError(f"two cells have the name {name!r}")
    return cells


def _is_in(tags: List[str], is_port: bool) -> bool:
    """Tell whether a cell with these tags is in the port, or in the pair of the course."""
    if is_port:
        return "port" in tags or "port-only" in tags
    return "port-only" not in tags


def _of_the_course(text: str) -> str:
    """Return the text of a Markdown cell without the marks around what the course alone has."""
    return re.sub(rf"{_COURSE_BEGINS}\n|{_COURSE_ENDS}(?:\n|$)", "", text)


def _of_the_port(text: str) -> str:
    """Return the text of a Markdown cell without what the course alone has."""
    ported_text = re.sub(
        rf"{_COURSE_BEGINS}\n.*?(?:{_COURSE_ENDS}(?:\n|$)|\Z)", "", text, flags=re.DOTALL
    )
    # a heading begins with a capital letter
    headed = re.sub(
        r"^### Exercise: (.)",
        lambda match: f"### {match.group(1).upper()}",
        ported_text,
        flags=re.M,
    )
    return headed.strip("\n")


def _with_pictures(text: str) -> str:
    """Put the data of each picture at the end of a cell's text."""
    names = [name for _, name in _PICTURE.findall(text)]
    text = _PICTURE.sub(r"![\1][\2]", text)
    for name in dict.fromkeys(names):
        picture = (ASSETS / f"{name}.png").read_bytes()
        text += f"\n\n[{name}]: data:image/png;base64,{base64.b64encode(picture).decode()}"
    return text


def unknown_checks() -> List[str]:
    """Return what cells call of ``checks`` and is not there, with the cell's name."""
    known = set()
    for statement in ast.parse(CHECKS.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.ImportFrom):
            known.update(alias.asname or alias.name for alias in statement.names)
        elif isinstance(statement, ast.Assign):
            known.update(target.id for target in statement.targets)
        elif isinstance(statement, ast.FunctionDef):
            known.add(statement.name)

    unknown = []
    for cell in all_cells():
        for name in _CHECK.findall(cell["text"]):
            if name not in known:
                unknown.append(f"{name} (in the cell {cell['id']})")
    return unknown


def pictures() -> None:
    """Make a .png file of each .svg file in ``assets/``, twice as large and with few colours, so that it is small.

    Raises:
        ValueError: there is no Chromium.
    """
    from PIL import Image

    names = ("chromium", "chromium-browser", "google-chrome")
    browsers = [path for path in map(shutil.which, names) if path]
    if not browsers:
        raise ValueError("the pictures are made with Chromium, and it is not installed")

    for path in sorted(ASSETS.glob("*.svg")):
        size = _SIZE.search(path.read_text(encoding="utf-8"))
        width = round(float(size.group(1)))
        height = round(float(size.group(2)))
        target = path.with_suffix(".png")
        command = [
            browsers[0],
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            "--force-device-scale-factor=2",
            f"--screenshot={target}",
            f"--window-size={width},{height}",
            path.as_uri(),
        ]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        picture = Image.open(str(target)).convert("RGB").quantize(64)
        picture.save(str(target), optimize=True)
        print("wrote", target.name)


def notebook(
    cells: List[Dict[str, Any]], code: Any, outputs: Optional[Dict[str, Any]] = None
) -> Dict[str, Any]:
    """Make a notebook.

    Args:
        cells: as from :func:`read_cells`.
        code: turns the text of a code cell into what the notebook shows.
        outputs: the code cells of an executed notebook by id; their outputs are kept where the text is the same.
    """
    before = outputs or {}
    made = []
    for cell in cells:
        text = code(cell["text"]) if cell["kind"] == "code" else cell["text"]
        entry: Dict[str, Any] = {
            "cell_type": cell["kind"],
            "id": cell["id"],
            "source": text.splitlines(True),
            "metadata": {"tags": cell["tags"]} if cell["tags"] else {},
        }
        if cell["kind"] == "code":
            entry.update(_kept_outputs(text, before.get(cell["id"], {})))
        made.append(entry)
    return {"cells": made, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def _kept_outputs(text: str, before: Dict[str, Any]) -> Dict[str, Any]:
    """Return the outputs of a cell, as it was executed before, if its text is the same."""
    if "".join(before.get("source", [])) != text:
        return {"outputs": [], "execution_count": None}
    outputs = before["outputs"]
    asked = _ASKED.search(text)
    if asked and outputs:  # the answer as it is now
        answer = folded(asked.group(1))
        outputs[0]["data"] = {kind: said.splitlines(True) for kind, said in answer.items()}
    return {"outputs": outputs, "execution_count": before["execution_count"]}


def as_text(made: Dict[str, Any]) -> str:
    """Return a notebook as the text of its file."""
    return json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def files() -> Dict[Path, str]:
    """Return the text of every file that is generated."""
    outputs = _code_cells(SOLUTION)
    of_port = _code_cells(PORT)
    readme = README.read_text(encoding="utf-8")
    citation = CITATION.read_text(encoding="utf-8")
    return {
        SOLUTION: as_text(notebook(all_cells(), solved, outputs)),
        EXERCISE: as_text(notebook(all_cells(EXERCISE.name), blank)),
        PORT: as_text(notebook(all_cells(PORT.name), ported, of_port)),
        README: _ADDRESS_LINE.sub(lambda _: address_line(), readme),
        CITATION: _CITED_ADDRESS_LINE.sub(lambda _: cited_address_line(), citation),
    }


def _code_cells(path: Path) -> Dict[str, Any]:
    """Return the code cells of a notebook by id, none if it is not there yet."""
    if not path.is_file():
        return {}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}


def write(path: Path, text: str) -> None:
    """Write a file by way of another name, so that there is never half of it."""
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(str(partial), str(path))
    print("wrote", path.name)


def run(setting: str, names: Sequence[str] = ()) -> None:
    """Execute the solution and store its outputs.

    Args:
        setting: what to put in place of the value of ``setting``; "own" is what is published.
        names: where there are any, only the outputs of these cells are stored. Nothing is trained or measured for
            them: they take the newest run and the stored figures.
    """
    import nbformat

    executed = nbformat.read(str(SOLUTION), as_version=4)
    ids = [cell.id for cell in executed.cells]
    settings = executed.cells[ids.index("settings")]
    if setting != "own":
        settings.source += f"\nsetting = {setting!r}"
    if names:
        settings.source += "\nagain = False"
        last = max(ids.index(name) for name in names)
        executed.cells = executed.cells[: last + 1]
    elif setting == "own":
        # right after the training, so that the picture of the losses has the run as its reference
        executed.cells.insert(ids.index("train") + 1, nbformat.v4.new_code_cell(REFERENCE))
        executed.cells.append(nbformat.v4.new_code_cell("given.store_measured()"))
    outputs = _executed(executed)
    if names:
        of_names = {name: outputs[name] for name in names}
        outputs = {**_code_cells(SOLUTION), **of_names}
    elif setting != "own":
        print("not stored: only the outputs of the setting 'own' are")
        return
    _store(SOLUTION, solved, outputs)


def run_port() -> None:
    """Execute the port and store its outputs."""
    import nbformat

    outputs = _executed(nbformat.read(str(PORT), as_version=4))
    _store(PORT, ported, outputs)


def _executed(notebook_read: Any) -> Dict[str, Any]:
    """Execute a notebook, printing how far it is, and return its code cells by id."""
    import nbclient
    import nbformat

    start = time.time()

    def show(cell: Any, cell_index: int, **_: Any) -> None:
        seconds = time.time() - start
        place = f"cell {cell_index + 1} of {len(notebook_read.cells)}"
        print(f"{seconds:4.0f} s  {place}: {cell['id']}", flush=True)

    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # this environment's kernel
    client = nbclient.NotebookClient(
        notebook_read,
        timeout=None,
        kernel_name="python3",
        record_timing=False,
        on_cell_executed=show,
        resources={"metadata": {"path": str(HERE)}},
    )
    client.execute()
    cells = json.loads(nbformat.writes(notebook_read))["cells"]
    return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}


def _store(path: Path, code: Any, outputs: Dict[str, Any]) -> None:
    """Write a notebook with the outputs of its code cells, which are counted without those that write figures."""
    cells = all_cells(path.name)
    names = [cell["id"] for cell in cells if cell["kind"] == "code"]
    numbered = {}
    for number, name in enumerate(names, start=1):
        numbered[name] = {**outputs[name], "execution_count": number}
    write(path, as_text(notebook(cells, code, numbered)))


def main(argv: Optional[List[str]] = None) -> int:
    """Write the generated files, or with ``--check`` compare them; return the exit status."""
    parser = argparse.ArgumentParser(description="Make the notebooks and their pictures.")
    parser.add_argument(
        "--check", action="store_true", help="only compare, and exit 1 where a file differs"
    )
    parser.add_argument(
        "--run",
        nargs="?",
        const="own",
        choices=["own", "small", "recipe"],
        metavar="SETTING",
        help="execute the solution afterwards and store its outputs (those of the setting own; "
        "with small or recipe it only runs)",
    )
    parser.add_argument(
        "--cells",
        nargs="+",
        default=[],
        metavar="NAME",
        help="execute the solution up to these cells, without any training, and store their outputs",
    )
    parser.add_argument(
        "--port", action="store_true", help="execute the port afterwards and store its outputs"
    )
    parser.add_argument(
        "--pictures", action="store_true", help="first make the .png pictures again"
    )
    args = parser.parse_args(argv)
    if args.pictures:
        pictures()
    unknown = unknown_checks()
    if unknown:
        print(f"there is no checks.{', no checks.'.join(unknown)}", file=sys.stderr)
        return 1

    different = {}
    for path, text in files().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            different[path] = text
    if args.check:
        for path in different:
            print(
                f"{path.name} is not as generated: run python notebooks/generate.py",
                file=sys.stderr,
            )
        return 1 if different else 0

    for path, text in different.items():
        write(path, text)
    if args.run or args.cells:
        run(args.run or "own", args.cells)
    if args.port:
        run_port()
    return 0


if __name__ == "__main__":
    sys.exit(main())
