"""A simpler predictor to compare a model with, n-gram counts, and what is compared. NumPy only."""

from typing import Iterator, NamedTuple, Sequence

import numpy as np

# the lengths of contexts among which the best n-gram counts are found
LENGTHS = (1, 2, 3, 4, 5)


class NgramCounts(NamedTuple):
    """N-gram counts by the length of their longest contexts, and the mean surprisal in nats that they give a text."""

    length: int
    nats: float


def best_ngram_counts(train_ids: np.ndarray, ids: np.ndarray, num_classes: int) -> NgramCounts:
    """Return the n-gram counts that predict a text best, of those with contexts of 1 to 5 characters.

    The length is chosen on the text that is predicted, which favours the counts. The arguments are those of
    :func:`ngram_nats`.
    """
    nats_by_length = _nats_by_length(train_ids, ids, num_classes, longest=max(LENGTHS))
    # from the length 0 on
    means = [float(nats.mean()) for nats in nats_by_length]
    best = min(LENGTHS, key=lambda length: means[length])
    return NgramCounts(best, means[best])


def ngram_nats(train_ids: np.ndarray, ids: np.ndarray, num_classes: int, order: int) -> np.ndarray:
    """Predict each character of a text from n-gram counts in a training text.

    The predictions of contexts with 0 to ``order`` characters are mixed with Witten and Bell's weights (1991):
    p(x | context) = (count of x + kinds · p(x | shorter context)) / (total count + kinds), where kinds is the
    number of different characters that follow the context in the training text.

    Args:
        train_ids: int array, the training text.
        ids: int array [T], the text to predict. The counts are not updated with it.
        num_classes: C; all ids are in [0, C).
        order: length of the longest context, at least 0.

    Returns:
        float64 [T - 1], minus the natural logarithm of the probability of each character but the first.

    >>> round(float(np.exp(-ngram_nats(np.array([0, 1, 0, 1]), np.array([0, 1]), 2, order=0))[0]), 3)
    0.5
    """
    *_, nats = _nats_by_length(train_ids, ids, num_classes, longest=order)
    return nats


def _nats_by_length(
    train_ids: np.ndarray, ids: np.ndarray, num_classes: int, longest: int
) -> Iterator[np.ndarray]:
    """Yield what :func:`ngram_nats` returns for each order from 0 to the longest."""
    n_train = len(train_ids)
    joined = np.concatenate([train_ids, ids]).astype(np.int64)
    predicted = joined[n_train + 1 :]  # [T - 1]
    # that of a context of -1 characters
    probability = np.full(len(predicted), 1 / num_classes)

    # Contexts are numbered. This is the number of the one before each character; at first it is empty, and so the same.
    contexts = np.zeros(len(joined), np.int64)
    for length in range(longest + 1):
        if length:
            contexts = _extended(contexts, joined, length, num_classes)
        training_contexts = contexts[:n_train]
        text_contexts = contexts[n_train + 1 :]

        # A pair is a context and the character after it, as one number.
        training_pairs = training_contexts * num_classes + joined[:n_train]
        pairs, counts = np.unique(training_pairs, return_counts=True)
        n_contexts = contexts.max() + 1
        totals = np.bincount(training_contexts, minlength=n_contexts)
        kinds = np.bincount(pairs // num_classes, minlength=n_contexts)

        # How often the training text has each pair of the text.
        text_pairs = text_contexts * num_classes + predicted
        places = np.minimum(np.searchsorted(pairs, text_pairs), len(pairs) - 1)
        count = np.where(pairs[places] == text_pairs, counts[places], 0)

        total = totals[text_contexts]
        kind = kinds[text_contexts]
        mixed = (count + kind * probability) / np.maximum(total + kind, 1)
        probability = np.where(total > 0, mixed, probability)
        yield -np.log(probability)


def _extended(contexts: np.ndarray, ids: np.ndarray, length: int, num_classes: int) -> np.ndarray:
    """Return new numbers of contexts that are one character longer: the one ``length`` positions before."""
    before_the_text = np.full(length, num_classes, np.int64)
    earlier = np.concatenate([before_the_text, ids])[: len(ids)]
    _, numbers = np.unique(contexts * (num_classes + 1) + earlier, return_inverse=True)
    return numbers


def mean_of_letters(nats: np.ndarray, chars: Sequence[str]) -> float:
    """Return the mean nats [T] of those of T characters that are letters; of all, if none is one."""
    is_letter = np.array([char.isalpha() for char in chars], bool)
    if is_letter.any():
        nats = nats[is_letter]
    return float(np.mean(nats, dtype=np.float64))
