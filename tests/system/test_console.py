"""How a script parses its arguments, fails, and ends."""
import sys

import pytest

from charrnn.system import console


def run_main(body, argv=()):
    parser = console.Parser(prog="script")
    parser.add_argument("--number", type=int)
    return console.run_main(body, parser, argv)


def fail_with(error):
    def body(_args):
        raise error
    return body


@pytest.mark.parametrize("returned, status", [(None, 0), (0, 0), (3, 3)])
def test_the_body_returns_the_status(returned, status):
    assert run_main(lambda args: returned) == status


def test_the_body_is_called_with_the_arguments():
    assert run_main(lambda args: args.number, ["--number", "7"]) == 7


@pytest.mark.parametrize("error", [ValueError("a line"), OSError("a line")])
def test_an_error_is_one_line_and_status_2(capsys, error):
    assert run_main(fail_with(error)) == 2
    assert capsys.readouterr() == ("", "script: error: a line\n")


def test_a_bad_flag_is_one_line_and_status_2(capsys):
    assert run_main(lambda args: 0, ["--number", "x"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err == "script: error: argument --number: invalid int value: 'x' (see script --help)\n"


def test_ctrl_c_is_one_line_and_status_130(capsys):
    assert run_main(fail_with(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "script: interrupted\n")


@pytest.mark.parametrize("name", ["tensorflow.compat", "tqdm"])
def test_a_missing_tensorflow_is_one_line_and_status_2(capsys, name):
    assert run_main(fail_with(ModuleNotFoundError("no module", name=name))) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("script: error: this needs TensorFlow 1.15")


@pytest.mark.parametrize("error", [ModuleNotFoundError("no module", name="other"), TypeError("a fault")])
def test_a_fault_of_the_program_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        run_main(fail_with(error))


def test_missing_streams_are_replaced(monkeypatch):
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert run_main(lambda args: print("nowhere")) == 0


def test_skipped_checkpoints_are_named_on_standard_error(capsys):
    console.print_skipped(["one", "two"])
    assert capsys.readouterr() == ("", "skipped: one\nskipped: two\n")
