"""How much of a text is copied, compared with an exhaustive search."""
import numpy as np
import pytest

from charrnn.text import novelty
from charrnn.text.novelty import WINDOW, Novelty, Reference


def plain_longest(text, reference):
    """Return the length of the longest common substring, by dynamic programming."""
    best, row = 0, np.zeros(len(reference) + 1, int)
    characters = np.array(list(reference)) if reference else np.zeros(0, "U1")
    for char in text:
        row[1:] = np.where(characters == char, row[:-1] + 1, 0)
        best = max(best, row.max())
    return best


def plain_share(text, reference):
    windows = [text[start:start + WINDOW] for start in range(len(text) - WINDOW + 1)]
    return sum(window in reference for window in windows) / len(windows) if windows else 0.0


def check(text, reference):
    """Check a novelty, and return it."""
    found = Reference(reference).novelty(text)
    assert found.longest == plain_longest(text, reference)
    assert found.share == pytest.approx(plain_share(text, reference))
    assert text[found.start:found.start + found.longest] == reference[found.place:found.place + found.longest]
    return found


def random_texts(seed):
    """Return a text and a training text of few or many letters, short or long, with or without copied pieces."""
    random = np.random.RandomState(seed)
    letters = "ab" if seed % 3 == 0 else "abcdefgh\u00e9\U0001f600 \n"

    def draw(length):
        return "".join(letters[index] for index in random.randint(len(letters), size=length))

    reference = draw(random.randint(1, 600))
    text = draw(random.randint(0, 150))
    for _ in range(random.randint(0, 3)):
        start = random.randint(len(reference))
        text += reference[start:start + random.randint(1, 130)] + draw(random.randint(0, 30))
    return text, reference


@pytest.mark.parametrize("seeds", [range(start, start + 50) for start in range(0, 200, 50)])
def test_random_texts(seeds):
    found = [check(*random_texts(seed)) for seed in seeds]
    assert len({each.longest for each in found}) > 10 and any(0 < each.share < 1 for each in found)


@pytest.mark.parametrize("seed", range(5))
def test_runs_across_the_edges_of_pieces_are_found(monkeypatch, seed):
    monkeypatch.setattr(novelty, "_PIECE", 7 + seed)
    check(*random_texts(300 + seed))


@pytest.mark.parametrize("seed", range(10))
def test_windows_with_equal_hashes_are_compared_by_their_characters(monkeypatch, seed):
    usual = novelty._hashes
    monkeypatch.setattr(novelty, "_hashes", lambda points, width: usual(points, width) & np.uint32(0xE0000000))
    check(*random_texts(400 + seed))


def test_the_share_of_windows_of_twenty_characters():
    text = "abcdefghijklmnopqrst"
    assert len(text) == WINDOW
    assert Reference("xx" + text + "yy").novelty(text) == Novelty(20, 0, 2, 1.0)
    assert Reference("xx" + text[:-1] + "yy").novelty(text) == Novelty(19, 0, 2, 0.0)
    assert Reference("xx" + text + "yy").novelty("u" + text + "z") == Novelty(20, 1, 2, 1 / 3)


def test_a_text_longer_than_the_training_text():
    assert Reference("the cat").novelty("on the mat the cat sat on the mat") == Novelty(8 - 1, 11, 0, 0.0)
    copied = Reference("the cat sat on the mat").novelty(3 * "the cat sat on the mat")
    assert (copied.longest, copied.place) == (22, 0)
    assert copied.share == pytest.approx(9 / 47)


@pytest.mark.parametrize("text, reference", [("", "the cat"), ("the cat", ""), ("", ""), ("xyz", "the cat")])
def test_nothing_in_common(text, reference):
    assert Reference(reference).novelty(text) == Novelty(0, 0, 0, 0.0)


def test_one_character_in_common():
    assert Reference("the").novelty("xxhxx") == Novelty(1, 2, 1, 0.0)


def test_a_text_compared_with_itself():
    text = "".join(map(chr, np.random.RandomState(0).randint(97, 123, 3000)))
    assert Reference(text).novelty(text) == Novelty(3000, 0, 0, 1.0)
    assert check("a" * 300, "a" * 500).share == 1


def test_a_lone_surrogate_is_a_character():
    assert Reference("a\ud800b").novelty("\ud800b").longest == 2


def test_equal_windows_have_equal_hashes():
    """And different windows different ones."""
    points = np.random.RandomState(1).randint(97, 100, 2000).astype(np.uint32)
    for width in (1, 2, 3, 5, 8, 20, 21, 64):
        hashes = novelty._hashes(points, width)
        assert len(hashes) == 2000 - width + 1
        known = {}
        for start, each in enumerate(hashes):
            assert known.setdefault(points[start:start + width].tobytes(), each) == each
        assert len(set(known.values())) == len(known)
