"""The entry of all commands, and what they have in common: help, versions, hints, and the model that is the default."""

import re
import shutil

import pytest
from conftest import NEWEST, SCRIPTS, TEXT, parser_of, run_python, script

import charrnn
from charrnn import __main__ as entry
from charrnn.checkpoints import find
from charrnn.commands import evaluate, inspect, sample
from charrnn.data import Vocabulary
from charrnn.engines.sampler import choose_settings, default_prime
from charrnn.system import words


def test_charrnn_alone_lists_the_commands(capsys):
    assert entry.main([]) == 0
    out = capsys.readouterr().out
    assert re.findall("^charrnn ([a-z]+), or (charrnn-[a-z]+)$", out, re.MULTILINE) == [
        (name, f"charrnn-{name}") for name in SCRIPTS
    ]
    assert max(map(len, out.splitlines())) < 80


def test_charrnn_runs_a_command(exported, capsys):
    """As the command of its own does."""
    arguments = [str(exported), "--length", "9", "--seed", "1"]
    assert (
        entry.main(["sample", *arguments]) == entry.sample(arguments) == sample.main(arguments) == 0
    )
    out, err = capsys.readouterr()
    assert out == 3 * out[: len(out) // 3] and err == ""
    assert entry.main(["sample", *arguments, "--top-n", "0"]) == 2
    assert capsys.readouterr().err.startswith("charrnn-sample: error: ")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["trian"], "there is no command trian (see"),
        (["trian", "--help"], "there is no command trian (see"),
        (["--unheard-of"], "--unheard-of"),
    ],
)
def test_a_wrong_name_of_a_command_is_one_line(capsys, arguments, message):
    assert entry.main(arguments) == 2
    out, err = capsys.readouterr()
    assert (
        out == "" and err.count("\n") == 1 and err.startswith("charrnn: error: ") and message in err
    )


@pytest.mark.parametrize("name", ["train", "sample"])
def test_the_modules_of_the_notebook_run_too(name):
    status, out, err = run_python("-m", f"charrnn.{name}", "--help")
    assert (status, err) == (0, "") and out.startswith(f"usage: charrnn-{name}")


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_and_version(name, monkeypatch, capsys):
    """The help fits the terminal and breaks between words."""
    for columns in (80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        page = parser_of(name).format_help()
        assert name != "train" or "--batch-size N" in page and "--learning-rate X" in page
        assert max(map(len, page.splitlines())) <= columns and not re.search(r"[a-z]-\n", page)
    with pytest.raises(SystemExit) as ended:
        script(name).main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"charrnn {charrnn.__version__}\n"


def test_the_command_to_resume(monkeypatch):
    assert words.resume_command("a b") == "charrnn-train --resume --checkpoint-dir 'a b'"
    assert words.resume_command("-x") == "charrnn-train --resume --checkpoint-dir ./-x"
    assert words.resume_command(None) == "charrnn-train --resume"  # the newest run
    for name, value in {"PMI_SIZE": "3", "PMI_RANK": "0", "CHARRNN_MAKE": "make"}.items():
        monkeypatch.setenv(name, value)
    assert (
        words.resume_command("a")
        == 'make train-distributed NP=3 ARGS="--resume --checkpoint-dir a"'
    )


@pytest.mark.parametrize(
    "module, arguments",
    [
        (sample, ["--length", "5", "--seed", "1"]),
        (evaluate, ["text.txt"]),
        (inspect, ["--text", "text.txt"]),
    ],
)
def test_a_command_says_which_model_it_uses_if_none_is_named(
    exported, trained, tmp_path, monkeypatch, capsys, module, arguments
):
    """A known model, until there is a run with a checkpoint; of several runs without a name the newest."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(find, "MODELS", exported.parent)
    monkeypatch.setattr("charrnn.commands.arguments.KNOWN_MODELS", ["small"])
    monkeypatch.setattr(find, "KNOWN_MODELS", ["small"])
    (tmp_path / "text.txt").write_text(TEXT[:208])
    for folder, expected in {
        "checkpoints/mine": "using small, a model that comes with charrnn",
        "checkpoints": f"using checkpoints/{NEWEST}, of the newest run without --checkpoint-dir",
        "checkpoints/10": f"using checkpoints/10/{NEWEST}, of the newest run",
    }.items():
        (tmp_path / folder).mkdir(exist_ok=True, parents=True)
        for path in trained.glob("*.*"):
            shutil.copy(str(path), folder)
        assert module.main(arguments) == 0
        assert capsys.readouterr().err.startswith(expected)


def test_a_large_vocabulary_has_other_defaults():
    assert (choose_settings(200).top_n, choose_settings(201).top_n) == (5, 201)
    assert [default_prime(Vocabulary(chars)) for chars in ("\n\u4e00\u4e01", "01")] == [
        "\u4e00",
        "0",
    ]
