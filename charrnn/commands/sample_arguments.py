"""The arguments of ``charrnn-sample``."""
import argparse

from charrnn.engines import loading
from charrnn.engines.sampler import LARGE_VOCABULARY, SEEDS
from charrnn.system import console
from charrnn.text import unknown
from charrnn.training.hyperparameters import flag

# For each flag, those that cannot be combined with it.
CONFLICTS = {
    "greedy": ("temperature", "top_n", "top_p"),
    "prime": ("prime_file",),
    "interactive": ("json", "output", "num_samples", "novelty", "prime", "prime_file", "stop", "lines"),
}


def make_parser() -> console.Parser:
    """Return the parser of ``charrnn-sample``."""
    parser = console.Parser(
        prog="charrnn-sample",
        description="Generate text from a model, character by character.",
        epilog="examples:\n"
               "  charrnn-sample --prime 'Anna ' --length 500 --seed 1\n"
               "  charrnn-sample checkpoints/i200_l512.ckpt --top-n 3\n"
               "  charrnn-sample model.npz --temperature 0.7 --top-p 0.95 --interactive")
    parser.add_argument("model", metavar="MODEL", nargs="?", default=None, help=loading.MODEL_HELP)
    loading.add_model_arguments(parser)
    _add_text_arguments(parser.add_argument_group("text"))
    _add_decoding_arguments(parser.add_argument_group("decoding"))
    _add_output_arguments(parser.add_argument_group("output"))
    return parser


def _add_text_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--prime", metavar="TEXT", default=None,
                       help="beginning of the text (default: 'The ', or, if the model does not know these "
                            "characters, a frequent word or character of its script)")
    group.add_argument("--prime-file", metavar="FILE", default=None,
                       help="UTF-8 file with the beginning of the text; - reads standard input")
    group.add_argument("--unknown", choices=unknown.CHOICES, default="error",
                       help="what to do with characters of the prime that the model does not know: stop with an "
                            "error, leave them out, or replace accented letters, quotes and dashes with the nearest "
                            "characters that it knows and leave out the rest (default: error)")
    group.add_argument("--length", metavar="N", type=int, default=1000,
                       help="characters to draw after the prime, at least 1 (default: 1000)")
    group.add_argument("--stop", metavar="STRING", default=None, help="end a text after this string")
    group.add_argument("--lines", metavar="N", type=int, default=None, help="end a text after N line ends")
    group.add_argument("--num-samples", metavar="N", type=int, default=1,
                       help="texts to write at once, at least 1. One text is shown while it is written; several "
                            "are printed at the end, with a line between them (default: 1)")
    group.add_argument("--interactive", action="store_true",
                       help="continue the beginnings that are typed; /help lists the commands")


def _add_decoding_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--temperature", metavar="X", type=float, default=None,
                       help="divide the logits by X, at least 0.001; values below 1 favour probable characters "
                            "(default: 1)")
    group.add_argument("--top-n", metavar="N", type=int, default=None,
                       help="draw from the N most probable characters, at least 1; the size of the vocabulary or "
                            "more keeps all of them (default: 5, or all with --top-p or a vocabulary of more than "
                            f"{LARGE_VOCABULARY} characters)")
    group.add_argument("--top-p", metavar="P", type=float, default=None,
                       help="draw from the fewest most probable characters that together have the probability P, "
                            "above 0, at most 1, after --temperature and --top-n (default: 1)")
    group.add_argument("--greedy", action="store_true", help="take the most probable character each time")
    group.add_argument("--seed", metavar="N", type=int, default=None,
                       help="seed of the first text, 0 to 4294967295; each further text has the next seed, after "
                            "4294967295 comes 0 (default: a new one each time, printed on standard error)")


def _add_output_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--output", metavar="FILE", default=None,
                       help="write to this file, in UTF-8, in place of standard output")
    group.add_argument("--json", action="store_true",
                       help="write JSON: the texts, seeds, settings and the log-probability of each character")
    group.add_argument("--novelty", action="store_true",
                       help="report after each text how much of it is copied from the training text")
    group.add_argument("--train-text", metavar="TEXT", default=None,
                       help="the training text for --novelty (default: the one that the model names)")


def check(args: argparse.Namespace) -> None:
    """Raise ValueError if arguments are out of range or cannot be combined."""
    for name in ("length", "num_samples", "lines"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f"{flag(name)} must be at least 1, not {value}")
    if args.stop == "":
        raise ValueError("--stop needs at least one character")
    parser = make_parser()
    given = [name for name, value in vars(args).items() if value != parser.get_default(name)]
    for one, others in CONFLICTS.items():
        for other in others:
            if one in given and other in given:
                raise ValueError(f"{flag(one)} and {flag(other)} cannot be combined")
    if args.seed is not None and not 0 <= args.seed < SEEDS:
        raise ValueError(f"--seed must be from 0 to {SEEDS - 1}, not {args.seed}")
