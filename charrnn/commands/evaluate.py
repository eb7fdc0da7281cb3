"""How well a model predicts a text: ``charrnn-evaluate``."""

import argparse
import contextlib
import itertools
import json
import math
import sys
from typing import Iterator, List, Optional, Tuple

import numpy as np

from charrnn.checkpoints import text_of_run
from charrnn.commands import arguments
from charrnn.data import Vocabulary
from charrnn.engines.opened_model import Model
from charrnn.engines.surprisal import WARM_UP, surprisal
from charrnn.system import errors, terminal, words
from charrnn.text import baselines, unknown


def _read_texts(args: argparse.Namespace, model: Model) -> Tuple[str, str, str]:
    """Return the text to evaluate and its name, and the training text, "" if it cannot be read or is not needed."""
    if args.part:
        return _read_part(args, model)
    given = arguments.read_text(args.places[-1], args.encoding)
    if args.characters:
        return given.text, given.name, ""
    try:
        parts = _training_text(args, model)
    except (ValueError, OSError) as error:
        if args.train_text is not None:
            raise
        terminal.write(
            "without the training text, two lines of the comparison are missing "
            f"({errors.described(error)})\n",
            sys.stderr if args.json else sys.stdout,
        )
        return given.text, given.name, ""
    trained_on = model.run.text_sha256 if model.run else parts.sha256
    known = (
        ", which the model was trained on"
        if text_of_run.divide(given, model.run).sha256 == trained_on
        else ""
    )
    return given.text, given.name + known, parts.training


def _read_part(args: argparse.Namespace, model: Model) -> Tuple[str, str, str]:
    """Return the same as _read_texts, for a part of the training text that the run held out."""
    run = model.run
    name, fraction = (
        ("test text", "test_fraction")
        if args.part == "--test"
        else ("held-out text", "val_fraction")
    )
    if not run or not getattr(run.hyperparameters, fraction):
        raise ValueError(
            f"the run of {model.name} has no {name}: it was trained without {arguments.flag(fraction)}"
        )
    parts = _training_text(args, model)
    if parts.sha256 != run.text_sha256:
        raise ValueError(
            f"{args.train_text or args.vocab_from} is not the text that {model.name} was trained on; "
            "--held-out and --test need that text"
        )
    return (
        parts.test if args.part == "--test" else parts.held_out,
        f"{name} of {run.text_name}",
        parts.training,
    )


def _training_text(args: argparse.Namespace, model: Model) -> text_of_run.TrainingText:
    name = args.vocab_from if args.train_text is None else args.train_text
    return text_of_run.training_text(model.run, name, args.encoding)


def _print_text(name: str, text: str, left_out: int, note: str) -> None:
    """Print which text is measured, and how many characters of it are left out, which a note names."""
    terminal.write(
        f"text     {name}, {len(text):,} characters, {len(text) - 1:,} of them predicted\n",
        sys.stdout,
    )
    if left_out:
        share = 100 * left_out / (left_out + len(text))
        print(
            f"unknown  {note} ({words.plural(left_out, 'character')}, {share:.3g}%), so the result is too low"
        )


def _print_characters(whole: str, known: Vocabulary, bits: np.ndarray) -> None:
    """Print the surprisal of each known character of a text but the first, with its place in the whole text."""
    text = [(place, char) for place, char in enumerate(whole, 1) if char in known.vocab_to_int]
    print(f"\n{'character':>9}  {'':<10}{'log-probability':>16}{'bits':>8}")
    for (place, char), value in zip(text[1:], bits):
        print(f"{place:>9,}  {char!r:<10}{-value * math.log(2):>16.4f}{value:>8.2f}")


def _baselines(text: str, vocabulary: Vocabulary, training: str) -> Iterator[Tuple[str, float]]:
    """Yield (label, nats a character) of simpler methods."""
    if training:
        ids = vocabulary.encode(training), vocabulary.encode(text)
        yield (
            "counts of 5 characters and the next",
            float(baselines.ngram_nats(*ids, len(vocabulary)).mean()),
        )
        yield (
            "xz, after the training text",
            baselines.xz_bits(text, training) * math.log(2) / len(text),
        )
    yield "xz, of this text alone", baselines.xz_bits(text) * math.log(2) / len(text)


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-evaluate``."""
    parser = arguments.Parser(
        prog="charrnn-evaluate",
        usage="%(prog)s [-h] [options] [MODEL] TEXT\n       %(prog)s [-h] [options] --held-out [MODEL]\n"
        "       %(prog)s [-h] [options] --test [MODEL]",
        description="Measure how well a model predicts each character of a text but the first.",
    )
    parser.add_argument(
        "places",
        metavar="[MODEL] TEXT",
        nargs="*",
        help=f"MODEL is {arguments.MODEL_HELP}. TEXT is a path, a known text or - for standard input",
    )
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument(
        "--held-out",
        dest="part",
        action="store_const",
        const="--held-out",
        help="in place of a TEXT, evaluate the part of the training text that was held out with "
        "--val-fraction",
    )
    parts.add_argument(
        "--test",
        dest="part",
        action="store_const",
        const="--test",
        help="in place of a TEXT, evaluate the part that was held out with --test-fraction",
    )
    arguments.add_model_arguments(parser)
    parser.add_argument(
        "--rows",
        metavar="N",
        type=arguments.integer(1),
        default=1,
        help=f"read the text in N pieces in parallel, each with the {WARM_UP} characters before it as "
        "context: faster, but slightly inexact (default: 1)",
    )
    parser.add_argument(
        "--characters",
        action="store_true",
        help="show the surprisal of each character, in place of the comparison with other methods",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--train-text",
        metavar="TEXT",
        help="the training text, for the comparison with other methods (default: the one that the "
        "run names)",
    )
    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-evaluate``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> None:
    n_texts = 0 if args.part else 1
    if not n_texts <= len(args.places) <= n_texts + 1:
        raise ValueError(
            f"{args.part} takes a MODEL, but no TEXT"
            if args.part
            else "give one TEXT to evaluate, and before it a MODEL (default: the newest run)"
        )
    if n_texts and len(args.places) == 1 and arguments.is_model(args.places[0]):
        raise ValueError(
            f"{args.places[0]} is a model: add the TEXT to evaluate it on, or --held-out or --test"
        )
    if args.characters and n_texts and args.train_text is not None:
        raise ValueError(
            "--train-text has no effect with --characters, which compares with nothing"
        )
    arguments.check_encoding(args, args.train_text, args.vocab_from, *args.places[-1:][:n_texts])
    model = arguments.open_named(args.places[0] if len(args.places) > n_texts else None, args)
    whole, name, training = _read_texts(args, model)
    text, note = unknown.resolve(whole, model.vocabulary, "skip")
    training, _ = unknown.resolve(training, model.vocabulary, "skip")
    with contextlib.closing(model.engine(args.rows, len(text))) as engine:
        nats = surprisal(engine, model.vocabulary.encode(text), args.rows, progress=terminal.bar)
    mean = float(np.mean(nats, dtype=np.float64))
    others = () if args.characters else _baselines(text, model.vocabulary, training)
    if args.json:
        print(
            json.dumps(
                {
                    "model": model.name,
                    "text": name,
                    "predicted": len(nats),
                    "left_out": len(whole) - len(text),
                    "nats_per_character": mean,
                    "bits_per_character": mean / math.log(2),
                    **(
                        {"characters": text[1:], "log_probabilities": (-nats).tolist()}
                        if args.characters
                        else {"comparison": dict(others)}
                    ),
                },
                indent=1,
            )
        )
        return
    terminal.write(f"model    {model.name}\n", sys.stdout)
    _print_text(name, text, len(whole) - len(text), note)
    if args.characters:
        _print_characters(whole, model.vocabulary, nats / math.log(2))
    print(f"\n{'':<36}{'nats/char':>10}{'bits/char':>10}{'perplexity':>12}")
    for label, value in itertools.chain([("this model", mean)], others):
        print(
            f"{label:<36}{value:>10.4f} {value / math.log(2):>9.4f} {np.exp(value):>11.3f}",
            flush=True,
        )
