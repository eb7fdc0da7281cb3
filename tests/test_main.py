"""The entry of all commands, and what they have in common: help, versions, hints, and the model that is the default."""

import re
import shutil

import pytest
from conftest import NEWEST, SCRIPTS, TEXT, parser_of, run_python, script

import charrnn
from charrnn import __main__ as entry
from charrnn.checkpoints import find
from charrnn.checkpoints.writing import Writing
from charrnn.commands import evaluate, inspect, sample
from charrnn.data import Vocabulary
from charrnn.engines.decoding import tops_for_vocabulary
from charrnn.engines.sampler import default_prime


def test_charrnn_alone_lists_the_commands(capsys):
    assert entry.main([]) == 0
    out = capsys.readouterr().out
    names = re.findall("^charrnn ([a-z]+), or (charrnn-[a-z]+)$", out, re.MULTILINE)
    assert names == [(name, f"charrnn-{name}") for name in SCRIPTS]
    assert max(map(len, out.splitlines())) < 80


def test_charrnn_runs_a_command(exported, capsys):
    """It prints what the command of its own prints."""
    arguments = [str(exported), "--length", "9", "--seed", "1"]
    assert sample.main(arguments) == 0
    expected = capsys.readouterr()
    assert len(expected.out) > 9
    assert expected.err == ""
    assert entry.main(["sample", *arguments]) == 0
    assert capsys.readouterr() == expected
    assert entry.sample(arguments) == 0
    assert capsys.readouterr() == expected


def test_an_error_names_the_command(exported, capsys):
    assert entry.main(["sample", str(exported), "--top-n", "0"]) == 2
    assert capsys.readouterr().err.startswith("charrnn-sample: error: ")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["trian"], "there is no command trian (see charrnn --help); did you mean train?"),
        (["trian", "--help"], "there is no command trian (see"),
        (["--unheard-of"], "--unheard-of"),
    ],
)
def test_a_wrong_name_of_a_command_is_one_line(capsys, arguments, message):
    assert entry.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("charrnn: error: ")
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize("name", ["train", "sample"])
def test_the_modules_of_the_notebook_run_too(name):
    status, out, err = run_python("-m", f"charrnn.{name}", "--help")
    assert status == 0
    assert out.startswith(f"usage: charrnn-{name}")
    assert err == ""


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_help_fits_the_terminal_and_breaks_between_words(name, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    page = parser_of(name).format_help()
    assert max(map(len, page.splitlines())) <= columns
    assert not re.search(r"[a-z]-\n", page)


def test_the_help_names_what_a_flag_takes():
    page = parser_of("train").format_help()
    assert "--batch-size N" in page
    assert "--learning-rate X" in page


@pytest.mark.parametrize("name", SCRIPTS)
def test_version(name, capsys):
    with pytest.raises(SystemExit) as ended:
        script(name).main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"charrnn {charrnn.__version__}\n"


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
    monkeypatch.setattr("charrnn.commands.named_models.DEFAULT_MODEL", "small")
    monkeypatch.setattr(find, "KNOWN_MODELS", ["small"])
    (tmp_path / "text.txt").write_text(TEXT[:208])
    notes = {
        "checkpoints/mine": "using small, a model that comes with charrnn",
        "checkpoints": f"using checkpoints/{NEWEST}, of the newest run without --checkpoint-dir",
        "checkpoints/10": f"using checkpoints/10/{NEWEST}, of the newest run",
    }
    for folder, note in notes.items():
        (tmp_path / folder).mkdir(exist_ok=True, parents=True)
        for path in trained.glob("*.*"):
            shutil.copy(str(path), folder)
        assert module.main(arguments) == 0
        assert capsys.readouterr().err.startswith(note)


@pytest.mark.parametrize("num_classes, top_n", [(200, 5), (201, 201)])
def test_a_large_vocabulary_has_another_top_n(num_classes, top_n):
    assert tops_for_vocabulary(Writing(), num_classes) == (top_n, 1)


@pytest.mark.parametrize("chars, prime", [("\n\u4e00\u4e01", "\u4e00"), ("01", "0")])
def test_a_text_begins_with_a_letter_or_else_with_what_there_is(chars, prime):
    assert default_prime(Vocabulary(chars)) == prime
