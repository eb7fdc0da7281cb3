"""What is written to a terminal, and to other files."""

import io
import logging
import sys
import threading

import pytest

from charrnn.system import terminal
from charrnn.system.tensorflow import graphs, tf

# and two spaces, which are no control characters
CONTROL = "a\x1b]0;x\x07\t\x7f\r\x9b2J\u202eb \xa0\n"
SHOWN = "a^[]0;x^G\t^?^M\\x9b2J\\u202eb \xa0\n"


class Terminal(io.StringIO):
    """What a terminal is written."""

    def isatty(self):
        return True


@pytest.mark.parametrize("file, written", [(io.StringIO(), CONTROL), (Terminal(), SHOWN)])
def test_control_characters_are_shown_on_a_terminal_only(file, written):
    terminal.write(CONTROL, file)
    assert file.getvalue() == written


@pytest.mark.parametrize("encoding, written", [("ascii", b"\\xe9\n"), ("latin-1", b"\xe9\n")])
def test_characters_that_the_encoding_of_a_file_lacks_are_escaped(encoding, written):
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    terminal.write("\xe9\n", file)
    assert file.buffer.getvalue() == written


IN_JUPYTER = """
import sys
from charrnn.system import terminal
for number in range(20):
    terminal.write(f"{number}\\n", sys.stdout)
"""


def test_lines_that_are_printed_at_once_are_one_output_in_jupyter(monkeypatch):
    missing = "{} is not installed: pip install -e '.[test]'"
    nbformat = pytest.importorskip("nbformat", reason=missing.format("nbformat"))
    nbclient = pytest.importorskip("nbclient", reason=missing.format("nbclient"))
    # this environment's kernel, not another of that name
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(IN_JUPYTER)])
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    [cell] = notebook.cells
    texts = [output["text"] for output in cell.outputs]
    assert "".join(texts) == "".join(f"{number}\n" for number in range(20))
    # what is written at once may be cut in two where a fifth of a second ends
    assert len(texts) <= 2


def test_no_message_controls_the_terminal(monkeypatch):
    """A name in it may come from a model."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    terminal.print_skipped([CONTROL[:-1]])
    assert sys.stderr.getvalue() == f"skipped: {SHOWN}"


@pytest.mark.parametrize("file, is_shown", [(io.StringIO(), False), (Terminal(), True)])
def test_a_bar_is_shown_on_a_terminal_only(file, is_shown, monkeypatch):
    monkeypatch.setattr(sys, "stderr", file)
    assert list(terminal.bar(range(3))) == [0, 1, 2]
    assert ("windows" in file.getvalue()) == is_shown


def test_messages_are_shown_again_after_quiet_blocks_of_two_threads():
    """The block that began first ends first."""
    # without eager mode, so that no block waits for another
    assert not tf.executing_eagerly()
    filters = list(logging.getLogger("tensorflow").filters)
    has_begun = threading.Event()
    may_end = threading.Event()

    def second_block():
        with graphs():
            has_begun.set()
            may_end.wait(60)

    thread = threading.Thread(target=second_block)
    with graphs():
        thread.start()
        has_begun.wait(60)
    may_end.set()
    thread.join()
    assert logging.getLogger("tensorflow").filters == filters
