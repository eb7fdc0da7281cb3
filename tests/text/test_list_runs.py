"""Runs on a list: its shuffled text, what is held out, and what is said about its order."""

import shutil
from dataclasses import replace

import pytest
from conftest import resume, train_small
from list_texts import NAMES, RUSSIAN, VERSE

from charrnn import open_model
from charrnn.checkpoints import record, text_of_run
from charrnn.commands import evaluate, train
from charrnn.hyperparameters import Hyperparameters
from charrnn.system import files
from charrnn.system.interrupts import StopRequests
from charrnn.text import corpus
from charrnn.text.lines import LEAST_LINES, shuffled
from charrnn.training.display import Display
from charrnn.training.job import plan_job

GIVEN = RUSSIAN[:-1]  # without a line end
FLAGS = "--shuffle lines --val-fraction 0.2 --test-fraction 0.1 --epochs 1 --no-summaries"
SIZES = "--lstm-size 5 --num-layers 1 --batch-size 4 --num-steps 40"


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """The folder of a run on a shuffled list with CRLF line ends, next to the list. Not to be changed."""
    folder = tmp_path_factory.mktemp("listed")
    (folder / "list.txt").write_bytes(GIVEN.replace("\n", "\r\n").encode())
    assert train_small(folder / "list.txt", folder / "run", *FLAGS.split(), *SIZES.split()) == 0
    return folder / "run"


@pytest.fixture
def listed_copy(listed, tmp_path):
    """A copy of that folder."""
    return shutil.copytree(str(listed), str(tmp_path / "run"))


def test_a_run_keeps_the_shuffled_text(listed):
    assert (listed / "text.txt").read_text(encoding="utf-8") == shuffled(RUSSIAN) != RUSSIAN


def test_a_run_records_that_its_lines_were_shuffled(listed):
    assert record.read_run(listed).hyperparameters.shuffle == "lines"


def test_a_run_records_the_text_that_was_given(listed):
    assert record.read_run(listed).text_sha256 == files.text_sha256(GIVEN)


@pytest.fixture(params=[GIVEN, shuffled(RUSSIAN)], ids=["as it was given", "shuffled"])
def divided(request, listed):
    """The parts of the text, which is named in either order."""
    return text_of_run.divide(corpus.Text("list", request.param), record.read_run(listed))


def test_the_parts_are_those_of_the_shuffled_text(divided):
    assert divided.training + divided.held_out + divided.test == shuffled(RUSSIAN)


def test_a_fifth_is_held_out(divided):
    assert len(divided.held_out) == int(0.2 * len(RUSSIAN))


def test_the_lines_that_new_ones_must_not_equal_are_known(divided):
    assert divided.lines() == set(RUSSIAN.split("\n"))


def test_nothing_is_held_out_of_another_text(listed):
    other = corpus.Text("other", RUSSIAN + "a")
    assert text_of_run.divide(other, record.read_run(listed)).held_out == ""


def test_a_resumed_run_keeps_its_order(listed_copy, capsys):
    assert resume(listed_copy, "--shuffle", "none") == 2
    assert "has shuffle lines, which cannot be changed to none" in capsys.readouterr().err


def test_a_run_whose_text_has_changed_is_not_resumed(listed_copy, tmp_path, capsys):
    (tmp_path / "run" / "text.txt").write_text("another\n")
    run = record.read_run(listed_copy)
    record.write_run(listed_copy, replace(run, text_name="a text that is lost, too"))
    assert resume(listed_copy, "--epochs", "2") == 2
    assert "has changed" in capsys.readouterr().err


def test_a_run_is_resumed_with_the_text_that_was_given(listed, listed_copy, tmp_path):
    """Its own text, which was lost here, is written again."""
    (tmp_path / "run" / "text.txt").write_text("another\n")
    text = str(listed.parent / "list.txt")
    flags = ["--epochs", "2", "--sample-length", "0", "--checkpoint-dir", listed_copy]
    assert train.main([text, "--resume", *flags]) == 0
    assert (tmp_path / "run" / "text.txt").read_bytes() == (listed / "text.txt").read_bytes()


def test_the_shuffled_end_is_held_out_of_an_exported_model_too(listed, tmp_path, capsys):
    """If its text is named."""
    open_model(listed).save(tmp_path / "m.npz")
    assert evaluate.main(["--held-out", str(listed)]) == 0
    _, of_the_run = capsys.readouterr().out.split("characters", maxsplit=1)
    text = str(listed.parent / "list.txt")
    assert evaluate.main(["--held-out", str(tmp_path / "m.npz"), "--train-text", text]) == 0
    _, of_the_file = capsys.readouterr().out.split("characters", maxsplit=1)
    assert of_the_file == of_the_run


# What is said about the order of lines


@pytest.fixture
def plan_of(plan_only, tmp_path, monkeypatch, capsys):
    """A function that returns the plan of a run on "list", "poem" or "table"."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list").write_text(NAMES)
    (tmp_path / "poem").write_text(VERSE)
    rows = [f"{number},so it is number {number}\n" for number in range(LEAST_LINES)]
    (tmp_path / "table").write_text("".join(["id,text\n", *rows]))

    def plan(arguments):
        flags = "--dry-run --lstm-size 5 --num-steps 20 --batch-size 5"
        assert train.main([*arguments.split(), *flags.split()]) == 0
        return capsys.readouterr().out

    return plan


RULE = "(at least 200 lines, none over 100 characters"


@pytest.mark.parametrize("arguments", ["list --preset auto", "list --shuffle lines"])
def test_the_plan_says_that_lines_are_shuffled(plan_of, arguments):
    assert "\norder " in plan_of(arguments)


@pytest.mark.parametrize(
    "arguments", ["list --preset auto --shuffle none", "list", "poem --preset auto"]
)
def test_the_plan_says_nothing_of_an_order_that_is_kept(plan_of, arguments):
    assert "\norder " not in plan_of(arguments)


def test_the_rows_of_a_table_with_a_text_keep_their_order(plan_of):
    """The first one has the names of the columns."""
    assert "\norder " not in plan_of("table --preset auto")


def test_a_list_that_is_not_shuffled_has_a_note(plan_of):
    assert "take shuffle lines" in plan_of("list")


@pytest.mark.parametrize(
    "arguments",
    [
        "list --preset auto",
        "list --preset auto --shuffle none",
        "list --shuffle lines",
        "poem --preset auto",
    ],
)
def test_no_other_run_has_that_note(plan_of, arguments):
    assert "take shuffle lines" not in plan_of(arguments)


@pytest.mark.parametrize("arguments", ["list --preset auto", "list", "list --shuffle lines"])
def test_the_plan_says_by_which_rule_a_text_is_a_list(plan_of, arguments):
    assert RULE in plan_of(arguments)


def test_the_notebook_shuffles_nothing():
    assert Hyperparameters().shuffle == "none"


PAGE_IN_PYTHON = (
    "As a web page: from charrnn.pages.webpage import export_page; "
    "export_page(open_model('my run'), 'mine.html')"
)


@pytest.mark.parametrize(
    "text, fraction, in_python, write, page, longer",
    [
        (
            NAMES,
            0,
            True,
            "To write lines: open_model('my run').write_lines(20)",
            PAGE_IN_PYTHON,
            "To train longer: train_model(None, 'my run', resume=True, epochs=40)",
        ),
        (
            VERSE,
            0.1,
            True,
            "To write text: open_model('my run', best=True).write()",
            PAGE_IN_PYTHON,
            "To train longer: train_model(None, 'my run', resume=True, epochs=40)",
        ),
        (
            NAMES,
            0,
            False,
            "To write lines: charrnn-sample 'my run' --lines 20",
            "As a web page: charrnn-export 'my run' mine.html",
            "To train longer: charrnn-train --resume --checkpoint-dir 'my run' --epochs 40",
        ),
    ],
    ids=["a list in Python", "a poem in Python", "a list in a command"],
)
def test_the_last_lines_of_a_run_say_what_to_do_next(
    capsys, text, fraction, in_python, write, page, longer
):
    values = dict(num_steps=20, val_fraction=fraction)
    job = plan_job(corpus.Text("text", text), values, "my run")
    step = job.total_steps
    display = Display(job, 704, StopRequests(), in_python=in_python)
    display.finished(step, ends_early=False)
    out = capsys.readouterr().out
    assert out == f"finished after step {step:,}. {write}\n{page}\n{longer}\n"
