"""Write the arguments of all commands, as their parsers have them, to a page: ``python .make/flags.py docs/flags.md``.

The help pages themselves would not do, because their layout depends on the Python and on the width of the terminal.
"""

import argparse
import importlib
import re
import sys
import textwrap
from pathlib import Path
from typing import Iterator, Sequence

from charrnn.__main__ import COMMANDS

INTRODUCTION = """\
# Flags

This page has all arguments of all commands, as `--help` prints them. Every command also has `--help` and `--version`. A
flag may be written with underscores, like hyperparameters in Python: `--batch_size`. What the flags are good for is on
the pages [training](training.md), [settings](settings.md), [sampling](sampling.md), [evaluating](evaluating.md) and
[inside](inside.md).

`make flags` writes this page from the commands."""
WIDTH = 120
# what every command has
COMMON = ("help", "version")


def page() -> str:
    """Return the page."""
    blocks = [INTRODUCTION]
    for name in COMMANDS:
        command = importlib.import_module(f"charrnn.commands.{name}")
        blocks.extend(section(command.make_parser()))
    return "\n\n".join(blocks) + "\n"


def section(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the blocks of a command: what it does, how it is called, and its arguments, group by group."""
    yield f"## {parser.prog}"
    yield filled(parser.description)
    usage = parser.usage % {"prog": parser.prog}
    lines = [line.strip() for line in usage.splitlines()]
    yield "\n".join(["```", *lines, "```"])

    # those of argparse itself, whose titles differ between versions of Python
    positional, optional, *titled = parser._action_groups
    yield entries([*positional._group_actions, *optional._group_actions])
    for group in titled:
        yield f"{group.title.capitalize()}:"
        yield entries(group._group_actions)


def entries(actions: Sequence[argparse.Action]) -> str:
    """Return a list of arguments."""
    return "\n".join(entry(action) for action in actions if action.dest not in COMMON)


def entry(action: argparse.Action) -> str:
    """Return the entry of a list: an argument as it is typed, and its help, in which flags are marked as code."""
    typed = [*action.option_strings]
    if action.choices:
        typed.append("|".join(action.choices))
    elif action.metavar:
        typed.append(action.metavar)
    explained = re.sub(r"(?<!\w)--[a-z][a-z-]*", r"`\g<0>`", action.help)
    return filled(f"- `{' '.join(typed)}`: {explained}", subsequent_indent="  ")


def filled(text: str, **indents: str) -> str:
    """Break a text into lines, but not inside a flag or a word."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False, **indents)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
