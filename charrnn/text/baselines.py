"""Simpler predictors to compare a model with: xz compression and n-gram counts. NumPy only."""

import lzma

import numpy as np


def xz_bits(text: str, before: str = "") -> int:
    """Return the size in bits of a text compressed with xz.

    Args:
        text: the text to compress.
        before: a text that precedes it, for example the training text. The compressor can refer to it, and its own
            compressed size is subtracted.
    """

    def size(characters: str) -> int:
        return 8 * len(
            lzma.compress(
                characters.encode("utf-8", "surrogatepass"), preset=9 | lzma.PRESET_EXTREME
            )
        )

    return size(before + text) - (size(before) if before else 0)


def ngram_nats(
    train_ids: np.ndarray, ids: np.ndarray, num_classes: int, order: int = 5
) -> np.ndarray:
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
    joined = np.concatenate([train_ids, ids]).astype(np.int64)
    first = len(train_ids) + 1  # position of the first predicted character
    probability = np.full(len(ids) - 1, 1 / num_classes)
    contexts = np.zeros(len(joined), np.int64)  # number of the context that precedes each position
    for length in range(order + 1):
        if length:  # extend each context by the character `length` positions before
            earlier = np.concatenate([np.full(length, num_classes, np.int64), joined])[
                : len(joined)
            ]
            contexts = np.unique(contexts * (num_classes + 1) + earlier, return_inverse=True)[1]
        learned = contexts[: len(train_ids)]
        seen = contexts[first:]
        pairs, counts = np.unique(
            learned * num_classes + joined[: len(train_ids)], return_counts=True
        )
        size = contexts.max() + 1
        total = np.bincount(learned, minlength=size)[seen]
        kinds = np.bincount(pairs // num_classes, minlength=size)[seen]
        targets = seen * num_classes + joined[first:]
        place = np.minimum(np.searchsorted(pairs, targets), len(pairs) - 1)
        count = np.where(pairs[place] == targets, counts[place], 0)
        known = total > 0
        probability[known] = ((count + kinds * probability) / np.maximum(total + kinds, 1))[known]
    return -np.log(probability)
