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
from charrnn.train import train_model

PACKAGE = str(ROOT / "charrnn") + os.sep
SMALL = dict(batch_size=2, num_steps=1, lstm_size=5, num_layers=1, seed=3, epochs=1)
MOST = {
    "A batch": 16,
    "A character": 21,
    "A resumed run": 30,
    "A whole run": 44,
    "A text of anna": 21,
}


class Arrived(BaseException):
    """The end of a journey."""


def is_first_step(frame, event):
    """Return whether this is the end of the first session.run that is fed as a step of training is."""
    from charrnn.system.tensorflow import tf

    if event != "return" or frame.f_code is not tf.Session.run.__code__:
        return False
    return len(frame.f_locals["feed_dict"] or ()) > 4


def is_first_character(frame, event):
    """Return whether a text is written for the first time, but for its beginning."""
    if event != "call" or frame.f_code is not terminal.write.__code__:
        return False
    return frame.f_locals["text"] != "the "


def never(_frame, _event):
    """Return False: the journey goes to the end of its command."""
    return False


def files_of(journey, is_end):
    """Return the files of the package of which a function is called until an event of Python's tracing is the end."""
    from charrnn.system.tensorflow import tf

    # functions with which a journey may end
    ends = {tf.Session.run.__code__, terminal.write.__code__}
    called = set()
    # of functions that were called before, most of them TensorFlow's
    known = set()

    def trace(frame, event, _arg):
        if frame.f_code in known:
            return None
        if frame.f_code not in ends:
            known.add(frame.f_code)

        filename = frame.f_code.co_filename
        if event == "call" and filename.startswith(PACKAGE):
            called.add(filename[len(PACKAGE) :].replace(os.sep, "/"))
        if is_end(frame, event):
            sys.settrace(None)
            raise Arrived
        # only of a function that is returned from here, Python tells more than that it is called
        return trace if frame.f_code is tf.Session.run.__code__ else None

    usual = sys.gettrace()
    sys.settrace(trace)
    try:
        with contextlib.suppress(Arrived):
            journey()
            if is_end is not never:
                pytest.fail("the journey has another end")
    finally:
        sys.settrace(usual)
    # what imports pass by in a process in which another test has run an old program
    return called - {"old/removed.py"}


@pytest.fixture(scope="module")
def journeys(tmp_path_factory):
    """By name, the files of each journey, once everything is imported."""
    folder = tmp_path_factory.mktemp("journeys")
    train_model(TEXT, folder / "run", quiet=True, sample_length=0, **dict(SMALL, num_steps=500))
    run = str(folder / "run")

    def begin():
        train_model(TEXT, folder / "new", fused=False, **SMALL)

    def resume():
        train.main(["--resume", "--checkpoint-dir", run, "--epochs", "2"])

    def write():
        sample.main([run, "--seed", "1"])

    text = folder / "my.txt"
    text.write_text(TEXT, encoding="utf-8")
    sizes = "--preset auto --init-from none --lstm-size 16 --epochs 2".split()

    def train_whole():
        train.main([str(text), "--checkpoint-dir", str(folder / "whole"), *sizes])

    def write_anna():
        sample.main("anna --length 5".split())

    with contextlib.redirect_stdout(io.StringIO()):
        batch = files_of(begin, is_first_step)
        return {
            "A batch": {name for name in batch if not name.startswith("system/")},
            "A character": files_of(write, is_first_character),
            "A resumed run": files_of(resume, is_first_step),
            "A whole run": files_of(train_whole, never),
            "A text of anna": files_of(write_anna, never),
        }


@pytest.mark.parametrize("name", MOST)
def test_a_journey_is_short(journeys, name):
    """The page on design says how short."""
    assert 0 < len(journeys[name]) <= MOST[name], " ".join(sorted(journeys[name]))


@pytest.fixture(scope="module")
def loops():
    """The loops that the page on the notebook shows: those of the notebook, of train.py and of sample.py."""
    page = (ROOT / "docs" / "notebook.md").read_text(encoding="utf-8")
    _, section = page.split("## The loops side by side")
    section, _ = section.split("## Checkpoints of the notebook")
    blocks = re.findall("^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return dict(zip(["notebook", "train.py", "sample.py"], blocks))


def source_of(name):
    if name != "notebook":
        return (ROOT / "charrnn" / name).read_text(encoding="utf-8")
    cells = json.loads(SOLUTION.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells) + "\n"


@pytest.mark.parametrize("name", ["notebook", "train.py", "sample.py"])
def test_a_loop_of_the_page_is_that_of_its_source(loops, name):
    """Perhaps with more spaces before its lines."""
    indented = [textwrap.indent(loops[name], " " * width) for width in range(0, 13, 4)]
    source = source_of(name)
    assert any(lines in source for lines in indented), loops[name]


def test_the_loops_can_be_seen_at_a_glance(loops):
    assert sum(loop.count("\n") for loop in loops.values()) <= 60
