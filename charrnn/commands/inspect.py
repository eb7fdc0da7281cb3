"""What the units of a network track: ``charrnn-inspect``."""

import argparse
import contextlib
import itertools
import json
import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from charrnn.checkpoints import text_of_run
from charrnn.commands import arguments
from charrnn.commands.named_models import (
    MODEL_HELP,
    add_model_arguments,
    open_named,
    read_named,
)
from charrnn.engines import Engine
from charrnn.engines.trained_model import Model
from charrnn.inspection import units
from charrnn.system import terminal
from charrnn.text import unknown

# number of units without a feature to list
UNNAMED = 5


def table(
    measured: units.Measured, count: int, text_name: str, init_from: Optional[str]
) -> Iterator[str]:
    """Yield the lines of a table: for each feature the units that track it best, and what was measured.

    The last one names the model that the network began with, if there was one.
    """
    yield f"{'what is tracked':<30}{'unit':>10}{'correlation':>13}   next best"
    tracked = set()
    for best, *others in measured.best(count):
        tracked.add(best.feature)
        next_best = ", ".join(f"{other.unit} {other.correlation:+.2f}" for other in others)
        row = f"{best.feature:<30}{best.unit!s:>10}{best.correlation:>+13.2f}   {next_best}"
        yield row.rstrip()

    missing = [name for name in measured.features if name not in tracked]
    if missing:
        yield f"no unit reaches {units.LEAST_CORRELATION} for: {', '.join(missing)}"
    unnamed = ", ".join(map(str, measured.expressive(UNNAMED)))
    yield f"units that vary most and track none of these: {unnamed or 'none'}"
    n_units = f"{measured.deviation.size:,} units"
    yield f"{n_units}, measured on {measured.length:,} characters of {text_name}"
    if init_from:
        yield f"the network began with the model {init_from}"


def _report(
    measured: units.Measured, count: int, text_name: str, init_from: Optional[str]
) -> Dict[str, Any]:
    """Return the content of the table, for JSON."""
    return {
        "init_from": init_from,
        "text": text_name,
        "characters": measured.length,
        "features": list(measured.features),
        "units": [
            {
                "feature": tracking.feature,
                "unit": str(tracking.unit),
                "correlation": round(tracking.correlation, 4),
            }
            for tracking in itertools.chain(*measured.best(count))
        ],
        "expressive": [str(unit) for unit in measured.expressive(UNNAMED)],
    }


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-inspect``."""
    parser = arguments.Parser(
        prog="charrnn-inspect",
        usage="%(prog)s [-h] [options] [MODEL]",
        description="List the units of a network by what they track in a text. A unit is named by layer, part and "
        "number: 2/c/317 is the memory of unit 317 in layer 2, 2/h/317 its output. The units are "
        "chosen on the first half of the text, and their correlations measured on the second.",
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", default=None, help=MODEL_HELP)
    add_model_arguments(parser)

    parser.add_argument(
        "--text",
        metavar="TEXT",
        default=None,
        help="a path or a known text; - reads standard input (default: the training text)",
    )
    parser.add_argument(
        "--characters",
        metavar="N",
        type=arguments.integer(2),
        default=units.CHARACTERS,
        help=f"how much of the text is read (default: {units.CHARACTERS})",
    )
    parser.add_argument(
        "--unknown",
        choices=unknown.CHOICES,
        default="error",
        help="what to do with characters that the model does not know, as for charrnn-sample "
        "(default: error)",
    )
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--top",
        metavar="N",
        type=arguments.integer(1),
        help="units listed for each property (default: 3)",
    )
    either.add_argument(
        "--unit",
        metavar="UNIT",
        default=None,
        help="show what this unit tracks, and its values over the beginning of the text",
    )
    parser.add_argument(
        "--passage",
        metavar="N",
        type=arguments.integer(1),
        help="with --unit: how much of the text is shown (default: 100)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")

    return parser


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-inspect``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> None:
    arguments.check_needs(args, passage=["unit"])

    model = open_named(args.model, args)
    with contextlib.closing(model.engine()) as engine:
        unit = None
        if args.unit is not None:
            num_parts = len(engine.zero_state())
            parts = units.part_names(model.num_layers, num_parts)
            unit = units.unit_named(args.unit, parts, model.lstm_size)

        text, text_name = _read_text(args, model)
        measured = units.measure(engine, text, model.num_layers, terminal.bar)
        if unit is None:
            init_from = model.run.init_from if model.run else None
            _print_units(args, measured, text_name, init_from)
        else:
            passage = text[: args.passage or 100]
            _print_unit(engine, measured, unit, passage, args.json)


def _read_text(args: argparse.Namespace, model: Model) -> Tuple[str, str]:
    """Return the text to measure on, with characters that the model knows, and its name in the report."""
    named = args.vocab_from if args.text is None else args.text
    if named is None:
        whole = text_of_run.training_text(model.run, flag="--text").training
        # Without a record of a run, there is no such text.
        assert model.run
        text_name = f"the training text, {model.run.text_name}"
    else:
        read = read_named(named, args)
        whole = read.text
        text_name = read.name

    text, note = unknown.resolve(whole[: args.characters], model.vocabulary, args.unknown)
    if note:
        terminal.print_note(note)
    if len(text) < 2:
        raise ValueError("the text needs at least 2 characters that the model knows")
    return text, text_name


def _print_units(
    args: argparse.Namespace, measured: units.Measured, text_name: str, init_from: Optional[str]
) -> None:
    count = args.top or 3
    if args.json:
        print(json.dumps(_report(measured, count, text_name, init_from)))
        return
    for line in table(measured, count, text_name, init_from):
        terminal.write(f"{line}\n", sys.stdout)


def _print_unit(
    engine: Engine, measured: units.Measured, unit: units.Unit, text: str, as_json: bool
) -> None:
    """Print the values of a unit over a text, and what it tracks."""
    pieces = units.activations(engine, engine.vocabulary.encode(text), measured.parts)
    activations = np.concatenate(list(pieces))  # [T, S, L]
    values = activations[:, unit.part, unit.column]
    tracked = measured.tracked_by(unit)
    if as_json:
        report = {
            "unit": str(unit),
            "tracks": [[name, round(correlation, 4)] for _, name, correlation in tracked],
            "text": text,
            "values": [round(float(value), 4) for value in values],
        }
        print(json.dumps(report))
        return

    for place, (char, value) in enumerate(zip(text, values), 1):
        print(f"{place:>9,}  {char!r:<10}{value:>+8.2f}")
    for _, name, correlation in tracked:
        print(f"{name:<30}{correlation:>+8.2f}")
