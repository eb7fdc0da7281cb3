"""Known words: which character may follow a part of one."""

import pytest

from charrnn.text.lexicon import Lexicon

LEXICON = Lexicon(["cat", "cat's", "Kate"])


@pytest.mark.parametrize(
    "part, chars",
    [
        ("", "cK07 .'"),
        ("c", "a"),
        ("cat", " .'"),
        ("cat'", "s .'"),
        ("Ca", ""),
        ("Kat", "e"),
        ("dog", ""),
        ("7", "07 .'"),
    ],
)
def test_only_what_leads_to_a_known_word_or_ends_one_may_follow(part, chars):
    """A number is known. An apostrophe may close a quotation."""
    allowed = [char for char in "acdesKT07'. " if LEXICON.allows(part, False, char)]
    assert sorted(allowed) == sorted(chars)


def test_the_first_word_of_a_sentence_may_have_a_capital():
    assert LEXICON.allows("Ca", True, "t")
    assert LEXICON.allows("Cat", True, " ")
    assert not LEXICON.allows("Do", True, "g")
