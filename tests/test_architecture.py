"""The rules for imports and function bodies that keep the package easy to read."""
import ast
import tokenize
from functools import lru_cache

from conftest import ROOT

# The floors, from the top. A room imports only from itself and from the floors below its own.
FLOORS = [
    {"train", "sample"},
    {"commands"},
    {"training", "inspection"},
    {"engines"},
    {"checkpoints", "model", "text"},
    {"fused", "data"},
    {"system", "version"},
]
# These can be imported without TensorFlow. They import it inside functions, if at all.
WITHOUT_TENSORFLOW = FLOORS[0] | {"commands", "training.hyperparameters", "engines", "checkpoints", "text", "data",
                                  "system", "version"}
WITH_TENSORFLOW = {"engines.graph"}
DOOR = "charrnn.system.tensorflow"  # the module that imports TensorFlow when its tf is imported
BODY_LINES = 40

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = {  # path by dotted name without "charrnn."; the name of the package itself is ""
    ".".join(path.relative_to(ROOT / "charrnn").with_suffix("").parts).replace("__init__", "").rstrip("."): path
    for path in sorted((ROOT / "charrnn").glob("**/*.py"))}


def room_of(module):
    return module.split(".")[0]


def floor_of(module):
    return FLOOR_OF.get(room_of(module), 0)


@lru_cache(maxsize=None)
def tree_of(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def statements(tree, inside_functions):
    """Yield the statements of a module, with or without those that only run when a function is called."""
    for node in ast.iter_child_nodes(tree):
        if inside_functions or not isinstance(node, ast.FunctionDef):
            yield node
            yield from statements(node, inside_functions)


def names_imported(module, inside_functions=True):
    """Yield the dotted names that a module imports, each as long as it can be a module's name."""
    for node in statements(tree_of(module), inside_functions):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import in line {node.lineno}"
            for alias in node.names:
                longer = f"{node.module}.{alias.name}"
                yield longer if longer.replace("charrnn.", "", 1) in MODULES else node.module


def imports_of(module, inside_functions=True):
    """Return the modules of the package that a module imports."""
    names = set(names_imported(module, inside_functions))
    return {name.replace("charrnn", "", 1).lstrip(".") for name in names if name.split(".")[0] == "charrnn"}


def pairs():
    """Return each import from one room by another, as (importing module, imported module)."""
    return [(module, other) for module in MODULES if module for other in sorted(imports_of(module))
            if room_of(other) != room_of(module)]


def bodies(path):
    """Yield (name, lines of the body without the docstring) of each function in a file."""
    with tokenize.open(str(path)) as file:
        tokens = [token for token in tokenize.generate_tokens(file.readline)
                  if token.type not in (tokenize.COMMENT, tokenize.NL)]
    blocks, name, last_line = [], None, 0
    for index, token in enumerate(tokens):
        if token.type == tokenize.NAME and token.string == "def":
            name = tokens[index + 1].string
        elif token.type == tokenize.NEWLINE:
            last_line = token.start[0]
            if tokens[index + 1].type != tokenize.INDENT:
                name = None  # a function in one line
        elif token.type == tokenize.INDENT:
            first, second, third = tokens[index + 1:index + 4]
            has_docstring = first.type == tokenize.STRING and second.type == tokenize.NEWLINE
            blocks.append((name, third.start[0] if has_docstring else first.start[0]))
            name = None
        elif token.type == tokenize.DEDENT:
            function, first_line = blocks.pop()
            if function:
                yield function, last_line - first_line + 1


def test_every_module_is_in_a_room_with_a_floor():
    assert [module for module in MODULES if module and room_of(module) not in FLOOR_OF] == []


def test_imports_go_to_lower_floors():
    assert [f"{module} imports {other}" for module, other in pairs()
            if floor_of(other) < floor_of(module)] == []


def test_rooms_on_one_floor_do_not_import_each_other():
    assert [f"{module} imports {other}" for module, other in pairs()
            if floor_of(other) == floor_of(module)] == []


def test_commands_do_not_import_each_other():
    commands = {module for module in MODULES if module.startswith("commands.")}
    assert [f"{module} imports {other}" for module in sorted(commands) for other in imports_of(module) & commands] == []


def test_modules_do_not_import_the_package_itself():
    assert [module for module in MODULES if module and "" in imports_of(module)] == []


def test_there_is_no_cycle():
    remaining = {module: imports_of(module) for module in MODULES}
    while remaining:
        free = {module for module, imports in remaining.items() if not imports & set(remaining) - {module}}
        assert free, "each of these imports another one of them: " + ", ".join(sorted(remaining))
        remaining = {module: imports for module, imports in remaining.items() if module not in free}


def loaded_with(module):
    """Return all modules of the package that are loaded when a module is imported, with itself."""
    loaded, new = set(), {module}
    while new:
        loaded |= new
        parents = {name.rpartition(".")[0] for name in new}
        new = (parents.union(*[imports_of(name, inside_functions=False) for name in new]) & set(MODULES)) - loaded
    return loaded


def test_modules_without_tensorflow_do_not_load_it():
    checked = [module for module in MODULES if module not in WITH_TENSORFLOW
               and (module in WITHOUT_TENSORFLOW or room_of(module) in WITHOUT_TENSORFLOW)]
    assert [f"{module} loads TensorFlow in {loaded}" for module in checked for loaded in sorted(loaded_with(module))
            for node in statements(tree_of(loaded), inside_functions=False) if isinstance(node, ast.ImportFrom)
            if (node.module, "tf") in [(DOOR, alias.name) for alias in node.names]] == []


def test_one_module_imports_tensorflow():
    assert {module for module in MODULES for name in names_imported(module) if name.split(".")[0] == "tensorflow"} == {
        "system.tensorflow"}


def test_function_bodies_are_short():
    assert {f"{module}.{name}": length for module, path in MODULES.items() for name, length in bodies(path)
            if length > BODY_LINES} == {}


def test_bodies_are_counted_without_the_docstring(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('def one(): return 1\n\n\nclass Two:\n    """Not\n    counted."""\n\n'
                    '    def three(self):\n        """Not\n        counted."""\n        x = (1,\n             2)\n\n'
                    '        return x\n\n\nif True:\n    def four():\n        return 4\n')
    assert list(bodies(path)) == [("three", 4), ("four", 1)]
