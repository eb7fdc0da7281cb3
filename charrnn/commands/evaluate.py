"""How well a model predicts a text: ``charrnn-evaluate``, or ``python -m charrnn.commands.evaluate``."""
import argparse
import contextlib
import math
import sys
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from charrnn.data import Vocabulary
from charrnn.engines import loading
from charrnn.engines.surprisal import LEAST_PIECE, WARM_UP, surprisal
from charrnn.system import console
from charrnn.text import baselines, corpus
from charrnn.text.unknown import leave_out_unknown

LARGEST_EXPONENT = 709  # above it, exp overflows
LONG_TEXT = 200_000  # characters from which reading in one row takes minutes


class _Texts(NamedTuple):
    """The text to evaluate and its name, the training text, and why that could not be read, or ""."""

    text: str
    name: str
    training: str
    problem: str


def _read_texts(args: argparse.Namespace, model: loading.Model) -> _Texts:
    """Read the text to evaluate, and if possible the training text to compare with."""
    run = model.run
    found, problem = loading.TrainingText("", "", "", ""), ""
    try:
        found = loading.training_text(
            run, args.vocab_from if args.train_text is None else args.train_text, args.encoding)
    except ValueError as error:
        if args.held_out or args.test or args.train_text is not None:
            raise
        problem = str(error)
    if not args.held_out and not args.test:
        given = corpus.read(args.places[-1], args.encoding)
        console.print_skipped(given.skipped)
        known = ", which the model was trained on" if given.sha256 == found.sha256 else ""
        return _Texts(given.text, given.name + known, found.training, problem)
    if run and found.sha256 != run.text_sha256:
        raise ValueError(f"{args.train_text or args.vocab_from} is not the text that {model.name} was trained on; "
                         "--held-out and --test need that text")
    part, what, flag = (found.test, "test", "--test-fraction") if args.test else (
        found.held_out, "held-out", "--val-fraction")
    if not run or not part:
        raise ValueError(f"the run of {model.name} has no {what} text: it was trained without {flag}")
    return _Texts(part, f"{'test text' if args.test else 'held out'} of {run.text_name}", found.training, problem)


def _print_text(name: str, text: str, left_out: Dict[str, int]) -> None:
    """Print what is measured, and what leaving out characters does to the result."""
    console.write(f"text     {name}, {len(text):,} characters, {len(text) - 1:,} of them predicted\n", sys.stdout)
    if left_out:
        count = sum(left_out.values())
        chars = console.listed(f"{char!r} {console.plural(times, 'time')}" for char, times in left_out.items())
        share = 100 * count / (count + len(text))
        print(f"unknown  {console.plural(count, 'further character')} ({share:.3g}%) that the model does not know "
              f"{'is' if count == 1 else 'are'} left out: {chars}. The model gives them the probability 0, so with "
              "them the result would be infinite. Without them it is too low.")


def _rows_of_table(nats: np.ndarray, text: str, vocabulary: Vocabulary,
                   training: str) -> Iterator[Tuple[str, float]]:
    """Yield (label, nats a character) of the model and of the baselines."""
    yield "this model", float(np.mean(nats, dtype=np.float64))
    if training:
        ids = vocabulary.encode(training), vocabulary.encode(text)
        yield "counts of 5 characters and the next", float(baselines.ngram_nats(*ids, len(vocabulary)).mean())
        yield "xz, after the training text", baselines.xz_bits(text, training) * math.log(2) / len(text)
    yield "xz, of this text alone", baselines.xz_bits(text) * math.log(2) / len(text)


def _short(perplexity: float) -> str:
    """Return a perplexity that fits its column."""
    return f"{perplexity:.3f}" if perplexity < 1e6 else f"{perplexity:.3e}"


def _bar(windows: Iterable[int]) -> Iterable[int]:
    """Show a progress bar on a terminal while windows are read."""
    with contextlib.suppress(ImportError):
        import tqdm
        return tqdm.tqdm(windows, unit=" windows", disable=None, leave=False)
    return windows


def _parser() -> console.Parser:
    parser = console.Parser(
        prog="charrnn-evaluate",
        usage="%(prog)s [-h] [options] [MODEL] TEXT\n       %(prog)s [-h] [options] --held-out [MODEL]\n"
              "       %(prog)s [-h] [options] --test [MODEL]",
        description="Measure how well a model predicts each character of a text but the first.",
        epilog="examples:\n"
               "  charrnn-evaluate checkpoints/small tiny-shakespeare\n"
               "  charrnn-evaluate --held-out --best checkpoints/quick\n"
               "  charrnn-evaluate model.npz other.txt")
    parser.add_argument("places", metavar="[MODEL] TEXT", nargs="*",
                        help=f"{loading.MODEL_HELP}, and a path or a known text")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--held-out", action="store_true",
                       help="evaluate the part of the training text that the run held out for validation, in place "
                            "of a TEXT")
    parts.add_argument("--test", action="store_true",
                       help="evaluate the part that the run held out with --test-fraction, in place of a TEXT")
    loading.add_model_arguments(parser)
    parser.add_argument("--rows", metavar="N", type=int, default=1,
                        help=f"read the text in N pieces in parallel, of at least {LEAST_PIECE} characters, each after "
                             f"the {WARM_UP} characters before it: faster, but slightly inexact, because a piece lacks "
                             "what comes earlier (default: 1, which is exact)")
    parser.add_argument("--train-text", metavar="TEXT", default=None,
                        help="the training text, for the comparison with other methods (default: the one that the "
                             "run names)")
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-evaluate``; return its exit status."""
    return console.run_main(_main, _parser(), argv)


def _main(args: argparse.Namespace) -> None:
    part = "--test" if args.test else "--held-out" if args.held_out else ""
    n_texts = 0 if part else 1
    if not n_texts <= len(args.places) <= n_texts + 1:
        raise ValueError(f"{part} takes a MODEL, but no TEXT" if part else
                         "give one TEXT to evaluate, and before it the MODEL unless it is in checkpoints")
    if n_texts and len(args.places) == 1 and loading.is_model(args.places[0]):
        raise ValueError(f"{args.places[0]} is a model: add the TEXT to evaluate it on, or --held-out or --test")
    if args.rows < 1:
        raise ValueError(f"--rows must be at least 1, not {args.rows}")
    model = loading.open_named(args.places[0] if len(args.places) > n_texts else None, args)
    text, name, training, problem = _read_texts(args, model)
    text, left_out = leave_out_unknown(text, model.vocabulary)
    training, _ = leave_out_unknown(training, model.vocabulary)
    if len(text) < 2:
        raise ValueError(f"a text to evaluate needs at least 2 characters that the model knows, and {name} has "
                         f"{len(text)}")
    console.write(f"model    {model.name}\n", sys.stdout)
    _print_text(name, text, left_out)
    if problem:
        console.write(f"training cannot be read, so two baselines are missing: {problem}\n", sys.stdout)
    sys.stdout.flush()
    if len(text) > LONG_TEXT and args.rows == 1:
        console.print_note("this text is long: --rows 32 reads it in 32 pieces in parallel, which is faster")
    with contextlib.closing(loading.load_engine(model, args.rows, len(text))) as engine:
        nats = surprisal(engine, model.vocabulary.encode(text), args.rows, progress=_bar)
    print(f"\n{'':<36}{'nats/char':>10}{'bits/char':>10}{'perplexity':>12}")
    for label, value in _rows_of_table(nats, text, model.vocabulary, training):
        perplexity = _short(math.exp(value)) if value < LARGEST_EXPONENT else "infinite"
        print(f"{label:<36}{value:>10.4f} {value / math.log(2):>9.4f} {perplexity:>11}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
