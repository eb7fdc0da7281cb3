"""What the scripts say: help pages, hints, and messages for careless commands."""
import re
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import NEWEST, ROOT, SCRIPTS, SMALL_FLAGS, TEXT, parser_of, process_environment, script

import charrnn
from charrnn import __main__ as listing
from charrnn import sample, train
from charrnn.checkpoints import places
from charrnn.commands import evaluate, inspect
from charrnn.data import Vocabulary
from charrnn.engines import loading
from charrnn.engines.sampler import default_prime, default_top_n
from charrnn.system import console, mpi


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", SCRIPTS)
def test_help_fits_the_terminal_and_breaks_between_words(name, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    page = parser_of(name).format_help()
    assert max(map(len, page.splitlines())) <= columns
    assert not re.search(r"[a-z]-\n", page)


@pytest.mark.parametrize("name", SCRIPTS)
def test_version(name, capsys):
    with pytest.raises(SystemExit) as ended:
        script(name).main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"charrnn {charrnn.__version__}\n"


def test_the_resume_command_runs_as_it_was_called(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/some where/bin/charrnn-train", "x"])
    assert console.resume_command("x") == "charrnn-train --resume --checkpoint-dir x"
    assert console.resume_command(None) == "charrnn-train --resume"  # the newest run
    monkeypatch.setattr(sys, "argv", ["/lib/charrnn/train.py"])
    assert console.command("charrnn-sample") == f"{sys.executable} -m charrnn.sample"
    assert console.resume_command("a b") == f"{sys.executable} -m charrnn.train --resume --checkpoint-dir 'a b'"


def test_the_resume_command_has_as_many_processes(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["/some where/bin/charrnn-train", "x"])
    monkeypatch.setattr(mpi, "launch", lambda: mpi.Launch(4, 0, 0, "srun"))
    assert console.resume_command("x") == "srun -n 4 charrnn-train --resume --checkpoint-dir x"
    monkeypatch.setattr(sys, "argv", ["/lib/charrnn/train.py"])  # as make starts it
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert console.resume_command(None) == f"srun -n 4 {tmp_path}/python -m charrnn.train --resume"
    (tmp_path / "srun").touch()
    assert console.resume_command(None).startswith(f"{tmp_path}/srun -n 4 ")


def test_an_occupied_folder_gives_the_command_to_resume(trained, text_file, capsys):
    assert train.main([str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(trained)]) == 2
    assert f"charrnn-train --resume --checkpoint-dir {trained}" in capsys.readouterr().err


NEWEST_OF = f"using {{}}/{NEWEST}, of the newest run; name small for the model that comes with charrnn\n"


@pytest.mark.parametrize("module, arguments", [
    (sample, ["--length", "5", "--seed", "1"]), (evaluate, ["text.txt"]), (inspect, ["--text", "text.txt"])])
def test_a_command_says_which_model_it_uses_if_none_is_named(exported, trained, tmp_path, monkeypatch, capsys, module,
                                                             arguments):
    """A known model, until there is a run with a checkpoint; of several runs without a name the newest."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(places, "MODELS", exported.parent)
    monkeypatch.setattr(loading, "KNOWN_MODELS", ["small"])
    monkeypatch.setattr(places, "KNOWN_MODELS", ["small"])
    (tmp_path / "text.txt").write_text(TEXT[:208])
    shipped = "using small, a model that comes with charrnn; name a run folder for another\n"
    runs = {"checkpoints/mine": shipped, "checkpoints": NEWEST_OF.format("checkpoints"),
            "checkpoints/9": NEWEST_OF.format("checkpoints/9"), "checkpoints/10": NEWEST_OF.format("checkpoints/10")}
    for folder, expected in runs.items():
        (tmp_path / folder).mkdir(exist_ok=True, parents=True)
        for path in trained.iterdir():
            if path.is_file():
                shutil.copy(str(path), folder)
        assert module.main(arguments) == 0
        assert capsys.readouterr().err == expected
    (tmp_path / "checkpoints" / "11").mkdir()  # the run there has no checkpoint yet
    shutil.copy(str(trained / "run.json"), "checkpoints/11")
    assert module.main(arguments) == 0
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("flag, nearest", [
    ("--temprature", "; the nearest to --temprature is --temperature"), ("--num_sample=3", "--num-samples"),
    ("--temp", "is --temperature"), ("--xyz", "")])
def test_a_misspelt_or_shortened_flag_is_refused_and_the_nearest_named(exported, capsys, flag, nearest):
    assert sample.main([str(exported), flag]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "unrecognized arguments: " + flag.replace("_", "-") in err
    assert nearest in err and ("the nearest" in err) == bool(nearest)


def test_python_m_charrnn_lists_the_commands(capsys):
    assert listing.main([]) == 0
    out = capsys.readouterr().out
    for name in SCRIPTS:
        assert f"charrnn-{name}, or python -m {script(name).__name__}\n" in out
    assert max(map(len, out.splitlines())) < 80


def test_a_value_that_looks_like_a_flag_is_explained(exported, capsys):
    assert sample.main([str(exported), "--prime", "-a"]) == 2
    assert capsys.readouterr().err == ("charrnn-sample: error: argument --prime: expected one argument; a value that "
                                       "begins with a dash is written --flag=-value (see charrnn-sample --help)\n")


@pytest.mark.slow
def test_a_closed_output_is_answered_on_standard_error(text_file, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "charrnn.train", str(text_file), *SMALL_FLAGS, "--epochs", "100",
         "--checkpoint-dir", str(tmp_path / "run")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=process_environment(), cwd=str(ROOT))
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=600) == 128 + signal.SIGPIPE
    assert b"the checkpoint is saved. To resume: " in err and str(tmp_path / "run").encode() in err


def test_a_large_vocabulary_has_other_defaults():
    assert (default_top_n(200), default_top_n(201)) == (5, 201)
    assert [default_prime(Vocabulary(chars)) for chars in ("\n\u4e00\u4e01", "01")] == ["\u4e00", "0"]
