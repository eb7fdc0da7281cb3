"""The script charrnn-inspect, on an exported model and on checkpoints."""

import io
import json
import re
import sys

import numpy as np
import pytest
from conftest import TEXT, make_network
from pages.small_pages import random_network

from charrnn.commands import inspect
from charrnn.engines.opening import open_model
from charrnn.text import features


@pytest.fixture
def inspected(capsys):
    """A function that runs the script with good arguments, and returns its output and its errors."""

    def run(*arguments):
        assert inspect.main([str(argument) for argument in arguments]) == 0
        return capsys.readouterr()

    return run


def test_the_table_names_features_and_units(inspected, trained):
    out, err = inspected(trained)
    assert err == ""
    assert out.startswith("what is tracked")
    assert "after a vowel" in out
    assert "\nno unit reaches 0.3 for: " in out
    text = f"the training text, {trained.parent / 'small.txt'}"
    assert out.endswith(f"20 units, measured on {len(TEXT):,} characters of {text}\n")


def test_where_each_feature_is_tracked_none_is_missing(inspected, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "FEATURES", [features.BY_NAME["after a vowel"]])
    random_network("ab").save(tmp_path / "m.npz")
    (tmp_path / "text").write_text("ab" * 50)
    out, _ = inspected(tmp_path / "m.npz", "--text", tmp_path / "text")
    assert "after a vowel" in out
    assert "no unit reaches" not in out


def test_a_folder_that_gives_the_characters_and_the_text_is_told_of_once(inspected, bare, tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(TEXT)
    (tmp_path / "texts" / "cover.png").write_bytes(b"\x89PNG\x00\xff")
    _, err = inspected(bare, "--vocab-from", tmp_path / "texts")
    assert err.count("cover.png is not a text file") == 1


def test_standard_input_gives_the_characters_and_the_text(inspected, bare, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    out, _ = inspected(bare, "--vocab-from", "-")
    assert out.endswith(f"measured on {len(TEXT):,} characters of standard input\n")


@pytest.mark.parametrize("flags, n_units", [([], 3), (["--top", 1], 1)])
def test_top_is_how_many_units_a_row_has(inspected, tmp_path, flags, n_units):
    random_network("ab").save(tmp_path / "m.npz")
    (tmp_path / "text").write_text("ab" * 50)
    out, _ = inspected(tmp_path / "m.npz", "--text", tmp_path / "text", *flags)
    _, row, *_ = out.splitlines()
    assert len(re.findall(r"\d/[ch]/\d", row)) == n_units


def test_a_text_of_one_known_character_is_refused(exported, tmp_path, capsys):
    (tmp_path / "text").write_text("aXX")
    flags = ["--text", str(tmp_path / "text"), "--unknown", "skip"]
    assert inspect.main([str(exported), *flags]) == 2
    assert "needs at least 2 characters that the model knows" in capsys.readouterr().err


def test_so_many_characters_are_read(inspected, trained):
    out, _ = inspected(trained, "--characters", 520)
    assert "\n20 units, measured on 520 characters of " in out


def test_a_unit_is_shown_with_its_values(inspected, trained):
    out, _ = inspected(trained, "--unit", "2/c/3", "--passage", 7)
    lines = out.splitlines()
    # a place, a character and a value: "        1  't'          +0.12"
    rows = [line.split() for line in lines[:7]]
    assert rows[0][:2] == ["1", "'t'"]
    values = [float(row[-1]) for row in rows]
    memory = open_model(trained).activations(TEXT[:7])[:, 2, 2]
    np.testing.assert_allclose(values, np.tanh(memory), atol=0.006)
    # what the unit tracks stands below them
    assert len(lines) > 7


def test_json_has_what_the_table_has(inspected, trained):
    report = json.loads(inspected(trained, "--json").out)
    table = inspected(trained).out
    assert report["units"]
    for tracking in report["units"]:
        assert tracking["unit"] in table
        assert tracking["feature"] in table
    assert f"measured on {report['characters']:,} characters of {report['text']}\n" in table
    assert ", ".join(report["expressive"]) in table


def test_the_text_may_come_from_a_file_or_standard_input(
    inspected, exported, tmp_path, monkeypatch
):
    text = b"a cat and a hat\n" * 50
    (tmp_path / "other.txt").write_bytes(text)
    from_file, _ = inspected(exported, "--text", tmp_path / "other.txt")
    assert f"measured on 800 characters of {tmp_path / 'other.txt'}\n" in from_file
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    from_standard_input, _ = inspected(exported, "--text", "-")
    *rows, last = from_standard_input.splitlines()
    assert rows == from_file.splitlines()[:-1]
    assert last == "20 units, measured on 800 characters of standard input"


def test_other_cells_can_be_inspected(inspected, tmp_path):
    make_network(tmp_path, "\n abcd", 4, 2, cell="gru")
    text = tmp_path / "text.txt"
    text.write_text("ab cd\n" * 50)
    assert "8 units" in inspected(tmp_path, "--vocab-from", text, "--text", text).out


def test_the_text_of_the_vocabulary_serves_if_no_other_is_named(inspected, tmp_path):
    make_network(tmp_path, "\n abcd", 4, 2, cell="gru")
    text = tmp_path / "text.txt"
    text.write_text("ab cd\n" * 50)
    out = inspected(tmp_path, "--vocab-from", text).out
    assert f"measured on 300 characters of {text}\n" in out


def test_a_unit_that_is_not_there_is_refused_before_the_text_is_measured(
    trained, capsys, monkeypatch
):
    monkeypatch.setattr(inspect.units, "measure", pytest.fail)
    assert inspect.main([str(trained), "--unit", "3/c/1"]) == 2
    assert "there is no unit '3/c/1'" in capsys.readouterr().err


def test_unknown_characters_are_skipped(inspected, exported, tmp_path):
    text = tmp_path / "other.txt"
    text.write_text("a cat X\n" * 50)
    out, err = inspected(exported, "--text", text, "--unknown", "skip")
    assert "350 characters" in out
    assert "X" in err
