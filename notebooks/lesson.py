"""Pack the lesson into a zip file, for computers and services that have no copy of the project.

``python notebooks/lesson.py lesson.zip`` packs the notebooks, their checks, and the package with the model ``anna``
alone. A notebook finds the file beside it, unpacks it and goes on (see its first cell). With ``--for students``, the
file lacks what solves the exercises: the solution, the port, ``source/`` with the programs that need it, and
``docs/lstm.py``, and the last hint of each exercise. The solutions that the checks compare with can be run there, but
not read.
``docs/teaching.md`` says what is in which. A file ``course.json`` in this folder is packed, too.
"""

import argparse
import ast
import base64
import os
import re
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Dict, Iterator, List, Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

# the folder that the file unpacks to, as git clone makes it
TOP = "charrnn"
# what the project's folder has of both kinds, beside the package
COMMON = (
    "LICENSE",
    "README.md",
    "docs/images/anna-page.png",
    "pyproject.toml",
    "setup.py",
    "notebooks/Anna_KaRNNa.ipynb",
    "notebooks/assets",
    "notebooks/checks",
    "notebooks/course.json",
    "notebooks/folded.py",
    "notebooks/given.py",
)
# what solves the exercises, and the programs that read it
OF_TEACHERS = (
    "CITATION.cff",
    "docs/lstm.py",
    "notebooks/Anna_KaRNNa_Port.ipynb",
    "notebooks/Anna_KaRNNa_Solution.ipynb",
    "notebooks/generate.py",
    "notebooks/grade.py",
    "notebooks/handed_in.py",
    "notebooks/lesson.py",
    "notebooks/reports.py",
    "notebooks/source",
)
MODEL = "anna.npz"
# in place of the project's, whose commands need a Makefile
README_OF_STUDENTS = """\
# charrnn: the lesson

Open `notebooks/Anna_KaRNNa.ipynb` in Jupyter or at the service that your course uses. Its first cell installs what it
needs. `charrnn/` is the package, with the model of *Anna Karenina*: `import charrnn` from this folder.

The licence is in `LICENSE`.
"""
SOLUTIONS = ("solution", "_solution")
_LAST_HINT = re.compile(r"\n---\n(?:(?!\n---\n|\n## ).)*?(?=\n## |\Z)", re.DOTALL)


def packed_files(of_students: bool) -> Dict[str, bytes]:
    """Return the content of each file of the lesson, by its path in the project's folder."""
    names = ["charrnn", *COMMON]
    if not of_students:
        names += OF_TEACHERS
    content = {}
    for name in names:
        for path in _files_at(ROOT / name):
            content[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    if of_students:
        content = {path: _of_students(path, file) for path, file in content.items()}
        content["README.md"] = README_OF_STUDENTS.encode()
    return content


def _files_at(path: Path) -> Iterator[Path]:
    """Yield a file, or the files in a folder, without what Python and Jupyter leave, and without other models."""
    if path.is_file():
        is_other_model = path.suffix == ".npz" and path.name != MODEL
        if not is_other_model:
            yield path
    elif path.is_dir():
        for below in sorted(path.iterdir()):
            if below.name != "__pycache__" and not below.name.startswith("."):
                yield from _files_at(below)


def _of_students(path: str, content: bytes) -> bytes:
    """Return a file of the checks without what solves an exercise; others as they are."""
    if path == "notebooks/checks/hints.md":
        return _LAST_HINT.sub("", content.decode()).encode()
    if path.startswith("notebooks/checks/") and path.endswith(".py"):
        return without_solutions(content.decode()).encode()
    return content


def without_solutions(source: str) -> str:
    """Return the source of a check in which the code of a solution can be run, but not read."""
    lines = source.splitlines(keepends=True)
    statements = ast.parse(source).body
    begin_at = [_first_line(statement) for statement in statements]
    end_at = [*begin_at[1:], len(lines) + 1]
    # from the last to the first, so that the numbers of the lines stay
    for statement, begin, end in reversed(list(zip(statements, begin_at, end_at))):
        if isinstance(statement, ast.FunctionDef) and statement.name in SOLUTIONS:
            code = "".join(lines[begin - 1 : end - 1])
            lines[begin - 1 : end - 1] = [_hidden(statement.name, code)]
    return "".join(lines)


def _first_line(statement: ast.stmt) -> int:
    """Return the number of the line in which a statement begins, with its decorators."""
    decorators = getattr(statement, "decorator_list", [])
    return min(node.lineno for node in [statement, *decorators])


def _hidden(name: str, code: str) -> str:
    """Return a program that defines the same function."""
    characters = base64.b85encode(zlib.compress(code.encode(), 9)).decode()
    return (
        f"# {name} solves the exercise, so it is not to be read here\n"
        "import base64\n"
        "import zlib\n\n"
        f"exec(zlib.decompress(base64.b85decode({characters!r})).decode())\n\n\n"
    )


def pack(target: Path, of_students: bool) -> int:
    """Write the lesson, by way of another name, and return the number of its files."""
    content = packed_files(of_students)
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(str(partial), "w", zipfile.ZIP_DEFLATED) as file:
        for path, data in content.items():
            file.writestr(f"{TOP}/{path}", data)
    os.replace(str(partial), str(target))
    return len(content)


def main(argv: Optional[List[str]] = None) -> int:
    """Pack the lesson; return the exit status."""
    parser = argparse.ArgumentParser(description="Pack the lesson into a zip file.")
    parser.add_argument("target", type=Path, metavar="FILE", help="the zip file to write")
    parser.add_argument(
        "--for",
        dest="reader",
        choices=["teachers", "students"],
        default="teachers",
        help="for whom it is; students get it without what solves the exercises (default: teachers)",
    )
    args = parser.parse_args(argv)
    n_files = pack(args.target, of_students=args.reader == "students")
    size = args.target.stat().st_size / 1e6
    print(f"wrote {args.target} for {args.reader}: {n_files} files, {size:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
