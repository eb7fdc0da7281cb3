"""Sampling, the end of the notebook: :func:`pick_top_n`, :func:`sample`, and the script ``charrnn-sample``.

:func:`sample` draws one character at a time, as the notebook does. The script, or ``python -m charrnn.sample``, uses
:func:`charrnn.engines.sampler.write`, which is faster and writes several texts at once.

Letters for shapes as in :mod:`charrnn.engines`.
"""
import argparse
import contextlib
import functools
import json
import sys
from dataclasses import asdict
from typing import Any, Iterable, List, Optional, Tuple

import numpy as np

from charrnn.commands.interactive import Conversation
from charrnn.commands.sample_arguments import check_arguments, make_parser, settings_of
from charrnn.data import StrPath, Vocabulary
from charrnn.engines import loading
from charrnn.engines.decoding import Settings, softmax
from charrnn.engines.opened_model import open_model
from charrnn.engines.sampler import Sample, Sampler, check_prime, default_prime, fresh_seed, write
from charrnn.system import console
from charrnn.text import novelty, unknown


def pick_top_n(preds: np.ndarray, vocab_size: int, top_n: int = 5, *, rng: Any = np.random) -> int:
    """Draw one id from the ``top_n`` most probable ones.

    Args:
        preds: float array with C probabilities, of any shape. It is not changed.
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
    p = np.array(preds).ravel()
    p[np.argsort(p)[:-top_n]] = 0
    p = p / np.sum(p)
    return int(rng.choice(vocab_size, 1, p=p)[0])


def sample(checkpoint: StrPath, n_samples: int, lstm_size: Optional[int] = None, vocab_size: Optional[int] = None,
           prime: Optional[str] = None, *, top_n: int = 5, vocabulary: Optional[Iterable[str]] = None) -> str:
    """Generate text from a model, one character at a time.

    With ``np.random.seed`` set, it draws what the notebook draws.

    Args:
        checkpoint: a run folder for its newest checkpoint, a checkpoint, an exported ``.npz`` file, or the name of a
            known model.
        n_samples: number of drawn characters that are fed back, at least 0.
        lstm_size: L. The model records it; if given, it must agree.
        vocab_size: C. The model records it; if given, it must agree.
        prime: the beginning of the text. By default ``"The "``, or, if the model does not know these characters, a
            frequent word or character of its script.
        top_n: see :func:`pick_top_n`.
        vocabulary: the characters of a checkpoint of the notebook, which does not record them: a Vocabulary, or
            ``sorted(set(text))`` of the text that it was trained on. By default those of ``text.txt`` in its folder,
            or of the text that this process has loaded, if only one has ``vocab_size`` distinct characters.

    Returns:
        The prime and ``n_samples`` + 1 new characters.

    Raises:
        ValueError: an argument is out of range, or the prime has characters that the model does not know.
        CheckpointError: the model is missing or damaged, or needs a vocabulary.

    Source: notebook, "sampling". Unlike the notebook's function, it takes the vocabulary and the number of layers
    from the model, and raises errors for an empty prime, unknown characters and ``top_n`` below 1.
    """
    if n_samples < 0:
        raise ValueError(f"n_samples must be at least 0, not {n_samples}")
    with console.errors_for_python():
        model = open_model(checkpoint, None if vocabulary is None else Vocabulary(vocabulary),
                           otherwise=Vocabulary.of_loaded_text(vocab_size))
    console.print_skipped(model.skipped)
    known = model.vocabulary
    for name, given, found in [("lstm_size", lstm_size, model.lstm_size), ("vocab_size", vocab_size, len(known))]:
        if given is not None and given != found:
            raise ValueError(f"{name} is {given}, but {model.name} has {found}")
    if prime is None:
        prime = default_prime(known)
    check_prime(prime, known)
    samples = [prime]
    with contextlib.closing(loading.load_engine(model)) as engine:
        logits, state = engine.read(known.encode(prime), engine.zero_state())  # [1, C], [S, 1, L]
        for _ in range(n_samples + 1):
            c = pick_top_n(softmax(logits), len(known), top_n)
            samples.append(known.int_to_vocab[c])
            logits, state = engine.read([c], state)
    return "".join(samples)


def main(argv: Optional[List[str]] = None) -> int:
    """Run ``charrnn-sample``; return its exit status."""
    return console.run_main(_main, make_parser(), argv)


def _main(args: argparse.Namespace) -> int:
    check_arguments(args)
    model = loading.open_named(args.model, args)
    settings = settings_of(args, len(model.vocabulary))
    prime = "" if args.interactive else _prime(args, model.vocabulary)
    training = loading.training_text(model.run, args.train_text, args.encoding).training if args.novelty else ""
    with contextlib.closing(loading.load_engine(model, args.num_samples, args.num_samples * args.length)) as engine:
        sampler = Sampler(engine, args.num_samples)
        if args.interactive:
            return Conversation(sampler, settings, args.length, args.unknown, args.seed).run()
        samples, interrupted = _draw_and_print(args, sampler, prime, settings)
    copies = [novelty.compare(each.text, training) if training else None for each in samples]
    if args.json:
        json.dump(_as_json(model.name, prime, settings, samples, copies), sys.stdout, indent=1)
        print()
    else:
        for each, copied in zip(samples, copies):
            if copied:
                print(_novelty_line(each.text, copied))
    if interrupted:
        console.print_note("charrnn-sample: interrupted")
    return 130 if interrupted else 0


def _prime(args: argparse.Namespace, vocabulary: Vocabulary) -> str:
    """Return the prime that the arguments give, in characters of the vocabulary."""
    if args.prime is None:
        return default_prime(vocabulary)
    prime, note = unknown.resolve(args.prime, vocabulary, args.unknown, "the prime")
    if note:
        console.print_note(note)
    check_prime(prime, vocabulary)
    return prime


def _draw_and_print(args: argparse.Namespace, sampler: Sampler, prime: str,
                    settings: Settings) -> Tuple[List[Sample], bool]:
    """Draw the texts, and print them unless the output is JSON. A single text is printed while it is drawn.

    Return the texts, and whether Ctrl-C ended them early.
    """
    seed = args.seed
    if seed is None:
        seed = fresh_seed()
        if not settings.takes_most_probable:
            console.print_note(f"seed {seed}")
    show = functools.partial(console.write, file=sys.stdout)
    alone = args.num_samples == 1 and not args.json
    if alone:
        show(prime)
    samples, interrupted = write(sampler, prime, args.length, settings, seed, stop=args.stop,
                                 show=show if alone else None, keep=args.novelty or not alone)
    if alone:
        show("\n")
    elif not args.json:
        show(("-" * 70 + "\n").join(f"{prime}{each.text}\n" for each in samples))
    return samples, interrupted


def _novelty_line(text: str, copied: novelty.Novelty) -> str:
    run = text[copied.start:copied.start + copied.longest]
    return (f"novelty: the longest run copied from the training text has {copied.longest:,} characters ({run!r}, "
            f"at character {copied.place:,}); {copied.share:.1%} of the {novelty.WINDOW}-character windows are copied")


def _as_json(model_name: str, prime: str, settings: Settings, samples: List[Sample],
             copies: List[Optional[novelty.Novelty]]) -> dict:
    return {"model": model_name, "prime": prime, **asdict(settings), "samples": [
        {"seed": each.seed, "text": prime + each.text, "log_probabilities": each.log_probabilities,
         **({"novelty": asdict(copied)} if copied else {})} for each, copied in zip(samples, copies)]}


if __name__ == "__main__":
    sys.exit(main())
