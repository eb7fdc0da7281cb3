"""The arguments of ``charrnn-train``."""
from charrnn.checkpoints.record import IMMUTABLE
from charrnn.system import console
from charrnn.text import corpus
from charrnn.training.hyperparameters import AUTO, GROUPS, PRESETS, add_arguments, flag


def make_parser() -> console.Parser:
    """Return the parser of ``charrnn-train``."""
    parser = console.Parser(
        prog="charrnn-train",
        description="Train a character-wise LSTM on a text. The defaults are the notebook's recipe.")
    parser.add_argument("--preset", choices=sorted([*PRESETS, AUTO]),
                        help="set of hyperparameters to start from; auto chooses them by the length of the text. "
                        "Other flags override it (default: notebook)")
    parser.add_argument("--dry-run", action="store_true",
                        help="print the plan, try a few steps to estimate memory and time, and write nothing")
    groups = {title: parser.add_argument_group(title) for title in GROUPS}
    groups["text"].add_argument(
        "text", metavar="TEXT", nargs="*", help="a text file, perhaps compressed with gzip; a folder, for all text "
        "files in it; - for standard input; or one of the known texts "
        f"{', '.join([*corpus.KNOWN_TEXTS, corpus.PYTHON])}. Several are joined into one text (default: anna)")
    groups["text"].add_argument(
        "--separator", metavar="STRING", default="\n", help="string between several files (default: one line end)")
    groups["text"].add_argument(
        "--encoding", metavar="NAME", default="utf-8",
        help="encoding of files without a byte order mark (default: utf-8)")
    groups["network"].add_argument(
        "--init-from", metavar="MODEL", help="take the initial weights and the sizes from a checkpoint, a run "
        "folder, an exported .npz file or a known model. Characters that it does not know get new weights")
    groups["network"].add_argument(
        "--vocab-from", metavar="TEXT", help="the text that the model of --init-from was trained on, if it is a "
        "checkpoint of the notebook, which does not record its vocabulary")
    groups["speed"].add_argument(
        "--threads", metavar="N", type=int, help="threads to use (default: one for each core of the process)")
    reports = groups["checkpoints and reports"]
    reports.add_argument("--checkpoint-dir", metavar="DIR",
                         help="folder of the run (default: checkpoints; if that holds another run, checkpoints/2 and "
                         "so on)")
    reports.add_argument("--resume", action="store_true",
                         help="continue the run in DIR, by default the newest of checkpoints, checkpoints/2 "
                         "and so on, with its text and hyperparameters. Flags change these, except "
                         f"{', '.join(map(flag, IMMUTABLE))}")
    reports.add_argument("--sample-length", metavar="N", type=int, default=200,
                         help="characters to sample at each checkpoint; 0 for none (default: 200)")
    reports.add_argument("--no-summaries", dest="summaries", action="store_false",
                         help="do not write event files for TensorBoard")
    add_arguments(groups)
    return parser
