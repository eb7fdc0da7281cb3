"""Running a program for TensorFlow 1: its file, or the cells of its notebook."""

import contextlib
import functools
import os
import runpy
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Dict, Iterator, List, Optional, Set

from charrnn.old import missing
from charrnn.old.interface import first_missing
from charrnn.old.source import names_of_tensorflow
from charrnn.system import terminal

# where a kernel finds this package, too
_FOLDER_OF_PACKAGE = Path(__file__).resolve().parents[2]
_FIRST_CELL = "import sys; sys.path.append({folder!r}); import charrnn.old"


def run_program(path: Path, arguments: List[str]) -> int:
    """Run a program as ``python`` would, and return its exit status. An error prints the program's own traceback."""
    # so that a file that is missing is an error of the command
    path.read_bytes()
    run = functools.partial(runpy.run_path, str(path), run_name="__main__")
    return _run(run, path, path.resolve().parent, arguments)


def run_module(name: str, arguments: List[str]) -> int:
    """Run a module of the folder as ``python -m`` would; else as :func:`run_program`.

    Raises:
        ValueError: there is no such module.
    """
    folder = Path.cwd()
    path = folder.joinpath(*name.split("."))
    path = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.is_file():
        raise ValueError(f"there is no module {name} in {folder}: {path} is missing")
    run = functools.partial(runpy.run_module, name, run_name="__main__", alter_sys=True)
    return _run(run, path, folder, arguments)


def _run(run: Callable, path: Path, folder: Path, arguments: List[str]) -> int:
    """Run a program, whose modules are in a folder."""
    with _as_main(path, folder, arguments) as modules_before:
        try:
            run()
        except SystemExit as end:
            return _status(end)
        except Exception as error:
            error_traceback = _from_file(error.__traceback__, str(path))
            traceback.print_exception(type(error), error, error_traceback)
            _print_hint(str(error))
            if missing.is_message(str(error)):
                _print_all_missing(str(error), _files_run(error_traceback, folder, modules_before))
            return 1
    return 0


@contextlib.contextmanager
def _as_main(path: Path, folder: Path, arguments: List[str]) -> Iterator[Set[str]]:
    """Give a program its arguments, and the modules of its folder. Forget both at the end of a block.

    The block gets the names of the modules that were there before.
    """
    argv = sys.argv
    before = set(sys.modules)
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(folder))
    try:
        yield before
    finally:
        sys.argv = argv
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))
        for name in _own_modules(folder, before):
            del sys.modules[name]


def _own_modules(folder: Path, before: Set[str]) -> Dict[str, Path]:
    """Return the files of the modules that a program has imported from its folder, by their names."""
    new = [name for name in sys.modules if name not in before]
    files = {}
    for name in new:
        file = getattr(sys.modules[name], "__file__", None)
        if file and _is_own(Path(file), folder):
            files[name] = Path(file)
    return files


def _is_own(file: Path, folder: Path) -> bool:
    """Tell whether a file lies below the folder of a program, but not in a package that is installed there."""
    return folder in file.parents and "site-packages" not in file.relative_to(folder).parts


def _status(end: SystemExit) -> int:
    """Return the exit status for what a program gives ``sys.exit``. A message is printed."""
    if end.code is None or isinstance(end.code, int):
        return int(end.code or 0)
    terminal.print_note(str(end.code))
    return 1


def _print_hint(error_message: str) -> None:
    """Print what to do about an error, if it is known."""
    hint = missing.hint(error_message)
    if hint:
        terminal.print_note(f"charrnn-old: {hint}")


def _files_run(frames: Optional[TracebackType], folder: Path, before: Set[str]) -> List[Path]:
    """Return the files of a program that ran: those of a traceback, then those of the modules that it has imported."""
    files = [Path(frame.filename).resolve() for frame in traceback.extract_tb(frames)]
    # code without a file has a name such as <string>
    files = [file for file in files if _is_own(file, folder) and file.is_file()]
    # a module can be compiled
    modules = _own_modules(folder, before).values()
    files.extend(file for file in modules if file.suffix == ".py")
    return files


def _print_all_missing(error_message: str, files: List[Path]) -> None:
    """Print the missing names in files, if there are others than the one of an error."""
    all_missing: List[str] = []
    for file in dict.fromkeys(files):
        for name in names_of_tensorflow(file.read_bytes()):
            name_missing = first_missing(name)
            if name_missing and name_missing not in all_missing:
                all_missing.append(name_missing)
    if all(missing.message(name) == error_message for name in all_missing):
        return

    by_advice: Dict[str, List[str]] = {}
    for name in all_missing:
        by_advice.setdefault(missing.advice(name), []).append(name)
    terminal.print_note("charrnn-old: the missing names in the files that ran so far:")
    for advice, names in by_advice.items():
        terminal.print_note(f"- {', '.join(names)}: {advice}")


def _from_file(frames: Optional[TracebackType], path: str) -> Optional[TracebackType]:
    """Return a traceback without the frames before the program; the whole one if the program has none."""
    rest = frames
    while rest is not None:
        if rest.tb_frame.f_code.co_filename == path:
            return rest
        rest = rest.tb_next
    return frames


def run_notebook(path: Path) -> int:
    """Run the cells of a notebook, print what they print, and return the exit status. The file is not changed.

    Raises:
        ValueError: nbclient or a kernel is not installed, or the file is no notebook.
    """
    try:
        import ipykernel  # noqa: F401
        import nbclient
        import nbformat
    except ImportError as error:
        raise ValueError(
            f"a notebook needs the package {error.name}: pip install nbclient ipykernel"
        )
    try:
        notebook = nbformat.read(str(path), as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise ValueError(f"{path} is no notebook: {str(error).splitlines()[0]}")

    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    first = nbformat.v4.new_code_cell(_FIRST_CELL.format(folder=str(_FOLDER_OF_PACKAGE)))
    notebook.cells = [first, *cells]
    # the kernel of this Python, and not another one of its name
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    client = nbclient.NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, number)
            except nbclient.exceptions.CellExecutionError as error:
                _print_outputs(cell)
                _print_hint(str(error))
                terminal.print_note(
                    f"charrnn-old: stopped in code cell {number} of {len(cells)} of {path}"
                )
                return 1
            _print_outputs(cell)
    return 0


def _print_outputs(cell: Any) -> None:
    """Print the texts of a cell's outputs, those of errors on standard error."""
    for output in cell.outputs:
        if output.output_type == "stream":
            file = sys.stderr if output.name == "stderr" else sys.stdout
            terminal.write(output.text, file)
        elif output.output_type == "error":
            terminal.print_note("\n".join(output.traceback))
        elif "text/plain" in output.get("data", {}):
            terminal.write(output.data["text/plain"] + "\n", sys.stdout)
