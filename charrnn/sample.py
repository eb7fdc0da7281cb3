"""Sampling, the end of the notebook: :func:`pick_top_n` and :func:`sample`, which draws one character at a time.

The command ``charrnn-sample`` is in :mod:`charrnn.commands.sample`; ``python -m charrnn.sample`` runs it too. It uses
:class:`charrnn.engines.sampler.Sampler`, which is faster and writes several texts at once.

Letters for shapes as in :mod:`charrnn.engines`.
"""
import contextlib
import runpy
from typing import Any, Iterable, Optional

import numpy as np

from charrnn.data import StrPath
from charrnn.engines.decoding import softmax
from charrnn.engines.opened_model import doubt_order, open_model
from charrnn.engines.sampler import check_prime, default_prime
from charrnn.system import console


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
        vocabulary: the characters of a checkpoint of the notebook, which does not record them, in the order of their
            ids: usually ``sorted(set(text))`` of the text that it was trained on. By default those of ``text.txt`` in
            its folder.

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
    model = open_model(checkpoint, vocabulary)
    console.print_skipped(model.skipped)
    if vocabulary is None:
        doubt_order(model)
    known = model.vocabulary
    for name, given, found in [("lstm_size", lstm_size, model.lstm_size), ("vocab_size", vocab_size, len(known))]:
        if given is not None and given != found:
            raise ValueError(f"{name} is {given}, but {model.name} has {found}")
    if prime is None:
        prime = default_prime(known)
    check_prime(prime, known)
    samples = [prime]
    with contextlib.closing(model.engine()) as engine:
        logits, state = engine.read(known.encode(prime), engine.zero_state())  # [1, C], [S, 1, L]
        for _ in range(n_samples + 1):
            c = pick_top_n(softmax(logits), len(known), top_n)
            samples.append(known.int_to_vocab[c])
            logits, state = engine.read([c], state)
    return "".join(samples)


if __name__ == "__main__":
    runpy.run_module("charrnn.commands.sample", run_name="__main__", alter_sys=True)
