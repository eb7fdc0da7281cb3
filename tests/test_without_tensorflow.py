"""Models of LSTM cells without TensorFlow, as on every Python from 3.8 on."""
import os
import subprocess
import sys

import pytest
from conftest import CHARS, TEXT, make_network, process_environment, script

from charrnn import sample

# Runs a module of the package as a script in a process in which importing those two fails.
WITHOUT = """
import runpy, sys
sys.modules["tensorflow"] = sys.modules["tqdm"] = None
sys.argv[:2] = sys.argv[1:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
# Does the same through the function that the console command calls.
COMMAND = """
import importlib, sys
sys.modules["tensorflow"] = sys.modules["tqdm"] = None
module = sys.argv.pop(1)
sys.exit(importlib.import_module(module).main(sys.argv[1:]))
"""


def run(code, *arguments, **options):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code, *map(str, arguments)], capture_output=True,
                          timeout=600, env=process_environment(), **options)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_the_package_can_be_imported():
    code = ("import sys; sys.modules['tensorflow'] = sys.modules['tqdm'] = None; import charrnn; "
            "from charrnn import get_batches, Vocabulary, pick_top_n, data, sample, train; "
            "from charrnn.commands import evaluate, export, inspect; "
            "from charrnn.engines import decoding, loading, model, numpy_lstm, sampler, surprisal; "
            "from charrnn.text import corpus, novelty, unknown; from charrnn.training import hyperparameters; "
            "print(charrnn.__version__); "
            "print(sorted(name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'tqdm')))")
    import charrnn
    assert run(code) == (0, f"{charrnn.__version__}\n['tensorflow', 'tqdm']\n", "")


@pytest.mark.parametrize("arguments", [
    ["--num-samples", "3"], ["--novelty", "--train-text", "TEXT"], ["--top-p", "0.8"]])
def test_sampling(exported, capsys, arguments):
    arguments = [str(exported), "--prime", "the ", "--length", "60", "--seed", "3",
                 *(each.replace("TEXT", str(exported.parent / "small.txt")) for each in arguments)]
    assert sample.main(arguments) == 0
    assert run(WITHOUT, "charrnn.sample", *arguments) == (0, capsys.readouterr().out, "")


def test_interactive_mode(exported):
    status, out, err = run(WITHOUT, "charrnn.sample", exported, "--interactive", "--seed", "3", "--length", "9",
                           input=b"the \n")
    assert (status, err) == (0, "") and out.startswith("the ") and out.endswith("\n[seed 3]\n\n")


def test_evaluating(exported, tmp_path, capsys):
    from charrnn.commands import evaluate
    (tmp_path / "text").write_text(TEXT[:300], encoding="utf-8")
    for options in ([], ["--rows", "3"], ["--characters"]):
        arguments = [*options, str(exported), str(tmp_path / "text")]
        assert evaluate.main(arguments) == 0
        expected = capsys.readouterr().out
        assert run(WITHOUT, evaluate.__name__, *arguments) == (0, expected, "")


@pytest.mark.parametrize("name", ["sample", "evaluate", "export"])
def test_checkpoints_of_lstm_cells(trained, tmp_path, capsys, name):
    module = script(name)
    text = str(trained.parent / "small.txt")
    arguments = {"sample": [str(trained), "--seed", "3", "--num-samples", "3", "--length", "20000"],
                 "evaluate": ["--rows", "7", str(trained), text], "export": [str(trained), "FILE"]}[name]
    expected = []
    if name != "sample":  # with TensorFlow, these samples are drawn in the graph
        assert module.main([each.replace("FILE", str(tmp_path / "m.npz")) for each in arguments]) == 0
        expected = [capsys.readouterr().out.replace("m.npz", "n.npz")]
    status, out, err = run(COMMAND, module.__name__, *(each.replace("FILE", str(tmp_path / "n.npz"))
                                                       for each in arguments))
    assert (status, err) == (0, "") and (not expected or [out] == expected)


@pytest.mark.parametrize("name, code", [("sample", WITHOUT), ("train", COMMAND)] + [
    pytest.param(name, code, marks=pytest.mark.slow) for name in ("train", "sample", "evaluate", "export")
    for code in (WITHOUT, COMMAND) if (name, code) not in [("sample", WITHOUT), ("train", COMMAND)]],
    ids=lambda value: {WITHOUT: "module", COMMAND: "command"}.get(value, value))
def test_what_needs_tensorflow_prints_one_line(trained, tmp_path_factory, tmp_path, code, name):
    gated = [make_network(tmp_path_factory.mktemp("gated"), CHARS, 3, 2, "gru").name, "--vocab-from",
             trained.parent / "small.txt"]
    arguments = {"train": [trained.parent / "small.txt", "--checkpoint-dir", tmp_path / "run"], "sample": gated,
                 "evaluate": [*gated, trained.parent / "small.txt"],
                 "export": [trained, tmp_path / "served", "--format", "saved-model"]}[name]
    status, out, err = run(code, script(name).__name__, *arguments)
    assert status == 2 and err.count("\n") == 1
    assert err.startswith(f"charrnn-{name}: error: TensorFlow is not installed here: ")
    assert "pip install" in err and "lstm" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["train", "sample", "evaluate", "export"])
def test_help_needs_nothing(name):
    status, out, err = run(WITHOUT, script(name).__name__, "--help")
    assert (status, err) == (0, "") and out.startswith("usage: charrnn-" + name)


@pytest.mark.slow
@pytest.mark.parametrize("options", [
    ["--num-samples", "3"], ["--temperature", "0.7", "--top-n", "9", "--top-p", "0.9"]])
def test_other_pythons_write_the_same_text(exported, capsys, options):
    """CHARRNN_PYTHONS has paths of interpreters with NumPy, separated as in PATH."""
    pythons = [python for python in os.environ.get("CHARRNN_PYTHONS", "").split(os.pathsep) if python]
    if not pythons:
        pytest.skip("CHARRNN_PYTHONS names no other Python")
    arguments = [str(exported), "--prime", "the ", "--length", "700", "--seed", "3", *options]
    assert sample.main(arguments) == 0
    expected = capsys.readouterr().out
    for python in pythons:
        done = subprocess.run([python, "-W", "error", "-m", "charrnn.sample", *arguments], capture_output=True,
                              timeout=600, env=process_environment())
        assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (0, expected, ""), python
