"""What tells texts apart."""

from dataclasses import replace

import pytest

from charrnn.inspection import differences

# Nine times in each half of these texts, which is three standard deviations. The last word of each is cut.
LOW = ["He ran home and he slept. he sle"] * 18
HIGH = ["I ran away and I sat. I'll sat, I s"] * 9 + ["so I'm sat x"] * 9


def compare(low, free, high, signs="\n"):
    """Return what tells most clearly: chosen in the first half of the texts, and counted in the second."""
    half = len(low) // 2
    counted_in = (low[half:], free[half:], high[half:])
    telling = differences.differences_between((low[:half], high[:half]), counted_in, signs)
    return max(telling, key=lambda difference: difference.clearness, default=None)


def test_words_that_tell_texts_apart_are_chosen_in_half_of_them_and_counted_in_the_other():
    """The first two stand for each other: both follow "and"."""
    assert compare(LOW, ["he I I"] * 18, HIGH) == differences.Difference(
        words=[["he", "home", "slept"], ["I", "sat", "away"]],
        counts=[[45, 0], [9, 9], [0, 18]],
        texts=9,
        seen=9,
    )


def test_a_word_that_the_end_of_a_text_cuts_is_none():
    """Here "don" is the beginning of "don't"."""
    high = ["I don't, I don"] * 36
    low = ["he ran, he ran"] * 36
    difference = compare(low, ["x"] * 36, high)
    assert difference.words == [["he", "ran"], ["I", "don't"]]


def test_a_word_that_is_named_with_a_capital_is_not_the_one_without():
    """As "Sie" and "sie" of German. "da", without one, is also "Da" at the start of a sentence."""
    low = ["Da ist sie und da ist da er. "] * 36
    high = ["Und Sie sind Sie und Sie und sie. "] * 36
    difference = compare(low, low, high)
    assert difference.words == [["da", "ist", "er"], ["Sie", "und", "sind"]]
    # "da" is there with "Da", and "Sie" without "sie".
    assert difference.counts[0] == [18 * 6, 18 * 1]
    assert difference.counts[2] == [0, 18 * 7]


def test_a_name_with_a_capital_is_not_chosen_by_the_word_without():
    """Here "sie" of the low end would hide "Sie" of the high end, and count for it."""
    low = ["ist er sie, er ist. "] * 36
    high = ["und Sie und Sie. "] * 36
    difference = compare(low, low, high)
    assert "Sie" in difference.words[1]
    assert difference.margin("er sie. ", "und Sie. ") > 0
    sie_alone = differences.Difference([["er"], ["Sie"]], [[9, 1], [5, 5], [1, 9]], texts=16)
    assert sie_alone.margin("er. ", "sie. ") <= 0


def test_no_word_tells_equal_texts_apart():
    assert compare(LOW, LOW, LOW) is None


def test_no_word_counts_that_is_as_frequent_at_both_ends_in_the_other_half():
    low = ["he."] * 9 + ["x."] * 9
    high = ["I."] * 9 + ["he I."] * 9
    assert compare(low, ["he he."] * 18, high) is None


def test_line_ends_tell_texts_apart_too():
    """They are chosen in half of the texts, and counted in the other."""
    low = ["the cat sat "] * 4 + ["the\ncat sat "] * 4
    free = ["the\ncat\nsat "] * 8
    high = ["the\n\n\ncat\n\nsat\n"] * 4 + ["the\n\n\n\n\n\ncat "] * 4
    assert compare(low, free, high) == differences.Difference(
        words=[], counts=[[4], [8], [24]], texts=4, seen=4
    )


@pytest.mark.parametrize(
    "low, high",
    [
        (["a\nb"] * 18, ["a\nb\nc"] * 18),
        (["a b"] * 9 + ["a\n\nb"] * 9, ["a\n\nb"] * 9 + ["a b"] * 9),
        (["a b"] * 18, ["a\nb"] + ["a b"] * 17),
    ],
    ids=["few more", "the other way round in the other half", "by chance"],
)
def test_line_ends_tell_nothing_where_one_would_have_to_count(low, high):
    assert compare(low, low, high) is None


@pytest.mark.parametrize("line_ends, tells_words", [(1, True), (9, False)])
def test_what_differs_more_clearly_tells_texts_apart(line_ends, tells_words):
    high = [text + "\n" * line_ends for text in HIGH]
    difference = compare(LOW, ["he I I"] * 18, high)
    assert bool(difference.words) == tells_words


WORDS = differences.Difference([["he", "she"], ["I", "you"]], [[9, 1], [5, 5], [1, 9]], texts=16)
LINE_ENDS = differences.Difference([], [[1], [5], [20]], texts=16)


@pytest.mark.parametrize(
    "low, high, difference, margin",
    [
        ("he he she. I.", "I'm you I. she.", WORDS, 2),
        ("he he. I.", "I. he.", WORDS, 0),
        ("he. I.", "you I. she.", WORDS, 0),
        ("I I.", "he he.", WORDS, -2),
        ("a", "a\nb\n", LINE_ENDS, 2),
        ("a\nb\n", "a\nb\n", LINE_ENDS, 0),
        ("a\nb\n", "a", LINE_ENDS, -2),
        ("a!", "a", replace(LINE_ENDS, sign="!", counts=[[20], [5], [1]]), 1),
    ],
    ids=[
        "words",
        "as many of the high end's",
        "as many of the low end's",
        "the other way round",
        "line ends",
        "as many",
        "line ends the other way round",
        "a sign at the low end",
    ],
)
def test_a_pair_counts_if_each_end_has_more_of_its_own(low, high, difference, margin):
    assert difference.margin(low, high) == margin
    assert difference.seen_in([low], [high]) == (margin > 0)


def test_the_words_that_a_sentence_names_are_looked_at_alone():
    assert WORDS.margin("she she.", "I you I.") == 2
    assert WORDS.of_first_words().margin("she she.", "I you I.") == 0


def test_each_end_is_compared_with_free_texts_too():
    """Here the low end says "he" no more often than free texts do, but "I" less often."""
    difference = differences.Difference([["he"], ["I"]], [[50, 0], [50, 16], [0, 100]], texts=16)
    assert difference.from_free == pytest.approx(4)
