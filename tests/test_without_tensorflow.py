"""Models of LSTM cells without TensorFlow, as on every Python from 3.8 on."""

import pytest
from conftest import CHARS, SCRIPTS, TEXT, make_network, run_python, script

# Runs a module of the package as a script, in a process in which importing those two fails.
WITHOUT = """
import runpy, sys
sys.modules["tensorflow"] = None
sys.argv[:2] = sys.argv[1:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def run(code, *arguments):
    return run_python("-W", "error", "-c", code, *arguments)


def check_same_without(name, arguments, capsys):
    """Check that a script prints without TensorFlow what it prints with it."""
    assert script(name).main(arguments) == 0
    expected = capsys.readouterr().out
    assert run(WITHOUT, "charrnn", name, *arguments) == (0, expected, "")


def test_sampling(exported, capsys):
    text = str(exported.parent / "small.txt")
    how = ["--prime", "the ", "--length", "60", "--seed", "3", "--num-samples", "3"]
    compared = ["--top-p", "0.8", "--novelty", "--train-text", text]
    check_same_without("sample", [str(exported), *how, *compared], capsys)


def test_evaluating(exported, tmp_path, capsys):
    (tmp_path / "text").write_text(TEXT[:300], encoding="utf-8")
    check_same_without("evaluate", ["--rows", "3", str(exported), str(tmp_path / "text")], capsys)


def test_a_checkpoint_of_lstm_cells(trained, tmp_path, capsys):
    target = tmp_path / "m.npz"
    arguments = [str(trained), str(target)]
    assert script("export").main(arguments) == 0
    printed = tuple(capsys.readouterr())
    expected = target.read_bytes()
    assert run(WITHOUT, "charrnn", "export", *arguments) == (0, *printed)
    assert target.read_bytes() == expected


@pytest.fixture
def gated(trained, tmp_path_factory):
    """The arguments for a checkpoint of other cells."""
    model = make_network(tmp_path_factory.mktemp("gated"), CHARS, 3, 2, "gru")
    return [model.name, "--vocab-from", trained.parent / "small.txt"]


@pytest.mark.parametrize(
    "name",
    [
        "sample",
        "train",
        pytest.param("evaluate", marks=pytest.mark.slow),
        pytest.param("export", marks=pytest.mark.slow),
    ],
)
def test_what_needs_tensorflow_prints_one_line(trained, gated, tmp_path, name):
    text = trained.parent / "small.txt"
    arguments = {
        "train": [text, "--checkpoint-dir", tmp_path / "run"],
        "sample": gated,
        "evaluate": [*gated, text],
        "export": [*gated, tmp_path / "m.npz"],
    }
    status, out, err = run(WITHOUT, "charrnn", name, *arguments[name])

    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"charrnn-{name}: error: TensorFlow is not installed here: ")
    assert "pip install" in err
    assert "lstm" in err
    assert list(tmp_path.iterdir()) == []


def test_help_needs_nothing():
    """Of the list of commands, which makes the parser of each."""
    status, out, err = run(WITHOUT, "charrnn")
    assert status == 0
    assert err == ""
    for name in SCRIPTS:
        assert f"charrnn-{name}" in out
