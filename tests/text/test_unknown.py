"""Characters that are not in a vocabulary: reported, left out or replaced."""

import pytest

from charrnn.data import Vocabulary
from charrnn.system.errors import described
from charrnn.text.unknown import CHOICES, resolve

LETTERS = Vocabulary(sorted("\n '-\"abcdefghijklmnopqrstuvwxyzABE."))


@pytest.mark.parametrize("how", CHOICES)
def test_a_known_text_is_unchanged(how):
    assert resolve("the cat.\n", LETTERS, how) == ("the cat.\n", "")
    assert resolve("", LETTERS, how) == ("", "")
    assert resolve("u\u0308", Vocabulary("u\u0308"), how) == ("u\u0308", "")


def test_unknown_characters_are_reported_with_their_first_place():
    with pytest.raises(ValueError) as caught:
        resolve("ab\ncd\u00e9 Z\u00e9", LETTERS, "error", "the prime")
    fact = (
        "the prime has characters that are not in the model's vocabulary: "
        "'\u00e9' (line 2, column 3), 'Z' (line 2, column 5); "
    )
    assert str(caught.value).startswith(f"{fact}with unknown='skip', ")
    assert described(caught.value).startswith(f"{fact}--unknown skip ")
    with pytest.raises(ValueError, match=r"'Z' \(line 2, column 1\)"):
        resolve("\nZ", LETTERS, "error")


@pytest.mark.parametrize(
    "text, kept, left_out",
    [
        ("Na\u00efve, caf\u00e9!", "ave caf", "'N', '\u00ef', ',', '\u00e9', '!'"),
        ("\U0001f600a\ud800XX", "a", "'\U0001f600', '\\ud800', 'X'"),
    ],
)
def test_unknown_characters_are_skipped(text, kept, left_out):
    assert resolve(text, LETTERS, "skip", "the prime") == (
        kept,
        f"left out of the prime: {left_out}",
    )


@pytest.mark.parametrize(
    "given, near",
    [
        ("caf\u00e9", "cafe"),
        ("\u201cna\u00efve\u201d", '"naive"'),
        ("it\u2019s", "it's"),
        ("a \u2014 b", "a - b"),
        ("Q", "q"),
        ("\u00c9", "E"),
        ("\u00df", "ss"),
        ("\u00e6", "ae"),
        ("\u0152", "oe"),
        ("\u2026", "..."),
        ("\ufb01", "fi"),
        ("a\tb", "a b"),
        ("a\rb", "a\nb"),
        ("\u00a0", " "),
        ("\u0142", "l"),
    ],
)
def test_unknown_characters_are_replaced(given, near):
    """Letters without accents, plain quotes and dashes, separated ligatures, and if necessary the other case."""
    text, note = resolve(given, LETTERS, "nearest")
    assert text == near
    assert note.startswith("replaced in the text: ") and "\n" not in note


@pytest.mark.parametrize(
    "given, note",
    [
        (
            "\u201e\u00e9\u65e5",
            "replaced in the text: '\u201e' by '\"', '\u00e9' by 'e'; left out of the text: '\u65e5'",
        ),
        ("a\u0301b\u0301", "replaced in the text: '\u00e1' by 'a'; left out of the text: '\u0301'"),
    ],
)
def test_a_character_without_a_replacement_is_left_out_by_name(given, note):
    assert resolve(given, LETTERS, "nearest")[1] == note


@pytest.mark.parametrize(
    "given, known, near",
    [
        ("u\u0308", "u\u00fc", "\u00fc"),
        ("\u00fc", "u\u0308", "u\u0308"),
        ("u\u0308\u00e9", "eu\u0308", "u\u0308e"),
    ],
)
def test_a_letter_keeps_an_accent_that_the_model_knows(given, known, near):
    """A letter with an accent is one character or two, as in names of files on macOS."""
    assert resolve(given, Vocabulary(known), "nearest")[0] == near


def test_plain_quotes_become_typographic_ones_where_the_model_knows_only_those():
    assert resolve("'a'", Vocabulary("a\u2019"), "nearest")[0] == "\u2019a\u2019"
