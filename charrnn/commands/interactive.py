"""The interactive mode of ``charrnn-sample``, which continues what is typed."""

import argparse
import contextlib
import re
import sys
from typing import Any, Callable, Dict, Optional

from charrnn.checkpoints.writing import Writing
from charrnn.commands import arguments
from charrnn.engines.sampler import SEEDS, Sampler, checked_prime, fresh_seed
from charrnn.system import terminal
from charrnn.text.unknown import resolve

# The settings that a line may change, and the functions that read their values.
_READ: Dict[str, Callable[[str], Any]] = {
    "temperature": float,
    "top-n": arguments.integer(1),
    "top-p": float,
    "length": arguments.integer(1),
    "seed": arguments.integer(0, SEEDS - 1),
}

HELP = """type the beginning of a text to see it continued; \\n in it is a line end
/continue TEXT  continue the last text, after TEXT if there is one
/temperature X  /top-n N  /top-p P  /length N   change a setting, or without a value show it
/seed N         use this seed for every text; without a value use a new one for each
/help  /quit    Ctrl-C ends a text, Ctrl-D the program"""


class Conversation:
    """A sampler, and the settings for the texts that it writes."""

    def __init__(
        self,
        sampler: Sampler,
        writing: Writing,
        length: int,
        unknown: str = "error",
        seed: Optional[int] = None,
    ) -> None:
        """Keep a sampler of one text, and the first settings. A seed of None is a new one for each text."""
        self._sampler = sampler
        self._unknown = unknown
        self._writing = writing
        self._values: Dict[str, Any] = {
            "temperature": writing.temperature,
            "top-n": writing.top_n,
            "top-p": writing.top_p,
            "length": length,
            "seed": seed,
        }

    def run(self) -> int:
        """Answer lines from standard input until it ends; return the exit status."""
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  gives input() a history and line editing
        if hasattr(sys.stdin, "reconfigure"):
            # independent of the locale
            sys.stdin.reconfigure(encoding="utf-8", errors="backslashreplace")
        prompt = "> " if sys.stdin.isatty() else ""
        if prompt:
            print(HELP)

        while True:
            try:
                line = input(prompt)
                if line.split()[:1] == ["/quit"]:
                    return 0
                if line.startswith("/"):
                    self._command(*re.split(r"\s", line[1:], maxsplit=1))
                elif line:
                    self._continue(arguments.with_line_ends(line))
            except EOFError:
                print()
                return 0
            except KeyboardInterrupt:
                print()
            except (ValueError, argparse.ArgumentTypeError) as error:
                terminal.write(f"error: {error}\n", sys.stdout)

    def _command(self, name: str, value: str = "") -> None:
        """Run a command, such as ``/length 200``."""
        if name == "help":
            print(HELP)
        elif name == "continue":
            self._continue(arguments.with_line_ends(value), after_last=True)
        elif name in _READ:
            self._set(name, value.strip())
            value_in_use = self._values[name]
            if value_in_use is None:
                value_in_use = "chosen for each text"
            print(f"{name} {value_in_use}")
        else:
            raise ValueError(f"there is no command /{name}; /help lists the commands")

    def _set(self, name: str, value: str) -> None:
        """Change a setting. An empty value leaves it as it is, but for the seed, which is then a new one each time."""
        if not value and name != "seed":
            return
        values = {**self._values, name: None}
        if value:
            values[name] = _READ[name](value)
        self._writing = self._writing.changed(
            {
                "temperature": values["temperature"],
                "top_n": values["top-n"],
                "top_p": values["top-p"],
            }
        )
        self._values = values

    def _continue(self, typed: str, after_last: bool = False) -> None:
        """Write a text, and show its seed."""
        vocabulary = self._sampler.vocabulary
        if after_last:
            prime, note = resolve(typed, vocabulary, self._unknown, "what you typed")
        else:
            prime, note = checked_prime(typed, vocabulary, self._unknown, "what you typed")
        if note:
            print(note)

        seed = self._values["seed"]
        if seed is None:
            seed = fresh_seed()
        terminal.write(prime, sys.stdout)
        pieces = self._sampler.pieces(
            prime, self._values["length"], self._writing, seed, after_last=after_last
        )
        # Ctrl-C ends a text.
        with contextlib.suppress(KeyboardInterrupt):
            for piece in pieces:
                terminal.write(piece, sys.stdout)
        how = "continued with seed" if after_last else "seed"
        print(f"\n[{how} {seed}]")
