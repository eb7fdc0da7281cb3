"""The surprisal of each character of a text: ``charrnn-score``, or ``python -m charrnn.commands.score``."""
import argparse
import contextlib
import math
import sys
from typing import Iterator, List, Optional, Sequence

import numpy as np

from charrnn.engines import loading
from charrnn.engines.surprisal import surprisal
from charrnn.system import console
from charrnn.text import corpus, unknown

# The surprisal in bits from which a character has a background, and its number of the 256 colours. The text on it is
# black, so that it is legible on white and on black, and the backgrounds differ in lightness as well as in hue.
COLOURS = ((8, 203), (6, 209), (4, 221), (2, 187), (0, None))

LARGEST_EXPONENT = 1024  # from it on, a power of 2 overflows


def coloured(text: str, bits: Sequence[float]) -> str:
    """Colour the characters of a text by their surprisal, for a terminal.

    Args:
        text: T characters.
        bits: T - 1 numbers, the surprisal of each character but the first.
    """
    shown, last = [console.visible(text[:1])], None
    for char, each in zip(text[1:], bits):
        colour = next(colour for least, colour in COLOURS if each >= least)
        if colour != last:
            shown.append(_escape(colour))
            last = colour
        shown.append(console.visible(char))
    return "".join(shown) + _escape(None)


def _escape(colour: Optional[int]) -> str:
    """Return the sequence that switches a terminal to a colour."""
    return "\x1b[0m" if colour is None else f"\x1b[38;5;16;48;5;{colour}m"


def legend() -> str:
    """Return the legend: the least surprisal of each colour, shown in that colour."""
    return "surprisal in bits: " + "  ".join(
        f"{'' if colour is None else _escape(colour)}from {least}{_escape(None)}"
        for least, colour in reversed(COLOURS))


def table(text: str, bits: Sequence[float]) -> Iterator[str]:
    """Yield the lines of a table with one line for each character but the first."""
    yield f"{'character':>9}  {'':<10}{'log-probability':>16}{'bits':>8}"
    for place, (char, each) in enumerate(zip(text[1:], bits), 2):
        yield f"{place:>9,}  {char!r:<10}{-each * math.log(2):>16.4f}{each:>8.2f}"


def _parser() -> console.Parser:
    parser = console.Parser(
        prog="charrnn-score",
        description="Show the natural log-probability of each character of a text but the first, and its "
                    "surprisal in bits: as a table, and on a terminal also as a coloured text.",
        epilog="examples:\n"
               "  charrnn-score checkpoints/small --text 'Happy families are all alike'\n"
               "  charrnn-score model.npz --file chapter.txt --no-table")
    parser.add_argument("model", metavar="MODEL", nargs="?", default=None, help=loading.MODEL_HELP)
    loading.add_model_arguments(parser)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--text", metavar="TEXT", help="the text; - reads it from standard input")
    given.add_argument("--file", metavar="FILE", help="a path or a known text")
    parser.add_argument("--unknown", choices=unknown.CHOICES, default="error",
                        help="what to do with characters that the model does not know, as for charrnn-sample "
                             "(default: error)")
    parser.add_argument("--color", choices=["auto", "always", "never"], default="auto",
                        help="show the text in colours (default: auto, on a terminal)")
    parser.add_argument("--no-table", action="store_true", help="print no table")
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-score``; return its exit status."""
    return console.run_main(_main, _parser(), argv)


def _main(args: argparse.Namespace) -> None:
    model = loading.open_named(args.model, args)
    source = args.file if args.text is None else args.text if args.text == corpus.STANDARD_INPUT else None
    text = args.text if source is None else corpus.read(source, args.encoding).text
    text, note = unknown.resolve(text, model.vocabulary, args.unknown)
    if note:
        console.print_note(note)
    with contextlib.closing(loading.load_engine(model)) as engine:
        bits = surprisal(engine, model.vocabulary.encode(text)) / math.log(2)
    if not args.no_table:
        for line in table(text, bits):
            print(line)
    if console.shows_colours(args.color):
        print(f"\n{coloured(text, bits)}\n{legend()}\n")
    mean = np.mean(bits, dtype=np.float64)
    perplexity = f"{2 ** mean:.3f}" if mean < LARGEST_EXPONENT else "infinite"
    print(f"{console.plural(len(bits), 'character')}, {mean:.4f} bits each, perplexity {perplexity}")


if __name__ == "__main__":
    sys.exit(main())
