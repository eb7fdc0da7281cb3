"""Read texts of unknown origin one after the other, in a process whose time and memory are limited.

Prints a line of JSON for each path: what it was refused with, and null if it was read. A file that takes too long
ends the process; one that takes too much memory is refused for that.
"""

import json
import resource
import signal
import sys
from pathlib import Path

from charrnn.data import Vocabulary
from charrnn.text import corpus, novelty, unknown

SECONDS = 2  # of the processor's time for a file
MEMORY = 50 << 20  # bytes for a file, besides FACTOR times its size
FACTOR = 100


def read_text(path):
    """Read a text as charrnn-sample --novelty and charrnn-evaluate do."""
    text = corpus.read(path).text
    novelty.compare("ac" * 5000, text)
    for how in ("skip", "error"):
        unknown.resolve(text, Vocabulary("ab"), how)


def memory():
    """Return the bytes that this process has."""
    pages, *_ = Path("/proc/self/statm").read_text().split()
    return int(pages) * resource.getpagesize()


def limit(path):
    """Limit the memory and the time for a file."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    allowed = memory() + MEMORY + FACTOR * path.stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)


def main():
    for name in sys.argv[1:]:
        path = Path(name)
        limit(path)
        try:
            read_text(path)
            message = None
        except ValueError as error:
            message = str(error)
        except MemoryError:
            message = "MemoryError"
        print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
