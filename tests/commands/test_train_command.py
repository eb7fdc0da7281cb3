"""The script charrnn-train: what it says of its arguments."""

import hashlib
from dataclasses import replace

import pytest
from conftest import TEXT

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
