"""The script charrnn-inspect, on an exported model and on checkpoints."""

import io
import json
import re
import sys

import numpy as np
from conftest import TEXT, make_network

from charrnn.commands import inspect
from charrnn.engines.model_file import open_model


def run(capsys, *args):
    """Run the script; return its status, output and errors."""
    return (inspect.main([str(arg) for arg in args]), *capsys.readouterr())


def test_the_table_names_features_and_units(capsys, trained):
    status, output, errors = run(capsys, trained)
    assert status == 0 and not errors and output.startswith("what is tracked")
    assert "after a vowel" in output and "\nno unit reaches 0.3 for: " in output
    assert output.endswith(f"20 units, measured on {len(TEXT):,} characters\n")
    less = run(capsys, trained, "--top", 1, "--characters", 520)[1]
    assert less.endswith("20 units, measured on 520 characters\n")
    assert [
        max(len(re.split("  +", line)) for line in table.splitlines()[1:])
        for table in (output, less)
    ] == [4, 3]


def test_a_unit_is_shown_with_its_values(capsys, trained):
    _, output, _ = run(capsys, trained, "--unit", "2/c/3", "--passage", 7)
    expected = open_model(trained).activations(TEXT[:7])
    found = [float(line.rsplit(None, 1)[1]) for line in output.splitlines()[:7]]
    np.testing.assert_allclose(found, np.tanh(expected[:, 2, 2]), atol=0.006)
    assert output.splitlines()[0].split()[:2] == ["1", "'t'"] and len(output.splitlines()) > 7


def test_json_has_what_the_table_has(capsys, trained):
    found = json.loads(run(capsys, trained, "--json")[1])
    output = run(capsys, trained)[1]
    assert found["units"] and all(
        each["unit"] in output and each["feature"] in output for each in found["units"]
    )
    assert f"measured on {found['characters']:,} characters" in output
    assert ", ".join(found["expressive"]) in output


def test_the_text_may_come_from_a_file_or_standard_input(capsys, exported, tmp_path, monkeypatch):
    (tmp_path / "other.txt").write_text("a cat and a hat\n" * 50)
    _, from_file, _ = run(capsys, exported, "--text", tmp_path / "other.txt")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a cat and a hat\n" * 50)))
    assert run(capsys, exported, "--text", "-")[1] == from_file
    assert "measured on 800 characters" in from_file


def test_other_cells_can_be_inspected(capsys, tmp_path):
    make_network(tmp_path, "\n abcd", 4, 2, cell="gru")
    (tmp_path / "text.txt").write_text("ab cd\n" * 50)
    status, output, _ = run(
        capsys, tmp_path, "--vocab-from", tmp_path / "text.txt", "--text", tmp_path / "text.txt"
    )
    assert status == 0 and "8 units" in output


def test_unknown_characters_are_skipped(capsys, exported, tmp_path):
    (tmp_path / "other.txt").write_text("a cat X\n" * 50)
    status, output, errors = run(
        capsys, exported, "--text", tmp_path / "other.txt", "--unknown", "skip"
    )
    assert status == 0 and "350 characters" in output and "X" in errors
