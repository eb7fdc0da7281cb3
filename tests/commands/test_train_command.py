"""The script charrnn-train: what it takes from its arguments, and what it says of them."""

import hashlib
import re
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
