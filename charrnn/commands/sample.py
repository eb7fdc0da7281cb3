"""Writing text from the command line: ``charrnn-sample``."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any, Dict, FrozenSet, List, Optional

from charrnn.checkpoints.find import KNOWN_MODELS
from charrnn.checkpoints.writing import DECODING, Writing
from charrnn.commands import arguments, comparison
from charrnn.commands.interactive import Conversation
from charrnn.commands.named_models import MODEL_HELP, add_model_arguments, open_named
from charrnn.commands.settings_flags import add_settings, given_settings
from charrnn.engines.decoding import takes_most_probable
from charrnn.engines.sampler import (
    MOST_TEXTS,
    SEEDS,
    Sample,
    Sampler,
    checked_prime,
    default_prime,
    fresh_seed,
)
from charrnn.engines.trained_model import Model
from charrnn.system import terminal, words
from charrnn.text import unknown


def make_parser() -> arguments.Parser:
    """Return the parser of ``charrnn-sample``."""
    parser = arguments.Parser(
        prog="charrnn-sample",
        usage="%(prog)s [-h] [options] [MODEL]",
        description="Generate text from a model, character by character.",
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", help=MODEL_HELP)
    parser.add_argument(
        "--list", action="store_true", help="list the known models, and write nothing"
    )
    add_model_arguments(parser)

    group = parser.add_argument_group("text")
    what_to_write = group.add_mutually_exclusive_group()
    what_to_write.add_argument(
        "--prime",
        metavar="TEXT",
        help="beginning of the text, \\n for a line end (default: 'The ', or a word that begins paragraphs of the "
        "training text)",
    )
    group.add_argument(
        "--unknown",
        choices=unknown.CHOICES,
        help="what to do with characters of the prime that the model does not know: skip leaves them "
        "out, nearest replaces accented letters, quotes, dashes and capitals (default: error, with --interactive "
        "nearest)",
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
        type=arguments.integer(1, MOST_TEXTS),
        default=1,
        help="texts to write at once, with a line between them (default: 1)",
    )
    what_to_write.add_argument(
        "--lines",
        metavar="N",
        type=arguments.integer(1, MOST_TEXTS),
        help="write N lines, one text in each: names, titles, tunes. Each begins after a line end",
    )
    group.add_argument(
        "--new",
        action="store_true",
        help="with --lines: leave out lines of the training text, and repeated ones, and write others",
    )
    what_to_write.add_argument(
        "--interactive",
        action="store_true",
        help="continue each line that is typed; /help lists the commands",
    )

    group = parser.add_argument_group(DECODING)
    group.add_argument(
        "--plain",
        action="store_true",
        help="write as the notebook does, with the defaults below, and not as the run of the model says, which "
        "otherwise replaces them",
    )
    add_settings(Writing, {DECODING: group})
    group.add_argument(
        "--seed",
        metavar="N",
        type=arguments.integer(0, SEEDS - 1),
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
        help="report after the texts how much of each, or with --lines how many, are copied, and whose words they have",
    )
    group.add_argument(
        "--train-text",
        metavar="TEXT",
        help="the training text for --novelty, --new, --steer and --best-of (default: that which the model has)",
    )
    return parser


def _list_models() -> None:
    """Print the known models, a line each."""
    for model in KNOWN_MODELS.values():
        print(
            f"{model.name:<17} {model.language:<11} {model.loss:.3f} nats per character  read {model.read}, "
            f"{model.characters:,} characters"
        )


def _resolve(args: argparse.Namespace) -> None:
    r"""Replace \n by line ends, --lines by the prime and the number of texts, and what is not given by its default."""
    if args.prime is not None:
        args.prime = arguments.with_line_ends(args.prime)
    if args.stop is not None:
        args.stop = arguments.with_line_ends(args.stop)
    if args.lines:
        args.prime = "\n"
        args.num_samples = args.lines
    if args.interactive:
        args.num_samples = 1
    # This is no default of the parser, because a flag that is not given must be None when it is checked.
    args.unknown = args.unknown or ("nearest" if args.interactive else "error")


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-sample``; return its exit status."""
    return arguments.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> int:
    if args.list:
        _list_models()
        return 0
    return _run(args)


def _run(args: argparse.Namespace) -> int:
    """Write texts or lines as the arguments say, and report on them. Return the exit status."""
    # Each of these flags needs at least one of the flags that are named with it.
    arguments.check_needs(
        args,
        new=["lines"],
        train_text=["novelty", "new", "steer", "best_of"],
        unknown=["prime", "interactive"],
    )
    _resolve(args)
    model = open_named(args.model, args)
    given = given_settings(Writing, args)
    writing = model.writing_with(given, of_lines=bool(args.lines), plain=args.plain)
    prime = _prime(args, model)
    known_lines = None
    if args.novelty or args.new:
        # before anything is written, because it may be missing
        known_lines = model.training_text().lines()

    with model.sampler(writing, args.num_samples) as sampler:
        if args.interactive:
            conversation = Conversation(
                model,
                sampler,
                given,
                plain=args.plain,
                length=args.length,
                unknown=args.unknown,
                seed=args.seed,
            )
            return conversation.run()

        interrupted = _write(args, sampler, prime, writing, known_lines)
        samples = sampler.lines if args.lines else sampler.samples

    # After Ctrl-C, what was written so far is printed.
    if not args.json:
        _print_samples(args, samples, prime)
    if args.lines:
        _print_counts(args, sampler, interrupted)

    if args.json:
        texts = [_as_json(args, sample, prime, model) for sample in samples]
        report = {"model": model.name, "prime": prime, **asdict(writing), "samples": texts}
        json.dump(report, sys.stdout, indent=1)
        print()
    elif known_lines is not None and args.novelty:
        if args.lines:
            comparison.print_known_lines(samples, known_lines)
        else:
            comparison.print_novelty(samples, model)

    if interrupted:
        raise KeyboardInterrupt
    return 0


def _prime(args: argparse.Namespace, model: Model) -> str:
    """Return the prime that the arguments give, in characters of the vocabulary; "" with --interactive."""
    if args.interactive:
        return ""
    if args.prime is None:
        return default_prime(model.vocabulary, model.beginning)
    prime, note = checked_prime(args.prime, model.vocabulary, args.unknown)
    if note:
        terminal.print_note(note)
    return prime


def _seed(args: argparse.Namespace, writing: Writing) -> int:
    """Return the seed that the arguments give, or a new one; if anything is drawn with it, standard error names it."""
    if args.seed is not None:
        return int(args.seed)
    seed = fresh_seed()
    if not takes_most_probable(writing):
        terminal.print_note(f"seed {seed}")
    return seed


def _is_shown_while_drawn(args: argparse.Namespace) -> bool:
    """Return whether a text is printed while it is drawn: a single one."""
    return args.num_samples == 1 and not args.lines and not args.json


def _write(
    args: argparse.Namespace,
    sampler: Sampler,
    prime: str,
    writing: Writing,
    known_lines: Optional[FrozenSet[str]],
) -> bool:
    """Write lines or texts. Return whether Ctrl-C has ended that."""
    seed = _seed(args, writing)
    is_shown = _is_shown_while_drawn(args)
    try:
        if args.lines:
            known = known_lines if args.new else None
            sampler.write_lines(args.length, writing, seed, known)
            return False

        if is_shown:
            _show(prime)
        for piece in sampler.pieces(prime, args.length, writing, seed, stop=args.stop):
            if is_shown:
                _show(piece)
    except KeyboardInterrupt:
        return True
    return False


def _print_samples(args: argparse.Namespace, samples: List[Sample], prime: str) -> None:
    """Print what is not printed yet."""
    if args.lines:
        _show("".join(sample.text.rstrip("\n") + "\n" for sample in samples))
    elif _is_shown_while_drawn(args):
        _show("\n")
    else:
        texts = [f"{prime}{sample.text}\n" for sample in samples]
        _show(("-" * 70 + "\n").join(texts))


def _print_counts(args: argparse.Namespace, sampler: Sampler, interrupted: bool) -> None:
    """Print on standard error how many lines were left out with --new, and why there are too few."""
    are_too_few = len(sampler.lines) < args.lines and not interrupted
    counts = f"there are {len(sampler.lines):,} of {words.plural(args.lines, 'line')}"
    if args.new:
        note = (
            f"left out {words.plural(sampler.left_out, 'line')} of the training text, or repeated"
        )
        if are_too_few and sampler.left_out:
            note += f", so that {counts}"
        terminal.print_note(note)
    if are_too_few and not sampler.left_out:
        terminal.print_note(f"{counts}, because the others that were drawn are blank")


def _show(text: str) -> None:
    terminal.write(text, sys.stdout)


def _as_json(args: argparse.Namespace, sample: Sample, prime: str, model: Model) -> Dict[str, Any]:
    """Return a text as a dict of JSON types, with its novelty if that is asked for."""
    report = {
        "seed": sample.seed,
        "text": prime + sample.text,
        "log_probabilities": sample.log_probabilities.tolist(),
    }
    if args.novelty:
        report.update(comparison.as_json(sample, prime, model))
    return report


if __name__ == "__main__":
    sys.exit(main())
