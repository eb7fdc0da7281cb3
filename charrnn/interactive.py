"""The interactive mode of ``charrnn-sample``: type a beginning, see it continued."""
import contextlib
import dataclasses
import sys

import numpy as np

from charrnn.engines.sampler import check_prime, write
from charrnn.text import unknown

HELP = """type the beginning of a text, and it is continued; \\n in it stands for a line end
/temperature X  /top-n N  /top-p P  /length N   change how it is written; without a value they say what it is
/seed N         draw the same again; /seed alone draws another each time
/help  /quit    Ctrl-C ends a text, Ctrl-D all"""


class Conversation:
    """A model that was loaded once, and what is set for its texts."""

    def __init__(self, sampler, settings, length, how_unknown="error", seed=None):
        """Take a Sampler of one text, a drawing.Settings, and what ``charrnn-sample`` takes."""
        self._sampler, self._settings, self._length = sampler, settings, length
        self._unknown, self._seed = how_unknown, seed

    def hold(self):
        """Read lines from standard input until it ends; return the exit status."""
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  input() then has a history and can be edited
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(encoding="utf-8", errors="backslashreplace")  # whatever the locale says
        if sys.stdin.isatty():
            print(HELP)
        while True:
            try:
                line = input("> " if sys.stdin.isatty() else "")
                if line.strip() == "/quit":
                    return 0
                self._answer(line)
            except EOFError:
                print()
                return 0
            except KeyboardInterrupt:
                print()
            except ValueError as error:
                print("error: {}".format(error))

    def _answer(self, line):
        if line.startswith("/"):
            self._command(*line[1:].split(None, 1))
        elif line:
            self._continue(line.replace("\\n", "\n"))

    def _command(self, name="", value=None):
        if name == "help":
            print(HELP)
        elif name in ("temperature", "top-n", "top-p"):
            field = name.replace("-", "_")
            if value is not None:
                settings = dataclasses.replace(self._settings, **{field: _number(value, int if name == "top-n" else float)})
                settings.check()
                self._settings = settings
            print("{} {}".format(name, getattr(self._settings, field)))
        elif name == "length":
            if value is not None:
                length = _number(value, int)
                if length < 1:
                    raise ValueError("length must be at least 1, not {}".format(length))
                self._length = length
            print("length {}".format(self._length))
        elif name == "seed":
            seed = None if value is None else _number(value, int)
            if seed is not None and not 0 <= seed < 2 ** 32:
                raise ValueError("the seed must be from 0 to 4294967295, not {}".format(seed))
            self._seed = seed
            print("seed {}".format("of its own for each text" if seed is None else seed))
        else:
            raise ValueError("there is no command /{}; /help lists them".format(name))

    def _continue(self, prime):
        prime, note = unknown.resolve(prime, self._sampler.vocabulary, self._unknown, "what you typed")
        check_prime(prime, self._sampler.vocabulary)
        seed = self._seed
        if seed is None:
            seed = int(np.random.RandomState().randint(2 ** 32, dtype=np.int64))
        if note:
            print(note)
        print(prime, end="", flush=True)
        write(self._sampler, prime, self._length, self._settings, seed, show=lambda piece: print(
            piece, end="", flush=True))
        print("\n[seed {}]".format(seed))


def _number(value, kind):
    try:
        return kind(value)
    except ValueError:
        raise ValueError("{!r} is no {}number".format(value, "whole " if kind is int else ""))
