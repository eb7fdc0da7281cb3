"""What a message tells a person to type, in a shell or in Python, and parts of it: a flag, and a path in quotes."""

import dataclasses
import os
import re
import shlex
import sys
from typing import Any, Dict, Union

from charrnn.system import mpi


def quoted(path: Any) -> str:
    """Return a path as an argument of a command: quoted for a shell, and never like a flag."""
    argument = str(path)
    if argument.startswith("-"):
        argument = f"./{argument}"
    return shlex.quote(argument)


def flag(name: str) -> str:
    """Return the flag of a parameter.

    >>> flag("batch_size")
    '--batch-size'
    """
    return "--" + name.replace("_", "-")


def changes(settings: Any) -> Dict[str, Any]:
    """Return the values of settings, a dataclass, that differ from the defaults."""
    changed = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if value != field.default:
            changed[field.name] = value
    return changed


def flags_of(settings: Any) -> str:
    """Return the flags for the values of settings that differ from the defaults."""
    flags = []
    for name, value in changes(settings).items():
        if value is False:
            flags.append(flag(f"no_{name}"))
        else:
            flags.append(f"{flag(name)} {value}")
    return " ".join(flags)


def command(name: str, arguments: str = "", text: str = "") -> str:
    """Return what to type to run a command: its target of make, if make started the process and has one.

    Args:
        name: of the command, such as ``train``.
        arguments: the arguments, quoted for a shell.
        text: the text to train on, quoted for a shell; "" for none.
    """
    # the command of make, from the Makefile
    make = os.environ.get("CHARRNN_MAKE")
    if not make:
        return " ".join(filter(None, [f"charrnn-{name}", text, arguments]))
    # There is no target that writes a file other than a page.
    if name == "export":
        python = os.path.relpath(sys.executable)
        return f"{quoted(python)} -m charrnn {name} {arguments}"
    if text:
        name = f"{name} TEXT={text}"
    if not arguments:
        return f"{make} {name}"
    # make reads "$" first, and then the shell what stands in quotes.
    quoted_again = re.sub(r'(["\\`$])', r"\\\1", arguments.replace("$", "$$"))
    return f'{make} {name} ARGS="{quoted_again}"'


def page_command(folder: Any) -> str:
    """Return the command that writes the network of a run as a web page."""
    make = os.environ.get("CHARRNN_MAKE")
    if make:
        model = quoted(folder).replace("$", "$$")
        return f"{make} page MODEL={model}"
    return command("export", f"{quoted(folder)} mine.html")


def resume_command(folder: Any, *flags: str) -> str:
    """Return the command that resumes the run in a folder with some flags, on as many processes as it has now.

    None stands for the newest run.
    """
    place = [] if folder is None else [f"--checkpoint-dir {quoted(folder)}"]
    arguments = " ".join(["--resume", *place, *flags])
    started = mpi.launch()
    if started.size == 1:
        return command("train", arguments)
    if "CHARRNN_MAKE" in os.environ:
        return command(f"train-distributed NP={started.size}", arguments)
    return f"{started.program} -n {started.size} {command('train', arguments)}"


class InShell:
    """The commands with which a person goes on with the run in a folder."""

    program = "charrnn-train"

    def __init__(self, folder: Any, n_lines: int) -> None:
        """Take the folder, and how many lines to write with the run; 0 for a text."""
        self._folder = folder
        self._n_lines = n_lines

    def write(self, best: bool) -> str:
        """Return how to write with the newest checkpoint, or with the best."""
        arguments = quoted(self._folder)
        if best:
            arguments += " --best"
        if self._n_lines:
            arguments += f" --lines {self._n_lines}"
        return command("sample", arguments)

    def keep(self) -> str:
        """Return how to write the newest network into a file of its own."""
        return command("export", f"{quoted(self._folder)} mine.npz")

    def page(self) -> str:
        """Return how to write the newest network as a web page."""
        return page_command(self._folder)

    def resume(self, **changed: int) -> str:
        """Return how to resume the run, with changed hyperparameters."""
        flags = [f"{flag(name)} {value}" for name, value in changed.items()]
        return resume_command(self._folder, *flags)

    def begin_from(self, text: str, settings: Any) -> str:
        """Return how to begin a run with the model in that place, on a text, with hyperparameters."""
        arguments = f"--init-from {quoted(self._folder)} {flags_of(settings)}"
        return command("train", arguments, quoted(text))


class InPython:
    """The calls with which a person goes on with the run in a folder, as :class:`InShell` has the commands."""

    program = "train_model"

    def __init__(self, folder: Any, n_lines: int) -> None:
        self._folder = repr(str(folder))
        self._n_lines = n_lines

    def write(self, best: bool) -> str:
        arguments = self._folder
        if best:
            arguments += ", best=True"
        call = "write()"
        if self._n_lines:
            call = f"write_lines({self._n_lines})"
        return f"open_model({arguments}).{call}"

    def keep(self) -> str:
        return f"open_model({self._folder}).save('mine.npz')"

    def page(self) -> str:
        return (
            "from charrnn.pages.webpage import export_page; "
            f"export_page(open_model({self._folder}), 'mine.html')"
        )

    def resume(self, **changed: int) -> str:
        arguments = [self._folder, "resume=True"]
        arguments += [f"{name}={value}" for name, value in changed.items()]
        return f"train_model(None, {', '.join(arguments)})"

    def begin_from(self, text: str, settings: Any) -> str:
        arguments = [repr(text), f"init_from={self._folder}"]
        arguments += [f"{name}={value!r}" for name, value in changes(settings).items()]
        return f"train_model({', '.join(arguments)})"


def for_run(folder: Any, n_lines: int, in_python: bool) -> Union[InShell, InPython]:
    """Return what to type in a shell or in Python, to go on with the run in a folder."""
    if in_python:
        return InPython(folder, n_lines)
    return InShell(folder, n_lines)
