"""The words that tell texts apart. The tests of the page compare what is written with a unit clamped."""

from charrnn.inspection import clamped

# Nine times in each half of these texts, which is three standard deviations. The last word of each is cut.
LOW = ["He ran home and he slept. he sle"] * 18
HIGH = ["I ran away and I sat. I'll sat, I s"] * 9 + ["so I'm sat x"] * 9


def test_words_that_tell_texts_apart_are_chosen_in_half_of_them_and_counted_in_the_other():
    """The first two stand for each other: both follow "and"."""
    assert clamped.compare(LOW, ["he I I"] * 18, HIGH) == {
        "words": [["he", "home", "slept"], ["I", "sat", "away"]],
        "counts": [[45, 0], [9, 9], [0, 18]],
        "texts": 9,
    }


def test_no_word_tells_equal_texts_apart():
    assert clamped.compare(LOW, LOW, LOW) is None


def test_no_word_counts_that_is_as_frequent_at_both_ends_in_the_other_half():
    low = ["he."] * 9 + ["x."] * 9
    high = ["I."] * 9 + ["he I."] * 9
    assert clamped.compare(low, ["he he."] * 18, high) is None
