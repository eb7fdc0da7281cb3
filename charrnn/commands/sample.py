"""Writing text from the command line: ``charrnn-sample``."""

import argparse
import contextlib
import functools
import json
import sys
from dataclasses import asdict
from typing import FrozenSet, List, Optional, Tuple

from charrnn.checkpoints import text_of_run
from charrnn.commands import arguments
from charrnn.commands.interactive import Conversation
from charrnn.engines import sampler
from charrnn.engines.decoding import Settings
from charrnn.engines.opened_model import Model
from charrnn.engines.sampler import (
    Sample,
    Sampler,
    check_prime,
    choose_settings,
    default_prime,
    fresh_seed,
)
from charrnn.system import terminal, words
from charrnn.text import novelty, unknown

# The arguments that --interactive cannot be combined with, and their defaults.
NOT_INTERACTIVE = {
    "prime": None,
    "stop": None,
    "num_samples": 1,
    "lines": None,
    "new": False,
    "json": False,
    "novelty": False,
}


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-sample``."""
    parser = arguments.Parser(
        prog="charrnn-sample", description="Generate text from a model, character by character."
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", help=arguments.MODEL_HELP)
    arguments.add_model_arguments(parser)
    group = parser.add_argument_group("text")
    group.add_argument(
        "--prime",
        metavar="TEXT",
        help="beginning of the text, \\n for a line end (default: 'The ' or another frequent word)",
    )
    group.add_argument(
        "--unknown",
        choices=unknown.CHOICES,
        help="what to do with characters of the prime that the model does not know: skip leaves them "
        "out, nearest replaces accented letters, quotes and dashes (default: error)",
    )
    group.add_argument(
        "--length",
        metavar="N",
        type=arguments.integer(1),
        default=1000,
        help="characters to draw after the prime (default: 1000)",
    )
    group.add_argument(
        "--stop", metavar="STRING", help="end a text after this string, \\n for a line end"
    )
    group.add_argument(
        "--num-samples",
        metavar="N",
        type=arguments.integer(1, sampler.MOST_TEXTS),
        default=1,
        help="texts to write at once, with a line between them (default: 1)",
    )
    group.add_argument(
        "--lines",
        metavar="N",
        type=arguments.integer(1, sampler.MOST_TEXTS),
        help="write N lines, one text in each: names, titles, tunes. Each begins after a line end",
    )
    group.add_argument(
        "--new",
        action="store_true",
        help="with --lines: leave out lines of the training text, and repeated ones, and write others",
    )
    group.add_argument(
        "--interactive",
        action="store_true",
        help="continue each line that is typed; /help lists the commands",
    )
    group = parser.add_argument_group("decoding")
    group.add_argument(
        "--temperature",
        metavar="X",
        type=float,
        default=1.0,
        help="divide the logits by X; 0 takes the most probable character each time (default: 1)",
    )
    group.add_argument(
        "--top-n",
        metavar="N",
        type=int,
        help="draw from the N most probable characters (default: 5, or all with --top-p, --lines or "
        f"a vocabulary of more than {sampler.LARGE_VOCABULARY} characters)",
    )
    group.add_argument(
        "--top-p",
        metavar="P",
        type=float,
        help="draw from the fewest most probable characters whose probabilities add up to P, after "
        "--temperature and --top-n are applied (above 0, at most 1; default: 1, or "
        f"{sampler.LINES_TOP_P} with --lines)",
    )
    group.add_argument(
        "--seed",
        metavar="N",
        type=arguments.integer(0, sampler.SEEDS - 1),
        help="seed of the first text; each further text has the next seed (default: a new one)",
    )
    group = parser.add_argument_group("reports")
    group.add_argument(
        "--json",
        action="store_true",
        help="print JSON: the texts, seeds, settings and the log-probability of each character",
    )
    group.add_argument(
        "--novelty",
        action="store_true",
        help="report after the texts how much of each, or with --lines how many, are copied",
    )
    group.add_argument(
        "--train-text",
        metavar="TEXT",
        help="the training text for --novelty and --new (default: the one that the model names)",
    )
    return parser


def check_arguments(args: argparse.Namespace) -> None:
    """Raise ValueError if arguments cannot be combined. Resolve those that stand for others."""
    arguments.check_needs(
        args, new=["lines"], train_text=["novelty", "new"], unknown=["prime", "interactive"]
    )
    arguments.check_encoding(args, args.train_text, args.vocab_from)
    for mode, names in (
        ("interactive", [*NOT_INTERACTIVE]),
        ("lines", ["prime", "stop", "num_samples"]),
    ):
        for name in names if getattr(args, mode) else ():
            if getattr(args, name) != NOT_INTERACTIVE[name]:
                raise ValueError(f"--{mode} and {arguments.flag(name)} cannot be combined")
    if args.lines:
        args.prime = "\n"
        args.stop = "\n"
        args.num_samples = args.lines
    args.prime, args.stop = (
        given and given.replace("\\n", "\n") for given in (args.prime, args.stop)
    )
    args.unknown = args.unknown or "error"


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-sample``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> int:
    check_arguments(args)
    model = arguments.open_named(args.model, args)
    settings = choose_settings(
        len(model.vocabulary), args.temperature, args.top_n, args.top_p, bool(args.lines)
    )
    prime = "" if args.interactive else _prime(args, model)
    text = (
        text_of_run.training_text(model.run, args.train_text, args.encoding)
        if args.novelty or args.new
        else None
    )
    known = text.lines() if text and args.lines else frozenset()
    characters = args.num_samples * (sampler.CHUNK if args.lines else args.length)
    with contextlib.closing(model.engine(args.num_samples, characters)) as engine:
        writer = Sampler(engine, args.num_samples)
        if args.interactive:
            return Conversation(writer, settings, args.length, args.unknown, args.seed).run()
        samples, interrupted = _draw_and_print(
            args, writer, prime, settings, known if args.new else None
        )
    training = text.training if text and args.novelty else ""
    if args.json:
        copies = [
            novelty.compare(sample.text, training) if training else None for sample in samples
        ]
        json.dump(_as_json(model.name, prime, settings, samples, copies), sys.stdout, indent=1)
        print()
    elif args.lines and training:
        count = sum(sample.text.strip() in known for sample in samples)
        print(
            f"novelty: {count:,} of {words.plural(len(samples), 'line')} are in the training text"
        )
    else:
        for sample in samples if training else ():
            print(_novelty_line(sample.text, novelty.compare(sample.text, training)))
    if interrupted:
        terminal.print_note("charrnn-sample: interrupted")
    return 130 if interrupted else 0


def _prime(args: argparse.Namespace, model: Model) -> str:
    """Return the prime that the arguments give, in characters of the vocabulary."""
    if args.prime is None:
        return default_prime(model.vocabulary, model.run)
    prime, note = unknown.resolve(args.prime, model.vocabulary, args.unknown, "the prime")
    if note:
        terminal.print_note(note)
    check_prime(prime, model.vocabulary)
    return prime


def _draw_and_print(
    args: argparse.Namespace,
    writer: Sampler,
    prime: str,
    settings: Settings,
    known: Optional[FrozenSet[str]],
) -> Tuple[List[Sample], bool]:
    """Draw the texts, and print them unless the output is JSON. A single text is printed while it is drawn.

    Lines that are known are left out, and the number of these is printed. Return the texts, and whether Ctrl-C ended
    them early.
    """
    seed = args.seed
    if seed is None:
        seed = fresh_seed()
        if not settings.takes_most_probable:
            terminal.print_note(f"seed {seed}")
    show = functools.partial(terminal.write, file=sys.stdout)
    if args.lines:
        samples, left_out, interrupted = writer.write_lines(args.length, settings, seed, known)
        if not args.json:
            show("".join(sample.text.rstrip("\n") + "\n" for sample in samples))
        few = f"there are {len(samples):,} of {words.plural(args.lines, 'line')}" * (
            len(samples) < args.lines
        )
        if known is not None:
            few = few and f", so that {few}"
            terminal.print_note(
                f"left out {words.plural(left_out, 'line')} of the training text, or repeated{few}"
            )
        elif few and not interrupted:
            terminal.print_note(f"{few}, because the others that were drawn are blank")
        return samples, interrupted
    alone = args.num_samples == 1 and not args.json
    if alone:
        show(prime)
    samples, interrupted = writer.write(
        prime, args.length, settings, seed, stop=args.stop, show=show if alone else None
    )
    if alone:
        show("\n")
    elif not args.json:
        show(("-" * 70 + "\n").join(f"{prime}{sample.text}\n" for sample in samples))
    return samples, interrupted


def _novelty_line(text: str, copied: novelty.Novelty) -> str:
    run = text[copied.start : copied.start + copied.longest]
    of_what = (
        "the text is"
        if len(text) < novelty.WINDOW
        else f"the {novelty.WINDOW}-character windows are"
    )
    return (
        f"novelty: the longest run copied from the training text has {copied.longest:,} characters ({run!r}, "
        f"at character {copied.place:,}); {copied.share:.1%} of {of_what} copied"
    )


def _as_json(
    model_name: str,
    prime: str,
    settings: Settings,
    samples: List[Sample],
    copies: List[Optional[novelty.Novelty]],
) -> dict:
    return {
        "model": model_name,
        "prime": prime,
        **asdict(settings),
        "samples": [
            {
                "seed": sample.seed,
                "text": prime + sample.text,
                "log_probabilities": sample.log_probabilities.tolist(),
                **({"novelty": asdict(copied)} if copied else {}),
            }
            for sample, copied in zip(samples, copies)
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
