"""The frequent words of a language: which they are, and how they are stored."""

import pytest

from charrnn.text import lexicon


def test_frequent_words_have_the_case_that_they_have_mostly():
    text = "The Haus of Anna, the Haus of anna; the Anna 4th. Rare " * 9 + "rarely"
    assert lexicon.frequent_words(text, 99) == ["Haus", "Rare", "anna", "of", "the"]
    assert lexicon.frequent_words(text, 1) == ["the"]


@pytest.mark.parametrize("lines", [["\u00e9", "the"], [""], ["", "a", "", ""], ["a\r"], ["\ud800"]])
def test_what_is_packed_is_unpacked(lines):
    """Words, or a text by its lines; also what is not compressed."""
    assert lexicon.unpack(lexicon.pack(lines)) == lines
    assert lexicon.unpack("\n".join(lines).encode("utf-8", "surrogatepass")) == lines


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xff",
        lexicon.pack(["the"])[:-5],
        lexicon.pack(["the"])[:20],
        lexicon.pack(["a" * 50_000_000]),
    ],
    ids=["no UTF-8", "cut", "cut short", "too long"],
)
def test_what_is_damaged_is_refused(content):
    with pytest.raises(ValueError, match="its words or its text are damaged"):
        lexicon.unpack(content)
