"""The rules for imports and function bodies that keep the package easy to read."""
import ast

import pytest
from conftest import ROOT

# The floors, from the top. A room imports only from itself and from the floors below its own.
FLOORS = [{"train", "sample", "__main__", ""}, {"commands"}, {"training", "inspection"}, {"engines"},
          {"checkpoints", "model", "text"}, {"fused", "data"}, {"system", "version"}]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
BODY_LINES = 40
MODULES = {  # path by dotted name without "charrnn."; the name of the package itself is ""
    ".".join(path.relative_to(ROOT / "charrnn").with_suffix("").parts).replace("__init__", "").rstrip("."): path
    for path in sorted((ROOT / "charrnn").glob("**/*.py"))}


def tree_of(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports_of(module):
    """Return the dotted names that a module imports, each as long as it can be a module's name."""
    found = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import in line {node.lineno}"
            longer = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(name if name.replace("charrnn.", "", 1) in MODULES else node.module for name in longer)
    return found


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_imports_go_to_lower_floors(module):
    """Also not to the package itself, or from one command to another."""
    room = module.split(".")[0]
    for name in imports_of(module):
        if name.split(".")[0] == "charrnn":
            other = name.replace("charrnn", "", 1).lstrip(".")
            same = other.split(".")[0] == room and room != "commands"
            assert same or FLOOR_OF[other.split(".")[0]] > FLOOR_OF[room], other
    assert module == "system.tensorflow" or not any(name.split(".")[0] == "tensorflow" for name in imports_of(module))


def test_function_bodies_are_short():
    """Without their docstrings."""
    lengths = {}
    for module in MODULES:
        for function in ast.walk(tree_of(module)):
            if isinstance(function, ast.FunctionDef):
                body = function.body[1:] if ast.get_docstring(function) else function.body
                last = max(getattr(node, "lineno", 0) for node in ast.walk(function))
                lengths[f"{module}.{function.name}"] = last - body[0].lineno + 1 if body else 0
    assert {name: length for name, length in lengths.items() if length > BODY_LINES} == {}
