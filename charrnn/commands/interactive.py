"""The interactive mode of ``charrnn-sample``, which continues what is typed."""
import contextlib
import functools
import sys
from dataclasses import replace
from typing import Optional, Type, TypeVar

from charrnn.engines.decoding import Settings
from charrnn.engines.sampler import SEEDS, Sampler, check_prime, fresh_seed, write
from charrnn.system import console
from charrnn.text import unknown

_Number = TypeVar("_Number", int, float)

HELP = """type the beginning of a text to see it continued; \\n in it is a line end
/continue TEXT  continue the last text, after TEXT if there is one
/temperature X  /top-n N  /top-p P  /length N   change a setting, or without a value show it
/seed N         use this seed for every text; without a value use a new one for each
/help  /quit    Ctrl-C ends a text, Ctrl-D the program"""


class Conversation:
    """A sampler, and the settings for the texts that it writes."""

    def __init__(self, sampler: Sampler, settings: Settings, length: int, how_unknown: str = "error",
                 seed: Optional[int] = None) -> None:
        """Keep the arguments.

        Args:
            sampler: a sampler of one text.
            settings: how to draw at first.
            length: characters to draw for each text at first.
            how_unknown: what to do with unknown characters, see :func:`charrnn.text.unknown.resolve`.
            seed: the seed of every text at first; None for a new one for each.
        """
        self._sampler, self._settings, self._length = sampler, settings, length
        self._unknown, self._seed = how_unknown, seed

    def run(self) -> int:
        """Answer lines from standard input until it ends; return the exit status."""
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  gives input() a history and line editing
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(encoding="utf-8", errors="backslashreplace")  # independent of the locale
        prompt = "> " if sys.stdin.isatty() else ""
        if prompt:
            print(HELP)
        while True:
            try:
                line = input(prompt)
                if line.split()[:1] == ["/quit"]:
                    return 0
                if line.startswith("/"):
                    self._command(*line[1:].split(None, 1))
                elif line:
                    self._continue(line.replace("\\n", "\n"))
            except EOFError:
                print()
                return 0
            except KeyboardInterrupt:
                print()
            except ValueError as error:
                print(f"error: {error}")

    def _command(self, name: str = "", value: Optional[str] = None) -> None:
        """Change a setting, or show it."""
        if name == "help":
            print(HELP)
        elif name == "continue":
            self._continue((value or "").replace("\\n", "\n"), after_last=True)
        elif name in ("temperature", "top-n", "top-p"):
            field = name.replace("-", "_")
            if value is not None:
                settings = replace(self._settings, **{field: _number(value, int if name == "top-n" else float)})
                settings.check()
                self._settings = settings
            print(f"{name} {getattr(self._settings, field)}")
        elif name == "length":
            if value is not None:
                length = _number(value, int)
                if length < 1:
                    raise ValueError(f"length must be at least 1, not {length}")
                self._length = length
            print(f"length {self._length}")
        elif name == "seed":
            seed = None if value is None else _number(value, int)
            if seed is not None and not 0 <= seed < SEEDS:
                raise ValueError(f"the seed must be from 0 to {SEEDS - 1}, not {seed}")
            self._seed = seed
            print(f"seed {'chosen for each text' if seed is None else seed}")
        else:
            raise ValueError(f"there is no command /{name}; /help lists the commands")

    def _continue(self, prime: str, after_last: bool = False) -> None:
        """Write a text, and show its seed."""
        prime, note = unknown.resolve(prime, self._sampler.vocabulary, self._unknown, "what you typed")
        if not after_last:
            check_prime(prime, self._sampler.vocabulary)
        seed = fresh_seed() if self._seed is None else self._seed
        if note:
            print(note)
        console.write(prime, sys.stdout)
        write(self._sampler, prime, self._length, self._settings, seed,
              after_last=after_last, show=functools.partial(console.write, file=sys.stdout), keep=False)
        print(f"\n[seed {seed}]")


def _number(value: str, kind: Type[_Number]) -> _Number:
    """Read an int or a float."""
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{value!r} is not {'an integer' if kind is int else 'a number'}")
