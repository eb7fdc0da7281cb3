"""What commands share: how they parse arguments, fail and end, and the flags of models and of hyperparameters."""

import argparse
import contextlib
import dataclasses
import json
import re
import shlex
import sys
import textwrap
from pathlib import Path
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Tuple, Type

from charrnn.checkpoints import record
from charrnn.checkpoints.find import DEFAULT_MODEL, is_model_file, newest_with_checkpoint
from charrnn.data import StrPath, Vocabulary
from charrnn.engines.opening import doubt_order, open_model
from charrnn.engines.trained_model import Model
from charrnn.hyperparameters import Checkable, range_in_words
from charrnn.system import commands_to_type, mpi, terminal, words
from charrnn.system.errors import checked_integer, described, lacks_memory
from charrnn.system.tensorflow import TensorFlowError
from charrnn.text import corpus
from charrnn.version import __version__

MODEL_HELP = (
    "a known model (anna, tiny-shakespeare, or a language such as german: charrnn-sample --list tells them), a run "
    "folder for its newest checkpoint, a checkpoint, or an exported .npz file (default: the newest run trained without "
    f"--checkpoint-dir, or {DEFAULT_MODEL})"
)
METAVARS = {int: "N", float: "X"}
# flags of other programs, and those that do it here
MEANT = {
    "--dropout": "--keep-prob",
    "--hidden-size": "--lstm-size",
    "--lr": "--learning-rate",
    "--name": "--checkpoint-dir",
    "--out": "--checkpoint-dir",
    "--output": "--checkpoint-dir",
    "--rnn-size": "--lstm-size",
    "--seq-length": "--num-steps",
    "--start": "--prime",
}


class HelpFormatter(argparse.HelpFormatter):
    """A formatter of help pages that never breaks a line inside a flag or a word."""

    def _split_lines(self, text: str, width: int) -> List[str]:
        return textwrap.wrap(
            " ".join(text.split()), width, break_on_hyphens=False, break_long_words=False
        )


class Parser(argparse.ArgumentParser):
    """An argument parser that raises ValueError instead of exiting, so that all errors are reported alike.

    Flags may be written with underscores, as the hyperparameters are in Python: ``--lstm_size``.
    """

    def __init__(self, in_processes: bool = False, flag_of_text: str = "", **options: Any) -> None:
        """Make a parser.

        Args:
            in_processes: whether a launcher may start the script as several processes. Only the first then speaks.
            flag_of_text: the flag that somebody has forgotten who gives too many arguments; "" for none.
            options: those of argparse.
        """
        self._flag_of_text = flag_of_text
        self._is_silent = in_processes and mpi.launch().rank > 0
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **options)
        self.add_argument("--version", action="version", version=f"charrnn {__version__}")

    def parse(self, argv: Optional[Sequence[str]]) -> argparse.Namespace:
        """Parse arguments. Flags and other arguments may be mixed, unless ``--`` is given, which ends the flags."""
        if argv is None:
            argv = sys.argv[1:]
        if "--" not in argv:
            return self.parse_intermixed_args([_with_dashes(argument) for argument in argv])

        end = argv.index("--")
        flags = [_with_dashes(argument) for argument in argv[:end]]
        return self.parse_args([*flags, *argv[end:]])

    # argparse's own drops errors since Python 3.12
    def _print_message(self, message: str, file: Any = None) -> None:
        if not self._is_silent:
            (file or sys.stderr).write(message or "")

    def error(self, message: str) -> NoReturn:
        """Raise ValueError with the message and a reference to ``--help``."""
        if self._is_silent:
            raise SystemExit(2)
        if "expected one argument" in message:
            message += "; a value that begins with a dash is written --flag=-value"
        raise ValueError(f"{message} (see {self.prog} --help){self._suggestion(message)}")

    def _suggestion(self, message: str) -> str:
        """Return what may have been meant by an argument that a message of argparse is about; "" if nothing is near."""
        actions = self._option_string_actions
        chosen = re.match(r"argument (--[\w-]+): invalid choice: '(.*?)'", message)
        if chosen:
            flag, value = chosen.groups()
            return words.did_you_mean(value, actions[flag].choices or [])

        unknown = re.match("unrecognized arguments: (.*)", message, re.DOTALL)
        if not unknown:
            return ""
        flags = re.findall(r"(?:^| )(-[^\s=]+)", unknown.group(1))
        if flags:
            meant = MEANT.get(flags[0])
            if meant in actions:
                return f"; did you mean {meant}?"
            return words.did_you_mean(flags[0], actions)
        if self._flag_of_text:
            text = shlex.quote(unknown.group(1))
            return f"; did you mean {self._flag_of_text} {text}?"
        return ""

    def in_flags(self, message: str) -> str:
        """Return a message about parameters with the flags that stand for them on the command line."""
        # resume=True, or --resume
        message = re.sub(r"\b[a-z_]+=[^;:]{1,60}?, or (?=--)", "", message)
        for action in self._actions:
            flag = max(action.option_strings, key=len, default="")
            if flag == commands_to_type.flag(action.dest):
                name = action.dest
                if "_" not in name:
                    # A word of English is a parameter only in some places.
                    name = f"(?:{name}(?= must be| cannot be| needs| is for| skip| nearest)|(?<=combined with ){name})"
                message = re.sub(rf"(?<![\w./'\"-]){name}(?![\w./=(-])", flag, message)
        return message


def _with_dashes(argument: str) -> str:
    """Return an argument with dashes in place of the underscores of its flag, as in ``--lstm_size=8``."""
    return re.sub(r"^--[\w-]+", lambda match: match.group().replace("_", "-"), argument)


def integer(least: int, most: Optional[int] = None) -> Callable[[str], int]:
    """Return a function that reads an integer in a range, as the type of an argument."""

    def read(value: str) -> int:
        try:
            number = int(value) if re.fullmatch(r"[+-]?\d+", value) else value
            return checked_integer("", number, least, most)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).strip())

    return read


def with_line_ends(argument: str) -> str:
    """Return an argument with line ends in place of what a shell can pass on more easily, a backslash and an n."""
    return argument.replace("\\n", "\n")


def check_needs(args: argparse.Namespace, **needed: Sequence[str]) -> None:
    """Raise ValueError if a flag is given without any of those with which it has an effect."""
    in_use = {name for name, value in vars(args).items() if value not in (None, False)}
    for name, others in needed.items():
        if name in in_use and not in_use.intersection(others):
            raise ValueError(
                f"{commands_to_type.flag(name)} needs {' or '.join(map(commands_to_type.flag, others))}"
            )


def check_encoding(args: argparse.Namespace, *texts: Optional[str]) -> None:
    """Raise ValueError if an encoding is given, but no text that is read with it: a path or standard input."""
    if args.encoding is not None and all(text is None or corpus.is_known(text) for text in texts):
        raise ValueError(
            "--encoding has no effect, because it is for texts that are given by their path"
        )


def run_main(
    body: Callable[[argparse.Namespace], Optional[int]],
    parser: Parser,
    argv: Optional[Sequence[str]] = None,
) -> int:
    """Parse the arguments of a script, run its body and return its exit status.

    Args:
        body: function of the parsed arguments that returns the exit status, or None for 0.
        parser: the script's Parser.
        argv: the arguments, or None for those of the process.

    Returns:
        The status that the body returns. 2, after one line on standard error, for invalid input (ValueError), a
        system error (OSError), too little memory, or if TensorFlow is needed but missing. 130 after Ctrl-C. 141
        (128 + SIGPIPE) if the reader of standard output has closed it.
    """
    if hasattr(sys.stdout, "reconfigure"):
        # UTF-8 in any locale; characters that UTF-8 cannot encode are escaped instead of raising an error
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        args = parser.parse(argv)
        _note_other_package()
        terminal.quiet_tensorflow()
        status = body(args) or 0
        # so that BrokenPipeError is raised here rather than at exit
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        return 141
    except KeyboardInterrupt:
        terminal.print_note(f"{parser.prog}: interrupted")
        return 130
    except Exception as error:
        is_expected = isinstance(error, (ValueError, OSError, TensorFlowError))
        if not is_expected and not lacks_memory(error):
            raise
        message = parser.in_flags(described(error)).replace("\n", "\\n")
        terminal.print_note(f"{parser.prog}: error: {message}")
        return 2
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                # Python would try once more at its end, print an error and return 120.
                terminal.drop_output(stream)


def _note_other_package() -> None:
    """Print a note if a package that pip calls charrnn owns the same files: version 3.2 or older, or one of PyPI."""
    installed_in = Path(__file__).resolve().parents[2]
    for other in installed_in.glob("charrnn-*.dist-info"):
        terminal.print_note(
            f"{other.stem.replace('-', ' ')} is installed too, and has the same files: type pip uninstall charrnn "
            "karnna, and install karnna again"
        )


def add_settings(settings: Type[Checkable], groups: Dict[str, argparse._ArgumentGroup]) -> None:
    """Add the flags of the fields of a class to an argument parser. A flag that is not given has the value None.

    Args:
        settings: Hyperparameters, or another such class.
        groups: dict from the name of each group of flags to an argument group of the parser.
    """
    for field in dataclasses.fields(settings):
        group = groups[field.metadata["group"]]
        kind = field.metadata["kind"]
        if kind is bool:
            _add_switch(group, field)
        elif kind is dict:
            group.add_argument(
                commands_to_type.flag(field.name),
                type=_property,
                action="append",
                metavar="PROPERTY=X",
                help=field.metadata["help"],
            )
        else:
            _add_value(group, field)


def _add_switch(group: argparse._ArgumentGroup, field: Any) -> None:
    """Add the flag that turns a field off, and one that turns it on if that is not the default."""
    meaning = field.metadata["help"]
    if not field.default:
        group.add_argument(
            commands_to_type.flag(field.name),
            dest=field.name,
            action="store_const",
            const=True,
            help=meaning,
        )
        meaning = f"do not {meaning}"
    group.add_argument(
        commands_to_type.flag(f"no_{field.name}"),
        dest=field.name,
        action="store_const",
        const=False,
        help=meaning,
    )


def _add_value(group: argparse._ArgumentGroup, field: Any) -> None:
    """Add the flag of a field that takes a value."""
    kind = field.metadata["kind"]
    choices = field.metadata["choices"]
    default = f"default: {field.metadata['otherwise'] or field.default}"
    if choices:
        metavar = None
        notes = default
    else:
        metavar = METAVARS[kind]
        notes = f"{range_in_words(field)}; {default}"
    group.add_argument(
        commands_to_type.flag(field.name),
        type=kind,
        choices=choices,
        metavar=metavar,
        help=f"{field.metadata['help']} ({notes})",
    )


def _property(argument: str) -> Tuple[str, float]:
    """Read a property and a number."""
    name, _, number = argument.rpartition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"it takes a property and a number, such as 'inside quotation marks=1.5', not {argument!r}"
        )


def given_settings(settings: Type[Checkable], args: argparse.Namespace) -> Dict[str, Any]:
    """Return the values of the flags of :func:`add_settings` that were given, by the names of the fields."""
    given = {}
    for field in dataclasses.fields(settings):
        value = getattr(args, field.name)
        if field.metadata["kind"] is dict:
            pairs = value if value else []
            value = dict(pairs)
        if value is not None:
            given[field.name] = value
    return given


def is_model(path: StrPath) -> bool:
    """Return whether a path is a model, by its name and its files."""
    if is_model_file(path) or record.is_run(path) or record.is_of_notebook(Path(path)):
        return True
    return re.search(r"\.ckpt(-\d+)?$", Path(path).name) is not None


def read_named(name: str, args: argparse.Namespace) -> corpus.Text:
    """Return a text that an argument names, and report the files of a folder that are skipped.

    A text that two arguments name is read once: standard input has no more, and a report is enough.
    """
    texts = vars(args).setdefault("texts", {})
    if name not in texts:
        texts[name] = corpus.read(name, args.encoding or "utf-8")
        terminal.print_skipped(texts[name].skipped)
    return texts[name]


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a script finds a model; :func:`open_named` reads them."""
    parser.add_argument(
        "--best",
        action="store_true",
        help="in a run folder, use the checkpoint with the lowest validation loss",
    )
    add_vocabulary_arguments(parser)
    parser.add_argument(
        "--encoding", metavar="NAME", help="encoding of texts given by their path (default: utf-8)"
    )


def add_vocabulary_arguments(group: Any) -> None:
    """Add the options that give the vocabulary of a checkpoint of the notebook; :func:`open_at` reads them."""
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "--vocab-from",
        metavar="TEXT",
        help="the text (a path or a known name) that a checkpoint of the notebook was trained on; such "
        "a checkpoint does not record its vocabulary",
    )
    either.add_argument(
        "--vocab-order",
        metavar="FILE",
        help="for a checkpoint of the notebook whose characters are not sorted: a JSON file with the "
        "list of its characters in the order of their ids",
    )


def open_at(path: StrPath, args: argparse.Namespace, best: bool = False) -> Model:
    """Open the model at a path, with the vocabulary that the arguments give, and report what is wrong with it."""
    text = None
    if args.vocab_from is not None:
        text = read_named(args.vocab_from, args).text

    vocabulary = None
    if args.vocab_order:
        vocabulary = read_order(args.vocab_order)
    elif text:
        vocabulary = Vocabulary.from_text(text)

    model = open_model(path, vocabulary, best=best)
    terminal.print_skipped(model.skipped)
    if args.vocab_order is None:
        doubt_order(model, text)
    return model


def read_order(path: StrPath) -> Vocabulary:
    """Read a vocabulary from a file: a JSON list of its characters in the order of their ids."""
    # A Vocabulary refuses what is no character, or is repeated.
    with contextlib.suppress(ValueError, RecursionError):
        # in UTF-8, UTF-16 or UTF-32, perhaps with a byte order mark
        characters = json.loads(Path(path).read_bytes())
        if isinstance(characters, list):
            return Vocabulary(characters)
    raise ValueError(f"{path} is not a JSON list of distinct characters in the order of their ids")


def open_named(path: Optional[StrPath], args: argparse.Namespace) -> Model:
    """Open the model at a path with the options of a script, and report the checkpoints that were skipped.

    None stands for the newest run without a name that has a checkpoint, or else the first known model. Its training
    text is what --train-text names, else --vocab-from, else what its run has.
    """
    if path is not None:
        model = open_at(path, args, args.best)
    else:
        model = _open_usual(args)

    text_name = vars(args).get("train_text") or args.vocab_from
    if text_name is not None:
        model.train_text = read_named(text_name, args)
    return model


def _open_usual(args: argparse.Namespace) -> Model:
    """Open the newest run without a name, or else the first known model, and say which one it is."""
    run = newest_with_checkpoint()
    if run:
        model = open_at(run, args, args.best)
        terminal.print_note(
            f"using {model.name}, of the newest run without --checkpoint-dir; name {DEFAULT_MODEL} for the model "
            "that comes with charrnn"
        )
    else:
        model = open_at(DEFAULT_MODEL, args, args.best)
        terminal.print_note(
            f"using {model.name}, a model that comes with charrnn; name a run folder for another"
        )
    return model
