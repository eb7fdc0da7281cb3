"""What simpler means reach on a text, to hold a model's figure against: xz, and counts of n characters. NumPy only."""
import lzma

import numpy as np


def xz_bits(text, before=""):
    """Return the bits that xz takes for a text, less those that it takes for what stands before it.

    Args:
        text: str.
        before: str that the compressor may have seen, the training text.
    """
    def size(characters):
        return 8 * len(lzma.compress(characters.encode("utf-8", "surrogatepass"), preset=9 | lzma.PRESET_EXTREME))
    return size(before + text) - (size(before) if before else 0)


def ngram_nats(train_ids, ids, num_classes, order=5):
    """Predict a text by counts of how the characters before it went on in a training text.

    Each context of up to ``order`` characters is mixed with the one that is shorter by one, down to all
    characters alike, with Witten and Bell's weights (1991): p(x | context) = (count of x + kinds · p(x | shorter)) /
    (count + kinds), where kinds is how many different characters followed the context.

    Args:
        train_ids: int array, the training text.
        ids: int array [T], the text to predict; its characters are read but not learned from.
        num_classes: C; all ids are in [0, C).
        order: length of the longest context, at least 0.

    Returns:
        float64 [T - 1], minus the natural logarithm of the probability of each character but the first.

    >>> round(float(np.exp(-ngram_nats(np.array([0, 1, 0, 1]), np.array([0, 1]), 2, order=0))[0]), 3)
    0.5
    """
    joined = np.concatenate([train_ids, ids]).astype(np.int64)
    first = len(train_ids) + 1  # position of the first character that is predicted
    probability = np.full(len(ids) - 1, 1 / num_classes)
    contexts = np.zeros(len(joined), np.int64)  # a number for the characters before each position
    for length in range(order + 1):
        if length:  # the context grows by the character that stands `length` before
            earlier = np.concatenate([np.full(length, num_classes, np.int64), joined])[:len(joined)]
            contexts = np.unique(contexts * (num_classes + 1) + earlier, return_inverse=True)[1]
        learned, seen = contexts[:len(train_ids)], contexts[first:]
        pairs, counts = np.unique(learned * num_classes + joined[:len(train_ids)], return_counts=True)
        size = contexts.max() + 1
        total = np.bincount(learned, minlength=size)[seen]
        kinds = np.bincount(pairs // num_classes, minlength=size)[seen]
        wanted = seen * num_classes + joined[first:]
        place = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
        count = np.where(pairs[place] == wanted, counts[place], 0)
        known = total > 0
        probability[known] = ((count + kinds * probability) / np.maximum(total + kinds, 1))[known]
    return -np.log(probability)
