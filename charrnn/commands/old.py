"""Running a program for TensorFlow 1 on TensorFlow 2: ``charrnn-old``."""

import argparse
import functools
import sys
from pathlib import Path
from typing import List, Optional

from charrnn.commands import arguments


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-old``."""
    parser = arguments.Parser(
        prog="charrnn-old",
        usage="%(prog)s [-h] (PROGRAM | -m MODULE) [ARGUMENT ...]",
        description="Run a program for TensorFlow 1, unchanged, on TensorFlow 1.15 or 2: a file of Python, or a "
        "notebook, which needs nbclient.",
    )
    parser.add_argument(
        "program", metavar="PROGRAM", nargs="?", help="the file of the program, .py or .ipynb"
    )
    parser.add_argument(
        "arguments", metavar="ARGUMENT", nargs="*", help="what the program gets, its flags too"
    )
    parser.add_argument(
        "-m",
        dest="module",
        metavar="MODULE",
        help="a module of this folder in place of a file, such as package.module, as python -m has it",
    )
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-old``; return its exit status, which is that of the program."""
    if argv is None:
        argv = sys.argv[1:]
    # All that follows the program is for it.
    end = 2 if argv[:1] == ["-m"] else 1
    body = functools.partial(_main, arguments_of_program=argv[end:])
    return arguments.run_main(body, make_parser(), argv[:end])


def _main(args: argparse.Namespace, arguments_of_program: List[str]) -> int:
    # not above, because this changes what "import tensorflow" is
    from charrnn import old
    from charrnn.old.program import run_module, run_notebook, run_program

    if not args.program and not args.module:
        raise ValueError("PROGRAM is missing (see charrnn-old --help)")
    path = Path(args.program or "")
    if path.suffix == ".ipynb":
        if arguments_of_program:
            raise ValueError(
                f"a notebook takes no arguments, and {arguments_of_program[0]!r} is one"
            )
        old.uninstall()
        return run_notebook(path)
    old.install()
    try:
        if args.module:
            return run_module(args.module, arguments_of_program)
        return run_program(path, arguments_of_program)
    finally:
        old.uninstall()
