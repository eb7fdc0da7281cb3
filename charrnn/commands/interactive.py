"""The interactive mode of ``charrnn-sample``, which continues what is typed."""

import argparse
import contextlib
import dataclasses
import re
import sys
from typing import Any, Callable, Dict, Mapping, Optional

from charrnn.checkpoints.writing import Writing
from charrnn.commands import arguments
from charrnn.engines.sampler import SEEDS, Sampler, checked_prime, fresh_seed
from charrnn.engines.trained_model import Model
from charrnn.system import terminal
from charrnn.system.commands_to_type import flag
from charrnn.text.unknown import resolve

# The settings of writing that a line may change: the flags without their dashes, and their fields.
SETTINGS = {}
for _field in dataclasses.fields(Writing):
    if _field.metadata["kind"] is not dict:
        SETTINGS[flag(_field.name)[2:]] = _field
# The others, and the functions that read their values.
OTHERS: Dict[str, Callable[[str], Any]] = {
    "length": arguments.integer(1),
    "seed": arguments.integer(0, SEEDS - 1),
}

HELP = f"""type the beginning of a text to see it continued; \\n in it is a line end
/continue TEXT  continue the last text, after TEXT if there is one
/{" X  /".join(SETTINGS)} X
/length N       change a setting, or without a value show it
/seed N         use this seed for every text; without a value use a new one for each
/help  /quit    Ctrl-C ends a text, Ctrl-D the program"""


class Conversation:
    """A sampler, and the settings for the texts that it writes."""

    def __init__(
        self,
        model: Model,
        sampler: Sampler,
        given: Mapping[str, Any],
        *,
        plain: bool = False,
        length: int,
        unknown: str = "error",
        seed: Optional[int] = None,
    ) -> None:
        """Prepare to talk.

        Args:
            model: the model.
            sampler: its sampler of one text.
            given: the values of Writing in place of the usual ones.
            plain: whether the usual ones are the notebook's.
            length: characters of a text.
            unknown: what to do with characters that the model does not know.
            seed: the seed of each text; None for a new one for each.
        """
        self._model = model
        self._sampler = sampler
        self._unknown = unknown
        self._given = dict(given)
        self._plain = plain
        self._others: Dict[str, Any] = {"length": length, "seed": seed}

    def _writing(self, given: Mapping[str, Any]) -> Writing:
        return self._model.writing_with(given, plain=self._plain)

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
        elif name in SETTINGS:
            print(f"{name} {self._setting(SETTINGS[name], value.strip())}")
        elif name in OTHERS:
            value_in_use = self._other(name, value.strip())
            if value_in_use is None:
                value_in_use = "chosen for each text"
            print(f"{name} {value_in_use}")
        else:
            raise ValueError(f"there is no command /{name}; /help lists the commands")

    def _setting(self, field: Any, value: str) -> Any:
        """Change a setting of writing, unless the value is empty. Return the one in use."""
        given = dict(self._given)
        if value:
            given[field.name] = field.metadata["kind"](value)
        writing = self._writing(given)
        self._given = given
        return getattr(writing, field.name)

    def _other(self, name: str, value: str) -> Any:
        """Change another one. An empty value leaves it as it is, but for the seed, which is then new each time."""
        if value:
            self._others[name] = OTHERS[name](value)
        elif name == "seed":
            self._others[name] = None
        return self._others[name]

    def _continue(self, typed: str, after_last: bool = False) -> None:
        """Write a text, and show its seed."""
        vocabulary = self._sampler.vocabulary
        if after_last:
            prime, note = resolve(typed, vocabulary, self._unknown, "what you typed")
        else:
            prime, note = checked_prime(typed, vocabulary, self._unknown, "what you typed")
        if note:
            print(note)

        seed = self._others["seed"]
        if seed is None:
            seed = fresh_seed()
        terminal.write(prime, sys.stdout)
        pieces = self._sampler.pieces(
            prime,
            self._others["length"],
            self._writing(self._given),
            seed,
            after_last=after_last,
        )
        # Ctrl-C ends a text.
        with contextlib.suppress(KeyboardInterrupt):
            for piece in pieces:
                terminal.write(piece, sys.stdout)
        how = "continued with seed" if after_last else "seed"
        print(f"\n[{how} {seed}]")
