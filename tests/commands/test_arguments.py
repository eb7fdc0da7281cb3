"""How a script parses its arguments, fails, and ends."""

import subprocess
import sys

import pytest
from conftest import process_environment, script

from charrnn.commands import arguments
from charrnn.system import errors


def run_main(body, argv=()):
    parser = arguments.Parser(prog="script")
    parser.add_argument("--number", type=int)
    return arguments.run_main(body, parser, argv)


def fail_with(error):
    def body(_args):
        raise error

    return body


@pytest.mark.parametrize(
    "error, message",
    [
        (ValueError("a line"), "a line"),
        (OSError("a line"), "a line"),
        (OSError(5, "an error"), "an error"),
        (OSError(2, "No such file", "a/b"), "a/b: No such file"),
        (
            MemoryError("an array"),
            "this machine has too little memory for these arguments: an array",
        ),
        (MemoryError(), "this machine has too little memory for these arguments"),
    ],
)
def test_an_error_is_one_line_without_numbers_and_status_2(capsys, error, message):
    assert run_main(fail_with(error)) == 2
    assert capsys.readouterr() == ("", f"script: error: {message}\n")


@pytest.mark.parametrize(
    "stream, arguments, status, error",
    [
        ("stdout", ["--seed", "1"], 2, b"charrnn-sample: error: No space left on device\n"),
        ("stderr", [], 0, None),
    ],
)
def test_an_output_that_cannot_be_written(exported, stream, arguments, status, error):
    """A full disk under standard output is one line; one under standard error, which gets the seed, does not matter."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with open("/dev/full", "wb") as full:
        streams[stream] = full
        done = subprocess.run(
            [sys.executable, "-m", "charrnn", "sample", str(exported), *arguments],
            env=process_environment(),
            **streams,
        )
    assert done.returncode == status
    assert done.stderr == error


@pytest.mark.parametrize(
    "argv, places",
    [
        (["a", "--number", "7", "b"], ["a", "b"]),
        (["--number", "7", "--", "--a_b", "c"], ["--a_b", "c"]),
        (["--num_ber", "7", "a_b"], ["a_b"]),
    ],
)
def test_places_stand_between_flags_or_after_dashes(argv, places):
    """Underscores are changed in flags only."""
    parser = arguments.Parser(prog="script")
    parser.add_argument("places", nargs="*")
    parser.add_argument("--num-ber", "--number", type=int)
    parsed = []
    assert arguments.run_main(parsed.append, parser, argv) == 0
    assert [vars(args) for args in parsed] == [{"num_ber": 7, "places": places}]


@pytest.mark.parametrize(
    "error", [ModuleNotFoundError("no module", name="other"), TypeError("a fault")]
)
def test_a_fault_of_the_program_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        run_main(fail_with(error))


def test_tensorflows_error_for_too_little_memory_is_one_line(capsys):
    tf = pytest.importorskip("tensorflow.compat.v1")
    message = "OOM when allocating tensor\n\t [[node]]"
    error = tf.errors.ResourceExhaustedError(None, None, message)
    assert run_main(fail_with(error)) == 2
    assert capsys.readouterr().err == (
        "script: error: this machine has too little memory for these arguments: OOM when allocating tensor\n"
    )


def test_the_reason_of_tensorflows_error_has_no_name_of_a_temporary_file():
    tf = pytest.importorskip("tensorflow.compat.v1")
    message = "/a/i3_l5.ckpt.data.tempstate71; No space left\n\t [[x]]"
    error = tf.errors.ResourceExhaustedError(None, None, message)
    assert errors.reason(error) == "No space left"


def test_a_note_says_that_another_package_owns_the_same_files(tmp_path, monkeypatch, capsys):
    """As pip leaves it after installing this package beside version 3.2."""
    (tmp_path / "charrnn-3.2.0.dist-info").mkdir()
    monkeypatch.setattr(arguments, "__file__", str(tmp_path / "charrnn" / "commands" / "a.py"))
    assert script("sample").main(["--list"]) == 0
    assert capsys.readouterr().err == (
        "charrnn 3.2.0 is installed too, and has the same files: type pip uninstall charrnn karnna, and install karnna "
        "again\n"
    )
