"""Models of LSTM cells without TensorFlow, as on every Python from 3.8 on."""
import re
import subprocess
import sys

import pytest
from conftest import CHARS, SCRIPTS, TEXT, make_network, process_environment, script

from charrnn.commands import sample

# Runs a module of the package as a script, in a process in which importing those two fails.
WITHOUT = """
import runpy, sys
sys.modules["tensorflow"] = sys.modules["tqdm"] = None
sys.argv[:2] = sys.argv[1:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
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


def test_a_name_that_needs_tensorflow_says_what_to_install():
    status, out, err = run("import sys; sys.modules['tensorflow'] = None; from charrnn import CharRNN")
    assert (status, out) == (1, "") and "pip install" in err.splitlines()[-1]


def test_sampling(exported, capsys):
    arguments = [str(exported), "--prime", "the ", "--length", "60", "--seed", "3", "--num-samples", "3", "--top-p",
                 "0.8", "--novelty", "--train-text", str(exported.parent / "small.txt")]
    assert sample.main(arguments) == 0
    assert run(WITHOUT, "charrnn.sample", *arguments) == (0, capsys.readouterr().out, "")


def test_interactive_mode(exported):
    status, out, err = run(WITHOUT, "charrnn.sample", exported, "--interactive", "--seed", "3", "--length", "9",
                           input=b"the \n")
    assert (status, err) == (0, "") and out.startswith("the ") and out.endswith("\n[seed 3]\n\n")


def test_evaluating(exported, tmp_path, capsys):
    from charrnn.commands import evaluate
    (tmp_path / "text").write_text(TEXT[:300], encoding="utf-8")
    for options in ([], ["--rows", "3"]):
        arguments = [*options, str(exported), str(tmp_path / "text")]
        assert evaluate.main(arguments) == 0
        expected = capsys.readouterr().out
        assert run(WITHOUT, evaluate.__name__, *arguments) == (0, expected, "")


def test_a_checkpoint_of_lstm_cells(trained, tmp_path, capsys):
    arguments = [str(trained), str(tmp_path / "m.npz")]
    assert script("export").main(arguments) == 0
    expected = (tmp_path / "m.npz").read_bytes()
    assert run(WITHOUT, script("export").__name__, *arguments) == (0, capsys.readouterr().out, "")
    assert (tmp_path / "m.npz").read_bytes() == expected


@pytest.mark.parametrize("name", ["sample", "train"] + [
    pytest.param(name, marks=pytest.mark.slow) for name in ("evaluate", "export")])
def test_what_needs_tensorflow_prints_one_line(trained, tmp_path_factory, tmp_path, name):
    gated = [make_network(tmp_path_factory.mktemp("gated"), CHARS, 3, 2, "gru").name, "--vocab-from",
             trained.parent / "small.txt"]
    arguments = {"train": [trained.parent / "small.txt", "--checkpoint-dir", tmp_path / "run"], "sample": gated,
                 "evaluate": [*gated, trained.parent / "small.txt"],
                 "export": [trained, tmp_path / "served", "--format", "saved-model"]}[name]
    status, out, err = run(WITHOUT, script(name).__name__, *arguments)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert err.startswith(f"charrnn-{name}: error: TensorFlow is not installed here: ")
    assert "pip install" in err and "lstm" in err and not list(tmp_path.iterdir())


def test_help_needs_nothing():
    """In one process, which imports each script when it asks for its help."""
    code = WITHOUT.splitlines()[1:3] + ["import contextlib", "for name in sys.argv[1].split():",
                                        "    sys.argv = [name, '--help']", "    with contextlib.suppress(SystemExit):",
                                        "        runpy.run_module(name, run_name='__main__', alter_sys=True)"]
    status, out, err = run("\n".join(code), " ".join(script(name).__name__ for name in SCRIPTS))
    assert (status, err) == (0, "")
    assert re.findall("^usage: (charrnn-[a-z]+)", out, re.MULTILINE) == [f"charrnn-{name}" for name in SCRIPTS]
