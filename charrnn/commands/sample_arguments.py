"""The arguments of ``charrnn-sample``."""
import argparse

from charrnn.engines import loading
from charrnn.engines.decoding import Settings
from charrnn.engines.sampler import LARGE_VOCABULARY, SEEDS, default_top_n
from charrnn.system import console
from charrnn.text import unknown
from charrnn.training.hyperparameters import flag

# The arguments that --interactive cannot be combined with, and their defaults.
NOT_INTERACTIVE = {"prime": None, "stop": None, "num_samples": 1, "json": False, "novelty": False}
MOST_TEXTS = 100_000  # at once


def make_parser() -> console.Parser:
    """Return the parser of ``charrnn-sample``."""
    parser = console.Parser(prog="charrnn-sample", description="Generate text from a model, character by character.")
    parser.add_argument("model", metavar="MODEL", nargs="?", help=loading.MODEL_HELP)
    loading.add_model_arguments(parser)
    group = parser.add_argument_group("text")
    group.add_argument("--prime", metavar="TEXT",
                       help="beginning of the text (default: 'The ', or what suits another script)")
    group.add_argument("--unknown", choices=unknown.CHOICES, default="error",
                       help="what to do with characters of the prime that the model does not know: skip leaves them "
                            "out, nearest replaces accented letters, quotes and dashes (default: error)")
    group.add_argument("--length", metavar="N", type=console.integer(1), default=1000,
                       help="characters to draw after the prime (default: 1000)")
    group.add_argument("--stop", metavar="STRING", help="end a text after this string")
    group.add_argument("--num-samples", metavar="N", type=console.integer(1, MOST_TEXTS), default=1,
                       help="texts to write at once, with a line between them (default: 1)")
    group.add_argument("--interactive", action="store_true",
                       help="continue each line that is typed; /help lists the commands")
    group = parser.add_argument_group("decoding")
    group.add_argument("--temperature", metavar="X", type=float, default=1.0,
                       help="divide the logits by X; 0 takes the most probable character each time (default: 1)")
    group.add_argument("--top-n", metavar="N", type=int,
                       help="draw from the N most probable characters (default: 5, or all with --top-p or a "
                            f"vocabulary of more than {LARGE_VOCABULARY} characters)")
    group.add_argument("--top-p", metavar="P", type=float,
                       help="draw from the fewest most probable characters whose probabilities add up to P, after "
                            "--temperature and --top-n are applied (above 0, at most 1; default: 1)")
    group.add_argument("--seed", metavar="N", type=console.integer(0, SEEDS - 1),
                       help="seed of the first text; each further text has the next seed (default: a new one)")
    group = parser.add_argument_group("reports")
    group.add_argument("--json", action="store_true",
                       help="print JSON: the texts, seeds, settings and the log-probability of each character")
    group.add_argument("--novelty", action="store_true",
                       help="report after the texts how much of each is copied from the training text")
    group.add_argument("--train-text", metavar="TEXT",
                       help="the training text for --novelty (default: the one that the model names)")
    return parser


def check_arguments(args: argparse.Namespace) -> None:
    """Raise ValueError if arguments cannot be combined."""
    for name, default in NOT_INTERACTIVE.items():
        if args.interactive and getattr(args, name) != default:
            raise ValueError(f"--interactive and {flag(name)} cannot be combined")


def settings_of(args: argparse.Namespace, num_classes: int) -> Settings:
    """Return the Settings that the arguments give. Raise ValueError if one is out of range.

    Args:
        args: the arguments.
        num_classes: C.
    """
    top_n = args.top_n
    if top_n is None:
        top_n = default_top_n(num_classes) if args.top_p is None else num_classes
    settings = Settings(args.temperature, top_n, 1.0 if args.top_p is None else args.top_p)
    settings.check()
    return settings
