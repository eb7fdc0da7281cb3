"""Open files of unknown origin one after the other, in a process whose time and memory are limited.

Prints a line of JSON for each path: what it was refused with, and null if it was opened. A file that takes too long
ends the process; one that takes too much memory is refused for that.
"""

import json
import resource
import signal
import sys
from pathlib import Path

from charrnn.data import Vocabulary
from charrnn.engines.model_file import open_model
from charrnn.text import corpus, novelty, unknown

SECONDS = 2  # of the processor's time for a file
MEMORY = 50 << 20  # bytes for a file, besides FACTOR times its size
FACTOR = 100


def open_text(path):
    """As for charrnn-sample --novelty and charrnn-evaluate."""
    text = corpus.read(path).text
    novelty.compare("ac" * 5000, text)
    for how in ("skip", "error"):
        unknown.resolve(text, Vocabulary("ab"), how)


READERS = {"model": open_model, "text": open_text}


def memory():
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def main():
    for kind, name in json.loads(sys.argv[1]):
        path = Path(name)
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(
            resource.RLIMIT_AS, (memory() + MEMORY + FACTOR * path.stat().st_size, most)
        )
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            READERS[kind](path)
            message = None
        except ValueError as error:
            message = str(error)
        except MemoryError:
            message = "MemoryError"
        print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
