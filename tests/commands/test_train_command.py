"""The script charrnn-train: what it takes from its arguments, and what it says of them."""

import hashlib
import re
from dataclasses import replace

import pytest
from conftest import CHARS, TEXT, change_hyperparameters, make_network

from charrnn.checkpoints import record
from charrnn.commands import train
from charrnn.text.corpus import KNOWN_TEXTS


@pytest.fixture
def small_anna(tmp_path, monkeypatch):
    """A small text, where the commands find anna."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "anna.txt").write_text(TEXT)
    sha256 = hashlib.sha256(TEXT.encode()).hexdigest()
    monkeypatch.setitem(KNOWN_TEXTS, "anna", replace(KNOWN_TEXTS["anna"], sha256=sha256))
    monkeypatch.chdir(tmp_path)


def test_like_without_a_text_says_which_text_it_takes(trained, small_anna, planned, capsys):
    assert train.main(["--like", str(trained)]) == 0
    (job,) = planned
    assert job.record.text_name == "anna"
    assert "the text is anna, because --like takes no text from a run\n" in capsys.readouterr().err


def test_like_with_a_text_says_nothing(trained, small_anna, planned, capsys):
    assert train.main(["data/anna.txt", "--like", str(trained)]) == 0
    assert len(planned) == 1
    assert capsys.readouterr().err == ""


def test_a_run_can_be_like_that_of_a_folder_or_of_a_copy_of_its_record(
    trained, text_file, tmp_path, planned
):
    copy = text_file.with_name("copy.json")
    copy.write_bytes((trained / "run.json").read_bytes())
    # The threads are those of this machine, unless they are given.
    others = ["--num-steps", "100", "--threads", "1", "--checkpoint-dir", str(tmp_path / "run")]
    for like in (trained, copy):
        assert train.main([str(text_file), "--like", str(like), *others]) == 0
    expected = replace(record.read_run(trained).hyperparameters, num_steps=100)

    assert [job.hyperparameters for job in planned] == [expected, expected]


def test_a_run_cannot_be_like_a_model_that_has_no_run(tmp_path, text_file, capsys):
    make_network(tmp_path, CHARS, 3, 1).save(tmp_path / "model.npz")
    assert train.main([str(text_file), "--like", str(tmp_path / "model.npz")]) == 2
    assert "the model does not say how it was trained" in capsys.readouterr().err


def test_a_run_like_another_has_the_threads_of_its_own_machine(
    run_copy, text_file, tmp_path, planned
):
    change_hyperparameters(run_copy, threads=999)
    folder = str(tmp_path / "like")
    assert train.main([str(text_file), "--like", str(run_copy), "--checkpoint-dir", folder]) == 0
    (job,) = planned
    assert job.threads < 999


@pytest.mark.parametrize("flags, read", [([], "\xe9 "), (["--encoding", "latin-1"], "\xc3\xa9 ")])
def test_a_text_is_in_utf_8_unless_an_encoding_is_given(planned, tmp_path, flags, read):
    (tmp_path / "text").write_bytes("\xe9 ".encode() * 9000)
    assert train.main([str(tmp_path / "text"), *flags]) == 0
    (job,) = planned
    assert job.text == read * 9000


@pytest.mark.parametrize(
    "times, flags, notes",
    [
        (
            20,
            [],
            [
                "40 steps are few to learn from; the preset auto makes 3,956, or begins with a trained model"
            ],
        ),
        (20, ["--preset", "auto"], []),
        (1, ["--preset", "auto", "--epochs", "1"], []),
        # auto makes no more steps than these
        (1, ["--batch-size", "5", "--num-steps", "15", "--epochs", "38"], []),
    ],
)
def test_steps_too_few_to_learn_from_are_said(plan_only, tmp_path, capsys, times, flags, notes):
    (tmp_path / "text").write_text(TEXT * times)
    assert train.main([str(tmp_path / "text"), "--dry-run", "--init-from", "none", *flags]) == 0
    assert re.findall("note     (.*few to learn from.*)", capsys.readouterr().out) == notes
