"""Characters that a model never saw."""
import pytest

from charrnn.data import Vocabulary
from charrnn.text.unknown import CHOICES, resolve

LETTERS = Vocabulary(sorted("\n '-\"abcdefghijklmnopqrstuvwxyzABE."))


@pytest.mark.parametrize("how", CHOICES)
def test_a_text_that_is_known_stays_as_it_is(how):
    assert resolve("the cat.\n", LETTERS, how) == ("the cat.\n", "")
    assert resolve("", LETTERS, how) == ("", "")


def test_unknown_characters_are_named_with_their_first_place():
    with pytest.raises(ValueError) as caught:
        resolve("ab\ncd\u00e9 Z\u00e9", LETTERS, "error", "the prime")
    assert str(caught.value) == ("the prime has characters that the model never saw: '\u00e9' (line 2, column 3), "
                                 "'Z' (line 2, column 5)")


def test_many_are_cut_short():
    with pytest.raises(ValueError) as caught:
        resolve("".join(map(chr, range(0x400, 0x40d))), LETTERS, "error")
    assert str(caught.value).count("line 1") == 10 and str(caught.value).endswith(" and 3 more")


def test_they_are_left_out():
    text, note = resolve("Na\u00efve, caf\u00e9!", LETTERS, "skip", "the prime")
    assert text == "ave caf"
    assert note == "left out of the prime: 'N', '\u00ef', ',', '\u00e9', '!'"


@pytest.mark.parametrize("given, near", [
    ("caf\u00e9", "cafe"), ("e\u0301", None), ("\u201cna\u00efve\u201d", '"naive"'), ("it\u2019s", "it's"),
    ("a \u2014 b", "a - b"), ("Q", "q"), ("\u00c9", "E"), ("\u00df", "ss"), ("\u00e6", "ae"), ("\u0152", "oe"),
    ("\u2026", "..."), ("\ufb01", "fi"), ("a\tb", "a b"), ("a\rb", "a\nb"), ("\u00a0", " "), ("\u0142", "l")])
def test_the_nearest(given, near):
    """Letters without accents, plain quotes and dashes, ligatures apart, the other case where it must be."""
    if near is None:
        with pytest.raises(ValueError, match="never saw"):
            resolve(given, LETTERS, "nearest")
        return
    text, note = resolve(given, LETTERS, "nearest")
    assert text == near
    assert note.startswith("in the text ") and " became " in note and "\n" not in note


def test_what_has_nothing_near_is_an_error():
    with pytest.raises(ValueError, match="'\u65e5'"):
        resolve("\u00e9\u65e5", LETTERS, "nearest")
    with pytest.raises(ValueError) as caught:
        resolve("\u00e9\u65e5", LETTERS, "nearest")
    assert "'\u00e9'" not in str(caught.value)


def test_a_known_character_is_never_replaced():
    assert resolve("\u00e9e", Vocabulary("e\u00e9"), "nearest") == ("\u00e9e", "")
