"""The baselines: n-gram counts, compared with plain Python."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from charrnn.text.baselines import best_ngram_counts, ngram_nats


def plain_probability(train, context, char, num_classes, order):
    """Return Witten and Bell's mixture, from the empty context to the longest one in the training text."""
    followers = defaultdict(Counter)
    for place, following in enumerate(train):
        for length in range(min(order, place) + 1):
            followers[tuple(train[place - length : place])][following] += 1
    probability = 1 / num_classes
    for length in range(order + 1):
        if length > len(context):
            break
        counts = followers.get(tuple(context[len(context) - length :]))
        if counts:
            kinds = len(counts)
            probability = (counts[char] + kinds * probability) / (sum(counts.values()) + kinds)
    return probability


def texts(seed, num_classes, n_train, n_text):
    """Return two texts of ids with recurring contexts; the second has an id that is not in the first."""
    random = np.random.RandomState(seed)
    steps = random.choice([0, 1, 1, 1, 2], n_train + n_text)
    ids = np.cumsum(steps) % (num_classes - 1)
    text = ids[n_train:].copy()
    text[n_text // 2] = num_classes - 1
    return ids[:n_train], text


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5, 8])
def test_ngrams_equal_plain_python(order):
    train, text = texts(seed=4, num_classes=6, n_train=150, n_text=41)
    nats = ngram_nats(train, text, num_classes=6, order=order)

    before = train.tolist()
    context = [*before, text[0]]
    expected = []
    for char in text[1:].tolist():
        probability = plain_probability(before, context, char, num_classes=6, order=order)
        expected.append(-math.log(probability))
        context.append(char)
    np.testing.assert_allclose(nats, expected, rtol=1e-12)


def test_each_character_but_the_first_is_predicted():
    train, text = texts(seed=4, num_classes=6, n_train=150, n_text=41)
    assert ngram_nats(train, text, num_classes=6, order=5).shape == (40,)


def test_nats_are_float64():
    train, text = texts(seed=4, num_classes=6, n_train=150, n_text=41)
    assert ngram_nats(train, text, num_classes=6, order=5).dtype == np.float64


def test_an_example_by_hand():
    """After a b a b a with order 1: p(a) = (3 + 2/2) / (5 + 2), and p(b | a) = (2 + 1 · p(b)) / (2 + 1)."""
    after_a = ngram_nats(np.array([0, 1, 0, 1, 0]), np.array([0, 1]), 2, order=1)
    assert math.exp(-after_a[0]) == pytest.approx((2 + 1 - 4 / 7) / 3)


@pytest.mark.parametrize("n_train, best", [(150, 1), (1000, 2)])
def test_the_best_length_is_that_of_the_lowest_mean(n_train, best):
    train, text = texts(seed=4, num_classes=6, n_train=n_train, n_text=400)
    counts = best_ngram_counts(train, text, num_classes=6)
    means = [ngram_nats(train, text, num_classes=6, order=order).mean() for order in range(1, 6)]
    assert counts == (best, pytest.approx(min(means)))


def test_the_best_length_is_at_most_5():
    """Where a longer one would predict better, as in a text that repeats itself."""
    ids = np.tile(np.random.RandomState(4).choice(6, 90), 20)
    train, text = ids[:1600], ids[1600:]
    assert best_ngram_counts(train, text, num_classes=6).length == 5
    of_5, of_6 = [ngram_nats(train, text, num_classes=6, order=order).mean() for order in (5, 6)]
    assert of_6 < of_5
