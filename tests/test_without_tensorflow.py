"""Models of LSTM cells without TensorFlow, as on every Python from 3.8 on."""

import pytest
from conftest import CHARS, SCRIPTS, TEXT, make_network, run_python, script

from charrnn.commands import sample

# Runs a module of the package as a script, in a process in which importing those two fails.
WITHOUT = """
import runpy, sys
sys.modules["tensorflow"] = None
sys.argv[:2] = sys.argv[1:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def run(code, *arguments):
    return run_python("-W", "error", "-c", code, *arguments)


def test_sampling(exported, capsys):
    arguments = [
        str(exported),
        "--prime",
        "the ",
        "--length",
        "60",
        "--seed",
        "3",
        "--num-samples",
        "3",
        "--top-p",
        "0.8",
        "--novelty",
        "--train-text",
        str(exported.parent / "small.txt"),
    ]
    assert sample.main(arguments) == 0
    assert run(WITHOUT, "charrnn", "sample", *arguments) == (0, capsys.readouterr().out, "")


def test_evaluating(exported, tmp_path, capsys):
    from charrnn.commands import evaluate

    (tmp_path / "text").write_text(TEXT[:300], encoding="utf-8")
    arguments = ["--rows", "3", str(exported), str(tmp_path / "text")]
    assert evaluate.main(arguments) == 0
    assert run(WITHOUT, "charrnn", "evaluate", *arguments) == (0, capsys.readouterr().out, "")


def test_a_checkpoint_of_lstm_cells(trained, tmp_path, capsys):
    arguments = [str(trained), str(tmp_path / "m.npz")]
    assert script("export").main(arguments) == 0
    expected = (tmp_path / "m.npz").read_bytes()
    assert run(WITHOUT, "charrnn", "export", *arguments) == (0, capsys.readouterr().out, "")
    assert (tmp_path / "m.npz").read_bytes() == expected


@pytest.mark.parametrize(
    "name",
    ["sample", "train"]
    + [pytest.param(name, marks=pytest.mark.slow) for name in ("evaluate", "export")],
)
def test_what_needs_tensorflow_prints_one_line(trained, tmp_path_factory, tmp_path, name):
    gated = [
        make_network(tmp_path_factory.mktemp("gated"), CHARS, 3, 2, "gru").name,
        "--vocab-from",
        trained.parent / "small.txt",
    ]
    arguments = {
        "train": [trained.parent / "small.txt", "--checkpoint-dir", tmp_path / "run"],
        "sample": gated,
        "evaluate": [*gated, trained.parent / "small.txt"],
        "export": [trained, tmp_path / "served", "--format", "saved-model"],
    }[name]
    status, out, err = run(WITHOUT, "charrnn", name, *arguments)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert err.startswith(f"charrnn-{name}: error: TensorFlow is not installed here: ")
    assert "pip install" in err and "lstm" in err and not list(tmp_path.iterdir())


def test_help_needs_nothing():
    """Of the list of commands, which makes the parser of each."""
    status, out, err = run(WITHOUT, "charrnn")
    assert (status, err) == (0, "") and all(f"charrnn-{name}" in out for name in SCRIPTS)
