"""Sampling, the end of the notebook: :func:`pick_top_n` and :func:`sample`, which draws with the notebook's two loops.

The command ``charrnn-sample`` is in :mod:`charrnn.commands.sample`; ``python -m charrnn.sample`` runs it too. Neither
the command nor ``Model.write`` calls :func:`sample`. They use :class:`charrnn.engines.sampler.Sampler`, which is faster
and writes several texts at once.
"""

import runpy
from typing import Any, Iterable, Optional

import numpy as np

from charrnn.data import StrPath
from charrnn.engines.opening import open_model
from charrnn.engines.sampler import checked_prime, default_prime
from charrnn.system import terminal
from charrnn.system.errors import checked_integer


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
    checked_integer("top_n", top_n, 1)
    p = np.array(preds).ravel()
    p[np.argsort(p)[:-top_n]] = 0
    p = p / np.sum(p)
    return int(rng.choice(vocab_size, 1, p=p)[0])


def sample(
    checkpoint: StrPath,
    n_samples: int,
    lstm_size: Optional[int] = None,
    vocab_size: Optional[int] = None,
    prime: Optional[str] = None,
    *,
    top_n: int = 5,
    vocabulary: Optional[Iterable[str]] = None,
) -> str:
    """Generate text from a model, one character at a time. This resets the default graph.

    With ``np.random.seed`` set, it draws what the notebook draws.

    Args:
        checkpoint: a run folder for its newest checkpoint, a checkpoint, an exported ``.npz`` file, or the name of a
            known model.
        n_samples: number of drawn characters that are fed back, at least 0.
        lstm_size: L. The model records it; if given, it must agree.
        vocab_size: C. The model records it; if given, it must agree.
        prime: the beginning of the text. By default the one that the model records, or else ``"The "``, or, if the
            model does not know these characters, a frequent word or character of its script.
        top_n: see :func:`pick_top_n`.
        vocabulary: the characters of a checkpoint of the notebook, which does not record them, in the order of their
            ids: usually ``sorted(set(text))`` of the text that it was trained on. By default those of ``text.txt`` in
            its folder.

    Returns:
        The prime and ``n_samples`` + 1 new characters.

    Raises:
        ValueError: an argument is out of range, the prime has characters that the model does not know, or the model
            has other cells than ``lstm``.
        CheckpointError: the model is missing or damaged, or needs a vocabulary.
        TensorFlowError: TensorFlow is not installed.

    Source: notebook, "sampling". Unlike the notebook's function, it takes the vocabulary and the number of layers
    from the model, and raises errors for an empty prime, unknown characters and ``top_n`` below 1.
    """
    checked_integer("n_samples", n_samples, 0)
    trained = open_model(checkpoint, vocabulary)
    terminal.print_skipped(trained.skipped)
    _check_size("lstm_size", lstm_size, trained.lstm_size, trained.name)
    _check_size("vocab_size", vocab_size, len(trained.vocabulary), trained.name)
    if trained.cell != "lstm":
        raise ValueError(
            f"sample needs the notebook's cells, and those of {trained.name} are {trained.cell}: use "
            f"open_model({str(checkpoint)!r}).write(...)"
        )
    vocab = trained.vocabulary
    if prime is None:
        prime = default_prime(vocab, trained.beginning)
    prime, _ = checked_prime(prime, vocab)

    # not above, because these import TensorFlow
    from charrnn.model import CharRNN
    from charrnn.system.tensorflow import set_variable, tf

    model = CharRNN(
        len(vocab), lstm_size=trained.lstm_size, num_layers=trained.num_layers, sampling=True
    )
    samples = list(prime)
    with tf.Session() as sess:
        # In place of saver.restore, this sets the weights of any file.
        for variable in tf.trainable_variables():
            set_variable(variable, trained.weights[variable.op.name], sess)
        new_state = sess.run(model.initial_state)
        for c in vocab.encode(prime):
            feed = {model.inputs: [[c]], model.keep_prob: 1.0, model.initial_state: new_state}
            preds, new_state = sess.run([model.prediction, model.final_state], feed_dict=feed)

        c = pick_top_n(preds, len(vocab), top_n)
        samples.append(vocab.int_to_vocab[c])
        for _ in range(n_samples):
            feed = {model.inputs: [[c]], model.keep_prob: 1.0, model.initial_state: new_state}
            preds, new_state = sess.run([model.prediction, model.final_state], feed_dict=feed)
            c = pick_top_n(preds, len(vocab), top_n)
            samples.append(vocab.int_to_vocab[c])
    return "".join(samples)


def _check_size(name: str, size: Optional[int], recorded: int, model_name: str) -> None:
    if size is not None and size != recorded:
        raise ValueError(f"{name} is {size}, but {model_name} has {recorded}")


if __name__ == "__main__":
    runpy.run_module("charrnn.commands.sample", run_name="__main__", alter_sys=True)
