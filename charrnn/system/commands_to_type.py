"""The commands that a message tells a person to type, and the parts of one: a flag, and a path in quotes."""

import dataclasses
import os
import re
import shlex
import sys
from typing import Any

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


def flags_of(settings: Any) -> str:
    """Return the flags that give settings, a dataclass, the values in which they differ from the defaults."""
    flags = []
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if value == field.default:
            continue
        if value is True:
            flags.append(flag(field.name))
        elif value is False:
            flags.append(flag(f"no_{field.name}"))
        else:
            flags.append(f"{flag(field.name)} {value}")
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
