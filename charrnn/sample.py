"""Sampling: the notebook's :func:`pick_top_n` and :func:`sample`, and the script ``charrnn-sample``.

Calling this module calls its function :func:`sample`. So ``from charrnn import sample`` and
``from charrnn.sample import sample`` both give a ``sample`` that generates text. The script is :func:`main`, or
``python -m charrnn.sample``.
"""
import argparse
import contextlib
import functools
import io
import json
import sys
import types
from dataclasses import asdict
from typing import Any, Iterator, List, Optional, TextIO

import numpy as np

from charrnn.data import StrPath, Vocabulary
from charrnn.engines import loading
from charrnn.engines.decoding import Settings
from charrnn.engines.model import Model, open_model
from charrnn.engines.sampler import (
    LARGE_VOCABULARY,
    PRIME,
    SEEDS,
    Sample,
    Sampler,
    check_prime,
    default_prime,
    default_top_n,
    fresh_seed,
    write,
)
from charrnn.interactive import Conversation
from charrnn.system import console, files
from charrnn.text import corpus, documents, novelty, unknown
from charrnn.training.hyperparameters import flag

# For each flag, those that cannot be combined with it.
CONFLICTS = {
    "greedy": ("temperature", "top_n", "top_p"),
    "prime": ("prime_file",),
    "interactive": ("json", "output", "num_samples", "novelty", "prime", "prime_file", "stop", "lines"),
}


def pick_top_n(preds: np.ndarray, vocab_size: int, top_n: int = 5, *, rng: Any = np.random) -> int:
    """Draw one id from the ``top_n`` most probable ones.

    Args:
        preds: float array with C probabilities, of any shape that squeezes to [C]. It is not changed.
        vocab_size: C.
        top_n: how many of the largest probabilities to keep, at least 1; C or more keeps all of them.
        rng: ``np.random``, whose seed the caller sets, or a RandomState.

    Returns:
        The id, in [0, C).

    Raises:
        ValueError: ``top_n`` is below 1.

    Source: notebook, "sampling".

    >>> pick_top_n(np.array([[0.1, 0.7, 0.2]]), 3, top_n=1)
    1
    """
    if top_n < 1:
        raise ValueError(f"top_n must be at least 1, not {top_n}")
    p = np.squeeze(preds).copy()
    p[np.argsort(p)[:-top_n]] = 0
    p = p / np.sum(p)
    return int(rng.choice(vocab_size, 1, p=p)[0])


def sample(checkpoint: StrPath, n_samples: int, lstm_size: Optional[int] = None, vocab_size: Optional[int] = None,
           prime: str = PRIME, *, top_n: int = 5, vocabulary: Optional[Vocabulary] = None) -> str:
    """Generate text from a checkpoint. This resets the default graph.

    With ``np.random.seed`` set, it draws what the notebook draws.

    Args:
        checkpoint: a run folder, or the prefix of a checkpoint.
        n_samples: number of drawn characters that are fed back, at least 0.
        lstm_size: L. The checkpoint records it; if given, it must agree.
        vocab_size: C. The checkpoint records it; if given, it must agree.
        prime: the beginning of the text.
        top_n: see :func:`pick_top_n`.
        vocabulary: the characters of a checkpoint of the notebook; None for those of the run folder.

    Returns:
        The prime and ``n_samples`` + 1 new characters.

    Raises:
        ValueError: an argument is out of range.
        CheckpointError: the checkpoint is missing or damaged.

    Source: notebook, "sampling". Unlike the notebook's function, it takes the vocabulary and the number of layers
    from the checkpoint, and raises errors for an empty prime, unknown characters and ``top_n`` below 1.
    """
    if n_samples < 0:
        raise ValueError(f"n_samples must be at least 0, not {n_samples}")
    found = open_model(checkpoint, vocabulary)
    for name, given, known in [("lstm_size", lstm_size, found.lstm_size),
                               ("vocab_size", vocab_size, len(found.vocabulary))]:
        if given is not None and given != known:
            raise ValueError(f"{name} is {given}, but {found.name} has {known}")
    check_prime(prime, found.vocabulary)
    return prime + "".join(_one_by_one(found, prime, n_samples + 1, top_n))


def _one_by_one(checkpoint: Model, prime: str, length: int, top_n: int) -> Iterator[str]:
    """Yield ``length`` characters as the notebook's loop draws them, with one session call for each."""
    from charrnn.engines.graph import load_weights
    from charrnn.model import CharRNN
    from charrnn.system.tensorflow import tf
    vocabulary = checkpoint.vocabulary
    model = CharRNN(len(vocabulary), lstm_size=checkpoint.lstm_size, num_layers=checkpoint.num_layers,
                    sampling=True, cell=checkpoint.cell)
    with tf.Session() as session:
        load_weights(session, tf.trainable_variables(), checkpoint.weights)
        state = session.run(model.initial_state)
        given = list(vocabulary.encode(prime))
        for step in range(len(given) + length - 1):
            feed = {model.inputs: [[given[step]]], model.keep_prob: 1.0, model.initial_state: state}
            preds, state = session.run([model.prediction, model.final_state], feed_dict=feed)
            if step >= len(given) - 1:
                given.append(pick_top_n(preds, len(vocabulary), top_n))
                yield vocabulary.int_to_vocab[given[-1]]


class _CallableModule(types.ModuleType):
    """The class of this module: calling the module calls :func:`sample`."""

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        return sample(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule


def _parser() -> console.Parser:
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


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-sample``; return its exit status."""
    return console.run_main(_main, _parser(), argv)


def _main(args: argparse.Namespace) -> int:
    _check(args)
    model = loading.open_named(args.model, args)
    target = None if args.output is None else loading.target_of(args.output, model)
    settings = _settings(args, len(model.vocabulary))
    prime, reference = "" if args.interactive else _prime(args, model.vocabulary), None
    if args.novelty:
        reference = novelty.Reference(
            loading.training_text(model.run, args.train_text, args.encoding).training)
    missing = console.listed(map(repr, model.vocabulary.unknown(args.stop or "")))
    if missing:
        console.print_note(f"--stop never ends a text: the model does not know {missing}")
    engine = loading.load_engine(model, args.num_samples, args.num_samples * args.length)
    with contextlib.closing(Sampler(engine, args.num_samples)) as sampler:
        if args.interactive:
            return Conversation(sampler, settings, args.length, args.unknown, args.seed).run()
        written = io.StringIO()
        status = _write(args, sampler, model.name, prime, settings, reference, written if target else sys.stdout)
    if target:
        files.write_atomically(target, written.getvalue().encode("utf-8", "surrogatepass"))
    if status:
        console.print_note("charrnn-sample: interrupted" + f"; {args.output} has the text so far" * bool(target))
    return status


def _check(args: argparse.Namespace) -> None:
    """Raise ValueError if arguments are out of range or cannot be combined."""
    for name in ("length", "num_samples", "lines"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f"{flag(name)} must be at least 1, not {value}")
    if args.stop == "":
        raise ValueError("--stop needs at least one character")
    parser = _parser()
    given = [name for name, value in vars(args).items() if value != parser.get_default(name)]
    for one, others in CONFLICTS.items():
        for other in others:
            if one in given and other in given:
                raise ValueError(f"{flag(one)} and {flag(other)} cannot be combined")
    if args.seed is not None and not 0 <= args.seed < SEEDS:
        raise ValueError(f"--seed must be from 0 to {SEEDS - 1}, not {args.seed}")


def _settings(args: argparse.Namespace, num_classes: int) -> Settings:
    top_n = args.top_n
    if top_n is None:
        top_n = 1 if args.greedy else default_top_n(num_classes) if args.top_p is None else num_classes
    settings = Settings(1.0 if args.temperature is None else args.temperature, top_n,
                        1.0 if args.top_p is None else args.top_p)
    settings.check()
    return settings


def _prime(args: argparse.Namespace, vocabulary: Vocabulary) -> str:
    """Return the prime that the arguments give, in characters of the vocabulary."""
    prime = args.prime
    if args.prime_file is not None:
        prime = (corpus.read(args.prime_file, args.encoding).text if args.prime_file == corpus.STANDARD_INPUT else
                 documents.read_document(args.prime_file, args.encoding))
    if prime is None:
        return default_prime(vocabulary)
    prime, note = unknown.resolve(prime, vocabulary, args.unknown, "the prime")
    if note:
        console.print_note(note)
    check_prime(prime, vocabulary)
    return prime


def _write(args: argparse.Namespace, sampler: Sampler, model_name: str, prime: str, settings: Settings,
           reference: Optional[novelty.Reference], out: TextIO) -> int:
    """Write the texts in the format that was chosen; return the exit status."""
    seed, show = args.seed, None
    if seed is None:
        seed = fresh_seed()
        if not args.greedy:
            console.print_note(f"seed {seed}")
    if args.num_samples == 1 and not args.json:
        console.write(prime, out)
        show = functools.partial(console.write, file=out)
    samples, interrupted = write(sampler, prime, args.length, settings, seed, stop=args.stop, lines=args.lines,
                                 show=show, keep=bool(reference or not show or args.output))
    copies = [reference.novelty(each.text) if reference else None for each in samples]
    if args.json:
        json.dump(_as_json(model_name, prime, settings, samples, copies), out, indent=1)
        out.write("\n")
    else:
        console.write("\n" if show else ("-" * 70 + "\n").join(f"{prime}{each.text}\n" for each in samples), out)
        out.writelines(_novelty_line(each.text, copied) for each, copied in zip(samples, copies) if copied)
    return 130 if interrupted else 0


def _novelty_line(text: str, copied: novelty.Novelty) -> str:
    run = text[copied.start:copied.start + copied.longest]
    return (f"novelty: the longest run copied from the training text has {copied.longest:,} characters ({run!r}, "
            f"at character {copied.place:,}); {copied.share:.1%} of the {novelty.WINDOW}-character windows are "
            "copied\n")


def _as_json(model_name: str, prime: str, settings: Settings, samples: List[Sample],
             copies: List[Optional[novelty.Novelty]]) -> dict:
    return {"model": model_name, "prime": prime, **asdict(settings), "samples": [
        {"seed": each.seed, "text": prime + each.text, "log_probabilities": each.log_probabilities,
         **({"novelty": asdict(copied)} if copied else {})} for each, copied in zip(samples, copies)]}


if __name__ == "__main__":
    sys.exit(main())
