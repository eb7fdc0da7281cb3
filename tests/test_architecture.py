"""The rules for imports and rooms that keep the package easy to read."""

import ast
import collections
import re
import tokenize

import pytest
from conftest import ROOT, run_python

from charrnn.checkpoints.writing import KEYWORDS, ON_PAGE

PACKAGE = ROOT / "charrnn"
PAGES = PACKAGE / "pages"

# The floors, from the top. A room imports only from itself and from the floors below its own.
FLOORS = [
    {"__main__", ""},
    {"commands"},
    {"train", "sample"},
    {"training", "pages"},
    {"inspection"},
    {"engines"},
    {"checkpoints"},
    {"text"},
    {"model", "fused", "data", "hyperparameters", "old"},
    {"system", "version"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# From which rooms of the pages each of them may import.
PAGE_ROOMS = {
    "shared": {"shared"},
    "model": {"model", "shared"},
    "learn": {"learn", "shared"},
    "yours": {"yours", "shared"},
}
JAVASCRIPT_IMPORT = re.compile(r'^import [^;]* from "(.*)";$', re.MULTILINE)

# What the tokens of a room are not: comments, and how the lines are laid out.
LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
LARGEST_ROOM = 0.2  # of the package's tokens


def name_of(path):
    """Return the dotted name of a module without "charrnn."; the name of the package itself is ""."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.glob("**/*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
PAGE_MODULES = {path.relative_to(PAGES).as_posix(): path for path in sorted(PAGES.glob("*/*.js"))}


def test_the_page_on_design_says_to_what_each_file_of_tests_belongs():
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    names = {path.name for path in (ROOT / "tests").glob("test_*.py")}
    named = set(re.findall(r"`(test_\w+\.py)`", page))
    assert sorted(names - named) == []


def room_of(module):
    """Return the first part of a dotted name."""
    room, _, _ = module.partition(".")
    return room


def imports_of(module):
    """Return the dotted names that a module imports, each as long as it can be a module's name."""
    names = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import in line {node.lineno}"
            names.update(imported_name(node.module, alias.name) for alias in node.names)
    return names


def imported_name(module, name):
    """Return what ``from module import name`` imports: a module of ours of that name, or the module that has it."""
    longer = f"{module}.{name}"
    is_ours = longer.replace("charrnn.", "", 1) in MODULES
    if is_ours:
        return longer
    return module


def ours(module):
    """Return the modules of the package that a module imports, without "charrnn."."""
    names = [name for name in imports_of(module) if room_of(name) == "charrnn"]
    return {name.replace("charrnn", "", 1).lstrip(".") for name in names}


def page_room_of(module):
    """Return the folder of a module of the pages."""
    room, _, _ = module.partition("/")
    return room


def page_imports(module):
    """Return the modules of the pages that one of them imports, each with its room: "shared/view.js"."""
    path = PAGE_MODULES[module]
    addresses = JAVASCRIPT_IMPORT.findall(path.read_text(encoding="utf-8"))
    paths = [(path.parent / address).resolve() for address in addresses]
    return {imported.relative_to(PAGES).as_posix() for imported in paths}


def in_circles(imports):
    """Return the modules that import each other in a circle, or that import such modules.

    ``imports`` has for each module those that it imports.
    """
    left = {module: set(imported) - {module} for module, imported in imports.items()}
    while True:
        free = {module for module, imported in left.items() if not imported & set(left)}
        if not free:
            return set(left)
        for module in free:
            del left[module]


def count_tokens(path):
    with tokenize.open(str(path)) as file:
        tokens = list(tokenize.generate_tokens(file.readline))
    return sum(token.type not in LAYOUT for token in tokens)


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_imports_go_to_lower_floors(module):
    """Also not to the package itself. Commands, of which the entry imports each by its name, share what is below."""
    room = room_of(module)
    for other in map(room_of, ours(module)):
        assert other == room or FLOOR_OF[other] > FLOOR_OF[room], other


@pytest.mark.parametrize("module", [name for name in MODULES if name != "system.tensorflow"])
def test_one_module_imports_tensorflow(module):
    assert "tensorflow" not in map(room_of, imports_of(module))


def test_programs_for_tensorflow_1_need_system_alone():
    for module in MODULES:
        if room_of(module) == "old":
            assert {room_of(other) for other in ours(module)} <= {"old", "system"}, module


def test_only_its_command_imports_what_runs_old_programs():
    """It changes what TensorFlow is."""
    importing = set()
    for module in MODULES:
        if "old" in map(room_of, ours(module)):
            importing.add(module)
    assert {module for module in importing if room_of(module) != "old"} == {"commands.old"}


def test_no_imports_go_in_a_circle():
    assert in_circles({module: ours(module) for module in MODULES}) == set()


@pytest.mark.parametrize("module", PAGE_MODULES)
def test_a_page_imports_nothing_of_another_page(module):
    rooms = {page_room_of(imported) for imported in page_imports(module)}
    assert rooms <= PAGE_ROOMS[page_room_of(module)]


def test_a_page_has_a_slider_for_each_setting_of_writing():
    """But for a direction, which a page holds with its handle."""
    assert list(ON_PAGE) == [name for name in KEYWORDS if name != "steer"]


def test_no_imports_of_the_pages_go_in_a_circle():
    assert in_circles({module: page_imports(module) for module in PAGE_MODULES}) == set()


def test_no_two_files_of_the_pages_have_the_same_name():
    """A page names them without their folder."""
    names = collections.Counter(path.name for path in PAGES.glob("*/*"))
    assert [name for name, count in names.items() if count > 1] == []


def test_the_model_is_the_notebooks():
    assert imports_of("model") == {"charrnn.system.tensorflow"}


def test_the_graph_of_a_run_stands_above_the_model():
    assert {"model", "fused.unroll"} <= ours("training.graph")


def test_no_room_is_larger_than_a_fifth_of_the_package():
    sizes = collections.Counter()
    for module, path in MODULES.items():
        sizes[room_of(module)] += count_tokens(path)
    most = LARGEST_ROOM * sum(sizes.values())
    assert {room: size for room, size in sizes.items() if size > most} == {}


AS_ON_WINDOWS = """
import importlib, os, pkgutil, signal, sys
for name in ("fcntl", "grp", "pty", "pwd", "readline", "resource", "termios"):
    sys.modules[name] = None
for owner, name in ((signal, "SIGHUP"), (signal, "SIGPIPE"), (os, "fork")):
    delattr(owner, name)
import charrnn
for module in pkgutil.walk_packages(charrnn.__path__, "charrnn."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def test_every_module_can_be_imported_without_what_windows_lacks():
    status, _, err = run_python("-c", AS_ON_WINDOWS)
    assert status == 0, err
