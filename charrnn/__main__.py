"""The entry of all commands: ``charrnn train`` and ``charrnn-train`` are the same. ``charrnn`` alone lists them."""

import argparse
import functools
import importlib
import sys
import textwrap
from typing import Any, Optional, Sequence

from charrnn.system.interrupts import exit_on_interrupt, raise_on_interrupt

COMMANDS = ("train", "sample", "evaluate", "export", "inspect", "runs", "old")


def _module(name: str) -> Any:
    return importlib.import_module(f"charrnn.commands.{name}")


def _run(name: str, argv: Optional[Sequence[str]] = None) -> int:
    # while NumPy and others are imported
    exit_on_interrupt()
    module = _module(name)
    raise_on_interrupt()
    return int(module.main(argv))


train, sample, evaluate, export, inspect, runs, old = (
    functools.partial(_run, name) for name in COMMANDS
)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command that the first argument names, or list the commands. Return the exit status."""
    if argv is None:
        argv = sys.argv[1:]
    name = argv[0] if argv else ""
    if name in COMMANDS:
        return _run(name, argv[1:])

    from charrnn.commands import arguments
    from charrnn.system import terminal, words

    if argv and not name.startswith("-"):
        question = words.did_you_mean(name, COMMANDS)
        terminal.print_note(
            f"charrnn: error: there is no command {name} (see charrnn --help){question}"
        )
        return 2
    parser = arguments.Parser(
        prog="charrnn", usage="%(prog)s [COMMAND ...]", description="List the commands."
    )
    return arguments.run_main(_list, parser, argv)


def _list(_args: argparse.Namespace) -> None:
    for name in COMMANDS:
        parser = _module(name).make_parser()
        print(f"charrnn {name}, or {parser.prog}")
        print(textwrap.fill(parser.description, 79, initial_indent="  ", subsequent_indent="  "))
    print("Each command explains its arguments with --help.")


if __name__ == "__main__":
    sys.exit(main())
