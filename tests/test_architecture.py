"""The rules for imports and functions that keep the package easy to read."""

import ast

import pytest
from conftest import ROOT

# The floors, from the top. A room imports only from itself and from the floors below its own.
FLOORS = [
    {"__main__", ""},
    {"commands"},
    {"train", "sample"},
    {"training", "inspection"},
    {"engines"},
    {"checkpoints"},
    {"text"},
    {"model", "fused", "data", "hyperparameters"},
    {"system", "version"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = {  # path by dotted name without "charrnn."; the name of the package itself is ""
    ".".join(path.relative_to(ROOT / "charrnn").with_suffix("").parts)
    .replace("__init__", "")
    .rstrip("."): path
    for path in sorted((ROOT / "charrnn").glob("**/*.py"))
}
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}


def imports_of(module):
    """Return the dotted names that a module imports, each as long as it can be a module's name."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import in line {node.lineno}"
            longer = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(
                name if name.replace("charrnn.", "", 1) in MODULES else node.module
                for name in longer
            )
    return found


def ours(module):
    """Return the modules of the package that a module imports, without "charrnn."."""
    return {
        name.replace("charrnn", "", 1).lstrip(".")
        for name in imports_of(module)
        if name.split(".")[0] == "charrnn"
    }


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_imports_go_to_lower_floors(module):
    """Also not to the package itself. Commands, of which the entry imports each by its name, share what is below."""
    room = module.split(".")[0]
    for other in ours(module):
        assert other.split(".")[0] == room or FLOOR_OF[other.split(".")[0]] > FLOOR_OF[room], other
    assert module == "system.tensorflow" or not any(
        name.split(".")[0] == "tensorflow" for name in imports_of(module)
    )


def test_no_imports_go_in_a_circle():
    left = {module: ours(module) - {module} for module in MODULES}
    while True:
        free = {module for module, needed in left.items() if not needed & set(left)}
        if not free:
            break
        left = {module: needed for module, needed in left.items() if module not in free}
    assert left == {}


def test_the_model_is_the_notebooks_and_the_graph_of_a_run_stands_above_it():
    assert ours("model") == {"system.tensorflow"} and imports_of("model") == {
        "charrnn.system.tensorflow"
    }
    assert {"model", "fused.unroll"} <= ours("training.graph")
