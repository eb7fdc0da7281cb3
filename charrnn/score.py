"""How surprised a model is by each character of a text: ``charrnn-score``, or ``python -m charrnn.score``."""
import argparse
import math
import os
import sys

import numpy as np

from charrnn.engines import loading as models
from charrnn.evaluate import measure
from charrnn.system import console
from charrnn.text import corpus, unknown

# Surprise in bits from which a character is shown in a colour, with the colour's number of the 256.
COLOURS = ((8, 196), (6, 208), (4, 220), (2, 150), (0, None))


def coloured(text, bits):
    """Return a text whose characters have the colours of their surprise, for a terminal.

    Args:
        text: str of T characters.
        bits: float array [T - 1], the surprise of each but the first.
    """
    shown, last = [text[:1]], None
    for char, each in zip(text[1:], bits):
        colour = next(colour for least, colour in COLOURS if each >= least)
        if colour != last:
            shown.append("\x1b[0m" if colour is None else "\x1b[38;5;{}m".format(colour))
            last = colour
        shown.append(char)
    return "".join(shown) + "\x1b[0m"


def legend():
    """Return what the colours mean, in the colours."""
    return "surprise in bits: " + "  ".join(
        "{}from {}\x1b[0m".format("" if colour is None else "\x1b[38;5;{}m".format(colour), least)
        for least, colour in reversed(COLOURS))


def table(text, bits):
    """Yield the lines of a table with a line for each character but the first."""
    yield "{:>9}  {:<10}{:>16}{:>8}".format("character", "", "log-probability", "bits")
    for place, (char, each) in enumerate(zip(text[1:], bits), 2):
        yield "{:>9,}  {:<10}{:>16.4f}{:>8.2f}".format(place, repr(char), -each * math.log(2), each)


def _parser():
    parser = console.Parser(
        prog="charrnn-score", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Show how surprised a model is by each character of a text but the first: its log-probability "
                    "(natural) and the surprise in bits, as a table, and on a terminal the text in colours.",
        epilog="examples:\n"
               "  charrnn-score checkpoints/small --text 'Happy families are all alike'\n"
               "  charrnn-score model.npz --file chapter.txt --no-table")
    parser.add_argument("model", metavar="MODEL", nargs="?", default="checkpoints",
                        help="a checkpoint, a folder for its latest one, or an exported .npz (default: checkpoints)")
    models.add_arguments(parser)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--text", metavar="TEXT", help="the text; - reads it from standard input")
    given.add_argument("--file", metavar="FILE", help="a path or a known text")
    parser.add_argument("--unknown", choices=unknown.CHOICES, default="error",
                        help="what to do with characters that the model never saw, as for charrnn-sample "
                             "(default: error)")
    parser.add_argument("--color", choices=["auto", "always", "never"], default="auto",
                        help="show the text in colours (default: auto, on a terminal)")
    parser.add_argument("--no-table", action="store_true", help="leave the table out")
    return parser


def main(argv=None):
    """Run ``charrnn-score``; return its exit status."""
    return console.run(_main, _parser(), argv)


def _main(args):
    model = models.open_named(args.model, args)
    text = corpus.read(args.file, args.encoding).text if args.file is not None else (
        console.read_input() if args.text == "-" else args.text)
    text, note = unknown.resolve(text, model.vocabulary, args.unknown)
    if note:
        print(note, file=sys.stderr)
    bits = measure(model, model.vocabulary.encode(text)) / math.log(2)
    if args.color == "always" or (args.color == "auto" and sys.stdout.isatty() and "NO_COLOR" not in os.environ):
        print("{}\n{}\n".format(coloured(text, bits), legend()))
    if not args.no_table:
        for line in table(text, bits):
            print(line)
    print("{:,} characters, {:.4f} bits each, perplexity {:.3f}".format(
        len(bits), np.mean(bits, dtype=np.float64), 2 ** np.mean(bits, dtype=np.float64)))


if __name__ == "__main__":
    sys.exit(main())
