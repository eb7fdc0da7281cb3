"""How well a model predicts a text: ``charrnn-evaluate``."""

import argparse
import contextlib
import importlib.util
import json
import math
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from charrnn.checkpoints import text_of_run
from charrnn.commands import arguments
from charrnn.commands.named_models import (
    MODEL_HELP,
    add_model_arguments,
    is_model,
    open_named,
    read_named,
)
from charrnn.data import Vocabulary
from charrnn.engines.surprisal import WARM_UP, surprisal
from charrnn.engines.trained_model import Model
from charrnn.system import errors, terminal, words
from charrnn.system.commands_to_type import flag
from charrnn.text import baselines, unknown

# characters from which on the graph pays
LONG_TEXT = 100_000
# what a model is compared with
COUNTS = "n-gram counts"


class EvaluatedText(NamedTuple):
    """What is read for an evaluation.

    Attributes:
        text: the text to measure, with characters that the model does not know.
        name: its name in the report.
        training: the training text, "" if it cannot be read or is not needed.
    """

    text: str
    name: str
    training: str


def _read_texts(args: argparse.Namespace, model: Model, name: str) -> EvaluatedText:
    """Read a text that is named, and the training text."""
    text = read_named(name, args)
    if args.characters:
        return EvaluatedText(text.text, text.name, training="")
    try:
        parts = model.training_text()
    except (ValueError, OSError) as error:
        if args.train_text is not None:
            raise
        reports = sys.stderr if args.json else sys.stdout
        terminal.write(
            f"without the training text, there are no {COUNTS} ({errors.described(error)})\n",
            reports,
        )
        return EvaluatedText(text.text, text.name, training="")

    trained_on = model.run.text_sha256 if model.run else parts.sha256
    is_known = text_of_run.divide(text, model.run).sha256 == trained_on
    name_in_report = text.name
    if is_known:
        name_in_report = f"{text.name}, which the model was trained on"
    return EvaluatedText(text.text, name_in_report, parts.training)


def _read_part(args: argparse.Namespace, model: Model) -> EvaluatedText:
    """Read the part of the training text that the run held out."""
    if args.part == "--test":
        name = "test text"
        fraction = "test_fraction"
    else:
        name = "held-out text"
        fraction = "val_fraction"
    run = model.run
    if not run or not getattr(run.hyperparameters, fraction):
        raise ValueError(
            f"the run of {model.name} has no {name}: it was trained without {flag(fraction)}"
        )
    parts = model.training_text()
    if parts.sha256 != run.text_sha256:
        raise ValueError(
            f"{args.train_text or args.vocab_from} is not the text that {model.name} was trained on; "
            "--held-out and --test need that text"
        )
    part = parts.test if args.part == "--test" else parts.held_out
    return EvaluatedText(part, f"{name} of {run.text_name}", parts.training)


def _print_text(name: str, text: str, left_out: int, note: str) -> None:
    """Print which text is measured, and how many characters of it are left out, which a note names."""
    terminal.write(
        f"text     {name}, {len(text):,} characters, {len(text) - 1:,} of them predicted\n",
        sys.stdout,
    )
    if left_out:
        characters = words.plural(left_out, "character")
        share = 100 * left_out / (left_out + len(text))
        print(f"unknown  {note} ({characters}, {share:.3g}%), so the result is too low")


def _print_characters(whole: str, vocabulary: Vocabulary, nats: np.ndarray) -> None:
    """Print the surprisal of each known character of a text but the first, with its place in the whole text."""
    known = [
        (place, char) for place, char in enumerate(whole, 1) if char in vocabulary.vocab_to_int
    ]
    bits = nats / math.log(2)
    print(f"\n{'character':>9}  {'':<10}{'log-probability':>16}{'bits':>8}")
    for (place, char), nats_of_char, bits_of_char in zip(known[1:], nats, bits):
        print(f"{place:>9,}  {char!r:<10}{-nats_of_char:>16.4f}{bits_of_char:>8.2f}")


def _ngram_counts(
    text: str, vocabulary: Vocabulary, training: str
) -> Optional[baselines.NgramCounts]:
    """Return the n-gram counts that predict a text best; None without the training text."""
    if not training:
        return None
    return baselines.best_ngram_counts(
        vocabulary.encode(training), vocabulary.encode(text), len(vocabulary)
    )


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
        help=f"MODEL is {MODEL_HELP}. TEXT is a path, a known text or - for standard input",
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
    add_model_arguments(parser)

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
        help="show the surprisal of each character, in place of the comparison with n-gram counts",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--train-text",
        metavar="TEXT",
        help="the training text, for the comparison with n-gram counts (default: the one that the "
        "run names)",
    )

    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-evaluate``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> None:
    model_place, text_place = _places(args)
    model = open_named(model_place, args)
    if text_place is None:
        whole, name, training = _read_part(args, model)
    else:
        whole, name, training = _read_texts(args, model, text_place)

    text, note = unknown.resolve(whole, model.vocabulary, "skip")
    training, _ = unknown.resolve(training, model.vocabulary, "skip")
    left_out = len(whole) - len(text)
    if not args.json and len(text) > 1:
        # First, because measuring a long text takes minutes.
        terminal.write(f"model    {model.name}\n", sys.stdout)
        _print_text(name, text, left_out, note)
    with contextlib.closing(
        model.engine(in_graph=_measures_in_graph(args.rows, len(text)))
    ) as engine:
        nats = surprisal(engine, model.vocabulary.encode(text), args.rows, progress=terminal.bar)
    mean = float(np.mean(nats, dtype=np.float64))

    if args.json:
        report: Dict[str, Any] = {
            "model": model.name,
            "text": name,
            "predicted": len(nats),
            "left_out": left_out,
            "nats_per_character": mean,
            "bits_per_character": mean / math.log(2),
        }
        if args.characters:
            report["characters"] = text[1:]
            report["log_probabilities"] = (-nats).tolist()
        else:
            report["comparison"] = {}
            report["ngram_length"] = None
            counts = _ngram_counts(text, model.vocabulary, training)
            if counts:
                report["comparison"][COUNTS] = counts.nats
                report["ngram_length"] = counts.length
        print(json.dumps(report, indent=1))
        return

    if args.characters:
        _print_characters(whole, model.vocabulary, nats)
    print(f"\n{'':<36}{'nats/char':>10}{'bits/char':>10}{'perplexity':>12}")
    _print_row("this model", mean)
    if args.characters:
        return
    counts = _ngram_counts(text, model.vocabulary, training)
    if counts:
        _print_row(f"{COUNTS}, best length: {counts.length}", counts.nats)


def _measures_in_graph(rows: int, length: int) -> bool:
    """Return whether the graph saves more time than TensorFlow takes to start."""
    if importlib.util.find_spec("tensorflow") is None:
        return False
    return rows > 3 and length >= LONG_TEXT


def _places(args: argparse.Namespace) -> Tuple[Optional[str], Optional[str]]:
    """Return the MODEL and the TEXT among the arguments, None where there is none."""
    if args.part:
        if len(args.places) > 1:
            raise ValueError(f"{args.part} takes a MODEL, but no TEXT")
        model = args.places[0] if args.places else None
        return model, None

    if not 1 <= len(args.places) <= 2:
        raise ValueError(
            "give one TEXT to evaluate, and before it a MODEL (default: the newest run)"
        )
    if len(args.places) == 2:
        model, text = args.places
        return model, text
    (text,) = args.places
    if is_model(text):
        raise ValueError(
            f"{text} is a model: add the TEXT to evaluate it on, or --held-out or --test"
        )
    return None, text


def _print_row(label: str, nats: float) -> None:
    """Print a row of the comparison at once, because the next one may take seconds."""
    bits = nats / math.log(2)
    print(f"{label:<36}{nats:>10.4f} {bits:>9.4f} {np.exp(nats):>11.3f}", flush=True)
