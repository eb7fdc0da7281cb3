"""The list of commands: ``python -m charrnn``."""
import argparse
import sys
import textwrap
from typing import Optional, Sequence

from charrnn.commands import evaluate, export, inspect, sample_arguments, train_arguments
from charrnn.system import console

MODULES = {"charrnn.train": train_arguments, "charrnn.sample": sample_arguments,
           **{module.__name__: module for module in (evaluate, export, inspect)}}


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print the commands; return the exit status."""
    return console.run_main(_main, console.Parser(prog="python -m charrnn", description="List the commands."), argv)


def _main(_args: argparse.Namespace) -> None:
    for name, module in MODULES.items():
        parser = module.make_parser()
        print(f"{parser.prog}, or python -m {name}")
        print(textwrap.fill(parser.description, 79, initial_indent="  ", subsequent_indent="  "))
    print("Each command explains its arguments with --help.")


if __name__ == "__main__":
    sys.exit(main())
