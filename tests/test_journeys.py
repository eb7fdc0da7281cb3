"""What docs/ tells a reader of the code: how many files there are to follow, and the lines that are the notebook's."""

import contextlib
import io
import json
import os
import re
import sys
import textwrap

import pytest
from conftest import ROOT, SOLUTION, TEXT

from charrnn.commands import sample, train
from charrnn.system import terminal
from charrnn.system.tensorflow import tf
from charrnn.train import train_model

PACKAGE = str(ROOT / "charrnn") + os.sep
SMALL = dict(batch_size=2, num_steps=1, lstm_size=5, num_layers=1, seed=3, epochs=1)
MOST = {"A batch": 13, "A character": 13, "A resumed run": 23}


class Arrived(BaseException):
    """The end of a journey."""


def is_first_step(frame, event):
    return (
        event == "return"
        and frame.f_code is tf.Session.run.__code__
        and len(frame.f_locals["feed_dict"] or ()) > 4
    )


def is_first_character(frame, event):
    return (
        event == "call"
        and frame.f_code is terminal.write.__code__
        and frame.f_locals["text"] != "the "
    )


def files_of(journey, is_end):
    """Return the files of the package of which a function is called until an event of Python's profiler is the end."""
    called = set()

    def profile(frame, event, _arg):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            called.add(frame.f_code.co_filename[len(PACKAGE) :].replace(os.sep, "/"))
        if is_end(frame, event):
            sys.setprofile(None)
            raise Arrived

    sys.setprofile(profile)
    try:
        with contextlib.suppress(Arrived):
            journey()
            pytest.fail("the journey has another end")
    finally:
        sys.setprofile(None)
    return called


@pytest.fixture(scope="module")
def journeys(tmp_path_factory):
    """By name, the files of each journey, once everything is imported."""
    folder = tmp_path_factory.mktemp("journeys")
    train_model(TEXT, folder / "run", quiet=True, sample_length=0, **dict(SMALL, num_steps=500))
    with contextlib.redirect_stdout(io.StringIO()):
        batch = files_of(
            lambda: train_model(TEXT, folder / "new", fused=False, **SMALL), is_first_step
        )
        resumed = files_of(
            lambda: train.main(
                ["--resume", "--checkpoint-dir", str(folder / "run"), "--epochs", "2"]
            ),
            is_first_step,
        )
        character = files_of(
            lambda: sample.main([str(folder / "run"), "--seed", "1"]), is_first_character
        )
    return {
        "A batch": {name for name in batch if not name.startswith("system/")},
        "A character": character,
        "A resumed run": resumed,
    }


@pytest.mark.parametrize("name", MOST)
def test_a_journey_is_short(journeys, name):
    """As the page on design says."""
    assert 0 < len(journeys[name]) <= MOST[name], sorted(journeys[name])


def test_the_loops_side_by_side_are_those_of_the_sources():
    page = (ROOT / "docs" / "notebook.md").read_text(encoding="utf-8")
    section = page[
        page.index("## The loops side by side") : page.index("## Checkpoints of the notebook")
    ]
    blocks = re.findall("^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    cells = json.loads(SOLUTION.read_text(encoding="utf-8"))["cells"]
    sources = [
        "".join(line for cell in cells for line in [*cell["source"], "\n"]),
        *(
            (ROOT / "charrnn" / name).read_text(encoding="utf-8")
            for name in ("train.py", "sample.py")
        ),
    ]
    for block, source in zip(blocks, sources):
        assert any(textwrap.indent(block, " " * width) in source for width in range(0, 13, 4)), (
            block
        )
    assert len(blocks) == 3 and sum(block.count("\n") for block in blocks) <= 60
