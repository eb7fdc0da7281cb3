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

from charrnn import checkpoints
from charrnn.checkpoints import Checkpoint
from charrnn.commands.interactive import Conversation
from charrnn.commands.sample_arguments import check, make_parser
from charrnn.data import StrPath, Vocabulary
from charrnn.engines import loading
from charrnn.engines.decoding import Settings
from charrnn.engines.sampler import (
    PRIME,
    Sample,
    Sampler,
    check_prime,
    default_prime,
    default_top_n,
    fresh_seed,
    write,
)
from charrnn.system import console, files
from charrnn.text import corpus, documents, novelty, unknown


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
    found = checkpoints.open_checkpoint(checkpoint, vocabulary)
    for name, given, known in [("lstm_size", lstm_size, found.lstm_size),
                               ("vocab_size", vocab_size, len(found.vocabulary))]:
        if given is not None and given != known:
            raise ValueError(f"{name} is {given}, but {found.prefix} has {known}")
    check_prime(prime, found.vocabulary)
    return prime + "".join(_one_by_one(found, prime, n_samples + 1, top_n))


def _one_by_one(checkpoint: Checkpoint, prime: str, length: int, top_n: int) -> Iterator[str]:
    """Yield ``length`` characters as the notebook's loop draws them, with one session call for each."""
    from charrnn.model import CharRNN
    from charrnn.system.tensorflow import tf
    vocabulary = checkpoint.vocabulary
    model = CharRNN(len(vocabulary), lstm_size=checkpoint.lstm_size, num_layers=checkpoint.num_layers,
                    sampling=True, cell=checkpoint.cell)
    with tf.Session() as session:
        checkpoints.load_weights(session, checkpoint.prefix)
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


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-sample``; return its exit status."""
    return console.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> int:
    check(args)
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
                 documents.read_document(args.prime_file, args.encoding)[1])
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
