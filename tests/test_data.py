"""Text to ids to mini-batches."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charrnn.data import Vocabulary, count_windows, get_batches, load_text, split


@given(st.integers(0, 400), st.integers(1, 7), st.integers(1, 9))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rows_continue_and_targets_are_one_later(length, batch_size, n_steps):
    encoded = np.arange(1, length + 1)
    batches = list(get_batches(encoded, batch_size, n_steps))
    assert len(batches) == length // (batch_size * n_steps)
    assert len(batches) == count_windows(length, batch_size, n_steps)
    if not batches:
        return

    x, y = np.concatenate(batches, axis=2)  # [N, M·K] each
    last = y[:, -1]
    np.testing.assert_array_equal(x.ravel(), encoded[: x.size])
    np.testing.assert_array_equal(y[:, :-1], x[:, 1:])
    np.testing.assert_array_equal(last, 0)


@pytest.mark.parametrize("sizes", [(0, 3), (2, 0), (-1, 3)])
def test_sizes_below_1_are_refused(sizes):
    with pytest.raises(ValueError, match="at least 1"):
        next(get_batches(np.arange(10), *sizes))


def test_batches_equal_the_notebooks(notebook):
    random = np.random.RandomState(3)
    encoded = random.randint(0, 9, 500).astype(np.int32)
    ours = list(get_batches(encoded, 4, 7))
    theirs = list(notebook.get_batches(encoded, 4, 7))
    np.testing.assert_array_equal(ours, theirs)


def test_anna_has_the_notebooks_ids(anna):
    vocabulary = Vocabulary.from_text(anna)
    assert len(anna) == 1985223
    assert len(vocabulary) == 83

    encoded = vocabulary.encode(anna[:10])
    assert encoded.dtype == np.int32
    assert encoded.tolist() == [31, 64, 57, 72, 76, 61, 74, 1, 16, 0]


def test_ids_have_the_type_that_was_asked_for():
    encoded = Vocabulary("abcd").encode("dab", np.uint8)
    assert encoded.dtype == np.uint8
    assert encoded.tolist() == [3, 0, 1]


@given(st.text(min_size=1))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_vocabulary_is_the_notebooks(text):
    vocabulary = Vocabulary.from_text(text)
    # the notebook's lines
    vocab = sorted(set(text))
    vocab_to_int = {char: index for index, char in enumerate(vocab)}
    int_to_vocab = dict(enumerate(vocab))
    ids = [vocab_to_int[char] for char in text]

    assert list(vocabulary.chars) == vocab
    assert vocabulary.vocab_to_int == vocab_to_int
    assert vocabulary.int_to_vocab == int_to_vocab
    encoded = vocabulary.encode(text)
    assert encoded.tolist() == ids
    assert vocabulary.decode(encoded) == text


def test_encoding_more_than_one_chunk(monkeypatch):
    monkeypatch.setattr("charrnn.data._CHUNK", 4)
    text = "naïve café \U0001f600 déjà vu"
    vocab = sorted(set(text))
    ids = Vocabulary.from_text(text).encode(text)
    assert ids.tolist() == [vocab.index(char) for char in text]


UNKNOWN = ["x", "\U0001f600", "\0", "é"]


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_an_unknown_character_is_returned_once(unknown):
    vocabulary = Vocabulary("abcd")
    assert vocabulary.unknown(f"ab{unknown}b{unknown}") == [unknown]


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_encoding_names_unknown_characters(unknown):
    vocabulary = Vocabulary("abcd")
    with pytest.raises(ValueError) as error:
        vocabulary.encode("ab" + unknown)
    assert repr(unknown) in str(error.value)


@pytest.mark.parametrize(
    "chars", ["", "aa", "the cat", ["ab"], [1], [["a"]], set("ab"), frozenset("ab")]
)
def test_vocabularies_of_anything_but_distinct_characters_in_an_order_are_refused(chars):
    with pytest.raises(ValueError, match=r"use Vocabulary\.from_text\(text\)"):
        Vocabulary(chars)


def test_a_vocabulary_keeps_the_order_that_is_given():
    vocabulary = Vocabulary(["c", "\U0001f600", "a", "b"])
    encoded = vocabulary.encode("abc\U0001f600")
    assert encoded.tolist() == [2, 3, 0, 1]
    assert vocabulary.decode([2, 3, 0, 1]) == "abc\U0001f600"
    assert vocabulary.unknown("d\U0001f601a") == ["d", "\U0001f601"]


def test_an_id_without_a_character_is_refused():
    vocabulary = Vocabulary("abcd")
    with pytest.raises(ValueError, match="there is no character with id 4: ids go from 0 to 3"):
        vocabulary.decode([3, 4])


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_load_text_has_universal_newlines(tmp_path, encoding):
    path = tmp_path / "text"
    path.write_bytes("é\r\nb\rc\n".encode(encoding))
    assert load_text(path, encoding=encoding) == "é\nb\nc\n"


def test_load_text_expects_utf_8(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("é".encode())
    assert load_text(path) == "é"


@pytest.mark.parametrize(
    "content, encoding, message",
    [
        (None, "utf-8", "No such file"),
        (b"", "utf-8", "is empty"),
        (b"\xef\xbb\xbf", "utf-8-sig", "is empty"),
        (b"\xff\xfe\xfa", "utf-8", "; cp1250 is for Polish or Czech, cp1251 for Russian"),
        (b"abc", "klingon", "no encoding named 'klingon'"),
        (b"abc", "base64", "encoding"),
    ],
)
def test_load_text_names_the_problem(tmp_path, content, encoding, message):
    path = tmp_path / "text"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        load_text(path, encoding)
    assert message in str(error.value)


TEXTS = pytest.mark.parametrize("text", ["abcdefghij", np.arange(10)], ids=["str", "array"])


@TEXTS
def test_split_holds_out_the_end(text):
    training, validation, test = split(text, 0.25)
    assert list(training) == list(text[:8])
    assert list(validation) == list(text[8:])
    assert list(test) == []


@TEXTS
def test_split_puts_the_test_text_last(text):
    training, validation, test = split(text, 0.25, 0.31)
    assert list(training) == list(text[:5])
    assert list(validation) == list(text[5:7])
    assert list(test) == list(text[7:])
