"""Make the exercise notebook from the solution.

``python notebooks/generate.py`` writes ``Anna_KaRNNa.ipynb`` from ``Anna_KaRNNa_Solution.ipynb``; with
``--check`` it writes nothing and exits 1 where the two have drifted apart.

In the solution, a block that the reader is to write stands between two comments::

    # --- solution, in place of: inputs = None
    inputs = tf.placeholder(...)
    # --- end of solution

The exercise has ``# Your code here`` instead, and after it what follows "in place of:", if anything does, so
that the cell runs before it is filled in.
"""
import argparse
import json
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOLUTION = HERE / "Anna_KaRNNa_Solution.ipynb"
EXERCISE = HERE / "Anna_KaRNNa.ipynb"
START = re.compile(r"^(\s*)# --- solution(?:, in place of: (.*))?$")
END = re.compile(r"^\s*# --- end of solution$")
INVITATION = "# Your code here"


def strip_solutions(source):
    """Replace each solution block of a cell by its stub.

    Args:
        source: str, the text of a code cell.

    Returns:
        The text of the exercise's cell.

    Raises:
        ValueError: a block begins inside another, or lacks its beginning or its end.

    >>> print(strip_solutions("# --- solution, in place of: a = None\\na = 1\\n# --- end of solution\\na"))
    # Your code here
    a = None
    a
    """
    kept, inside = [], False
    for line in source.split("\n"):
        start = START.match(line)
        if bool(start) and inside or END.match(line) and not inside:
            raise ValueError(f"a solution block is not between its two comments, at: {line.strip()}")
        if start:
            indent, stub = start.groups()
            kept += [indent + INVITATION] + ([indent + stub] if stub else [])
            inside = True
        elif END.match(line):
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise ValueError(f"a solution block has no end: the cell begins {source.splitlines()[0]!r}")
    return "\n".join(kept)


def exercise_cell(cell):
    """Return a cell of the solution as it stands in the exercise: no solutions, outputs or counts."""
    cell = dict(cell)
    if cell["cell_type"] == "code":
        source = strip_solutions("".join(cell["source"]))
        cell.update(source=source.splitlines(True), outputs=[], execution_count=None)
    return cell


def exercise_text(solution_text):
    """Return the exercise notebook's file, given the solution's."""
    notebook = json.loads(solution_text)
    notebook["cells"] = [exercise_cell(cell) for cell in notebook["cells"]]
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(argv=None):
    """Write the exercise notebook, or with ``--check`` only compare; return the exit status."""
    parser = argparse.ArgumentParser(description="Make the exercise notebook from the solution.")
    parser.add_argument("--check", action="store_true", help="only compare, and exit 1 where they differ")
    args = parser.parse_args(argv)
    text = exercise_text(SOLUTION.read_text(encoding="utf-8"))
    if args.check:
        if EXERCISE.is_file() and EXERCISE.read_text(encoding="utf-8") == text:
            print(EXERCISE.name, "is what", SOLUTION.name, "makes it")
            return 0
        print("{} is not what {} makes it: run python notebooks/generate.py".format(
            EXERCISE.name, SOLUTION.name), file=sys.stderr)
        return 1
    partial = EXERCISE.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(str(partial), str(EXERCISE))
    print("wrote", EXERCISE.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
