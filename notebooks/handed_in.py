"""What students handed in: notebooks, with the answers and predictions in them, and files of progress."""

import ast
import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import generate

# bytes of a file that a student hands in
LARGEST = 50 << 20
# what the grader writes into the folder
OURS = (
    "grades.csv",
    "grades-by-student.csv",
    "grades.html",
    "grades.json",
    "predictions.html",
    "feedback",
    "feedback.zip",
    "results.json",
)
# of the files that are no notebooks
MOST_NAMED = 20
# since 1970
MOST_SECONDS = 10**11
# the mark of a conflict in a file that git has merged
CONFLICT = "<<<<<<<"
_PREDICTION = re.compile(
    r'^prediction = (.*?)(?: *# your answer.*?)?\n+given\.unfold\("([\w-]+)", prediction\)',
    re.DOTALL | re.MULTILINE,
)


class Notebook(NamedTuple):
    """A notebook that was handed in.

    Attributes:
        path: its file.
        student: its path below the folder, without the ending.
        digest: the SHA-256 of its file.
        cells: the text of its code cells.
        by_id: the text of those cells that have an id, by id.
    """

    path: Path
    student: str
    digest: str
    cells: List[str]
    by_id: Dict[str, str]

    def predictions(self) -> Dict[str, str]:
        """Return the predictions by the name of their question, without those that are still dots."""
        predictions = {}
        for cell in self.cells:
            match = _PREDICTION.search(cell)
            if match and not match.group(1).startswith("..."):
                predictions[match.group(2)] = _value(match.group(1))
        return predictions

    def tasks(self) -> Dict[str, str]:
        """Return what was written for the open tasks, by cell."""
        tasks = {}
        for cell in generate.all_cells():
            written = self.by_id.get(cell["id"], "")
            if "task" in cell["tags"] and written not in ("", generate.blank(cell["text"])):
                tasks[cell["id"]] = written
        return tasks


def _value(written: str) -> str:
    """Return the value of what a student wrote as a prediction, or how it is written."""
    with contextlib.suppress(Exception):
        return str(ast.literal_eval(written))
    return written


def find_notebooks(folder: Path) -> List[Path]:
    """Return the notebooks in a folder, at any depth, without those that are hidden or in a hidden folder."""
    paths = []
    for path in sorted(folder.rglob("*.ipynb")):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            paths.append(path)
    return paths


def student_of(path: Path, folder: Path) -> str:
    """Return what names a student: the path of the notebook below the folder."""
    return path.relative_to(folder).with_suffix("").as_posix()


def read_notebook(path: Path, folder: Path) -> Notebook:
    """Read a notebook.

    Raises:
        ValueError: it is none, with what to do about it.
    """
    content = _content(path)
    try:
        text = content.decode("utf-8")
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError) as error:
        if CONFLICT.encode() in content:
            raise ValueError(
                f"{path.name} has marks of a conflict, such as {CONFLICT}, where git could not merge two versions: one "
                "of the two should be handed in, whole"
            )
        raise ValueError(
            f"{path.name} is not a whole notebook ({_in_words(error)}): it should be saved in Jupyter, and handed in "
            "again"
        )
    return Notebook(
        path,
        student_of(path, folder),
        digest=hashlib.sha256(content).hexdigest(),
        cells=sources,
        by_id={cell.get("id", ""): source for cell, source in zip(cells, sources)},
    )


def _in_words(error: Exception) -> str:
    """Say what is wrong with a file that is no notebook."""
    if isinstance(error, json.JSONDecodeError):
        return f"it ends early, or is another kind of file, at line {error.lineno}"
    if isinstance(error, UnicodeDecodeError):
        return "it is another kind of file, and no text"
    return "it has no list of cells"


def other_files(folder: Path, *known: Any) -> List[str]:
    """Say which files were handed in that are no notebooks."""
    others = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_hidden = any(part.startswith(".") for part in parts)
        is_ours = parts[0] in OURS or path.name.endswith(("progress.json", "course.json"))
        is_known = path in [Path(one).resolve() for one in known if one]
        if path.is_file() and path.suffix != ".ipynb" and not (is_hidden or is_ours or is_known):
            others.append("/".join(parts))
    if not others:
        return []
    rest = f", and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    return [f"No notebooks, and so not graded: {', '.join(others[:MOST_NAMED])}{rest}."]


def read_json(path: Path) -> Any:
    """Read a file of JSON that somebody else made.

    Raises:
        ValueError: it is no regular file, or too large, or not JSON.
    """
    return json.loads(_content(path).decode("utf-8"))


def _content(path: Path) -> bytes:
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} is not a regular file of at most {LARGEST >> 20} MB")
    return path.read_bytes()


def counts(notebook: Notebook, what: str, most: int = 10**6) -> Dict[str, int]:
    """Return by exercise a number that the file of progress of a notebook has; none if a student spoilt it."""
    with contextlib.suppress(Exception):
        progress = read_json(_progress_of(notebook.path))
        numbers = {name: entry[what] for name, entry in progress.items() if what in entry}
        return {exercise: number for exercise, number in numbers.items() if number in range(most)}
    return {}


def minutes(notebook: Notebook) -> Dict[str, int]:
    """Return how many minutes passed by exercise from its first attempt to the last one that was needed."""
    first = counts(notebook, "first", MOST_SECONDS)
    last = counts(notebook, "last", MOST_SECONDS)
    return {
        name: (last[name] - first[name]) // 60 for name in first if last.get(name, 0) >= first[name]
    }


def _progress_of(path: Path) -> Path:
    """Return the file of progress of a notebook: of its name, or that of a folder with no other notebook."""
    own = path.with_suffix(".progress.json")
    names = [other.name for other in path.parent.glob("*.ipynb")]
    given = (generate.SOLUTION.stem, generate.PORT.stem)
    students = [name for name in names if not name.startswith(given)]
    if len(students) == 1 and not own.is_file():
        return path.with_name("progress.json")
    return own
