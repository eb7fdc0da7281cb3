"""The interactive mode of charrnn-sample."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys

import pytest
from conftest import process_environment

from charrnn.commands import sample as sampling
from charrnn.commands.interactive import HELP


@pytest.fixture
def talk(exported, monkeypatch, capsys):
    """A function that types lines into the script, which ends well, and returns what it prints."""

    def say(*lines, flags=""):
        typed = "".join(f"{line}\n" for line in lines)
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert sampling.main([str(exported), "--interactive", *flags.split()]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return say


@pytest.fixture
def written(exported, capsys):
    """A function that returns what the script writes after a beginning with a seed."""

    def write(prime, seed, flags=""):
        seed_flag = f"--seed={seed}"
        assert sampling.main([str(exported), "--prime", prime, seed_flag, *flags.split()]) == 0
        return capsys.readouterr().out

    return write


def test_a_beginning_is_continued_as_by_the_script(talk, written):
    flags = "--length 70 --temperature 0.4"
    out = talk("the\\ncat", "on", flags=f"{flags} --seed 3")
    first = written("the\ncat", 3, flags)
    second = written("on", 3, flags)
    assert out == f"{first}[seed 3]\n{second}[seed 3]\n\n"


def test_one_text_is_written_whatever_their_number(talk):
    lines = ("/seed 3", "the ", "/continue", "/continue on ")
    assert talk(*lines, flags="--num-samples 3") == talk(*lines)


def test_commands_change_and_show_the_settings(talk, written):
    settings = "temperature 0.4\ntop-n 3\ntop-p 0.9\nlength 40\n"
    changes = ["/temperature 0.4", "/top-n 3", "/top-p 0.9", "/length  40", "/seed 4294967295"]
    questions = ["/temperature ", "/top-n", "/top-p", "/length"]
    text = written("the ", 4294967295, "--length 40 --temperature 0.4 --top-n 3 --top-p 0.9")
    out = talk(*changes, "the ", *questions)
    assert out.startswith(settings)
    assert out.endswith(f"{text}[seed 4294967295]\n{settings}\n")


@pytest.mark.parametrize("flags", ["--top-p 0.9", "--top-n 2", "--best-of 3", "--temperature 0.4"])
def test_a_line_changes_a_setting_as_its_flag_does(talk, written, flags):
    """Also with what follows from it: with a top-p, all characters are drawn from."""
    out = talk(f"/{flags[2:]}", "the ", flags="--length 40 --seed 3")
    assert out == f"{flags[2:]}\n{written('the ', 3, f'--length 40 {flags}')}[seed 3]\n\n"


def test_a_reader_that_a_line_asks_for_knows_the_training_text(trained, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("/best-of 6\nthe \n"))
    assert sampling.main([str(trained), "--interactive", "--length", "80", "--seed", "3"]) == 0
    _, out = capsys.readouterr().out.split("\n", 1)
    flags = "--best-of 6 --length 80 --seed 3".split()
    assert sampling.main([str(trained), "--prime", "the ", *flags]) == 0
    assert out == f"{capsys.readouterr().out}[seed 3]\n\n"


def test_each_text_has_a_new_seed_which_is_shown(talk, written):
    out = talk("the ", "the ", flags="--length 30")
    first, second = re.findall(r"\[seed (\d+)\]", out)
    assert first != second
    texts = [written("the ", seed, "--length 30") for seed in (first, second)]
    assert out == f"{texts[0]}[seed {first}]\n{texts[1]}[seed {second}]\n\n"


@pytest.mark.parametrize("between", ["", "on", " on"])
def test_continue_keeps_the_state(talk, written, between):
    """It writes what would be written after the whole text so far, with or without more text in between."""
    out = talk("the ", f"/continue {between}", flags="--length 30 --seed 3")
    first, second, end = re.split(r"\n\[(?:continued with )?seed 3\]\n", out)
    assert out.count("[continued with seed 3]") == 1  # which alone would give another text
    assert end == "\n"
    assert second.startswith(between)
    assert f"{first}{second}\n" == written(first + between, 3, "--length 30")


def test_continue_needs_a_text(talk):
    assert talk("/continue").startswith("error: there is no text to continue yet")


@pytest.mark.parametrize("lines", [["/quit", "the "], ["", "  /quit  "], ["/quit now"]])
def test_quit_ends_it(talk, lines):
    assert talk("/help", *lines) == f"{HELP}\n"


def test_the_end_of_the_input_ends_it(talk):
    assert talk("/help", "") == f"{HELP}\n\n"


@pytest.mark.parametrize(
    "line, message",
    [
        ("/temperature warm", "float: 'warm'"),
        ("/top-p 2", "above 0 and at most 1"),
        ("/length 0", "must be an integer, at least 1"),
        ("/seed 4294967296", "must be an integer, from 0"),
        ("/colour", "no command /colour"),
        ("/top-p 1 2", "'1 2'"),
    ],
)
def test_after_an_error_the_conversation_continues(talk, written, line, message):
    out = talk(line, "the ", flags="--length 9 --seed 2")
    error, rest = out.split("\n", 1)
    assert error.startswith("error: ")
    assert message in error
    assert rest == written("the ", 2, "--length 9") + "[seed 2]\n\n"


def test_unknown_characters(talk, written):
    """By default, the nearest ones are taken, so that the conversation goes on."""
    out = talk("th\u00e9 ", flags="--length 9 --seed 2")
    note, rest = out.split("\n", 1)
    assert note == "replaced in what you typed: '\u00e9' by 'e'"
    assert rest.startswith(written("the ", 2, "--length 9"))


def test_unknown_characters_can_be_an_error(talk):
    assert "error: what you typed has" in talk("th\u00e9 ", flags="--unknown error")


def test_a_beginning_of_unknown_characters_is_refused(talk):
    assert "error: the model knows no character of the prime" in talk(
        "\u00e9", flags="--unknown skip"
    )


def test_ctrl_c_ends_a_text_and_returns_to_the_prompt(talk, written, interrupt_text):
    """What was drawn before is shown, and the next beginning is continued."""
    interrupt_text(101)
    out = talk("the ", "on", flags="--length 170 --seed 3")
    whole = written("the ", 3, "--length 170")
    begun = whole[: len("the ") + 2 * 50]
    rest = written("on", 3, "--length 170")
    assert out == f"{begun}\n[seed 3]\n{rest}[seed 3]\n\n"


def answered(process, terminal, lines):
    """Type lines at the prompts of a process in a terminal, Ctrl-C for None. Return what is shown until it ends."""
    lines = list(lines)
    line = ""
    shown = ""
    while lines or not shown.endswith("/quit\n"):
        readable, _, _ = select.select([terminal], [], [], 2)
        if line is None and not readable:
            # again: one that comes just before the prompt waits can be lost
            process.send_signal(signal.SIGINT)
            continue
        shown += os.read(terminal, 1024).decode().replace("\r", "")
        if not lines or not shown.endswith("\n> "):
            continue
        line = lines.pop(0)
        if line is None:
            process.send_signal(signal.SIGINT)
        else:
            os.write(terminal, line.encode() + b"\n")
    return shown


def test_a_conversation_in_a_terminal(exported, written):
    """It begins with the help. After Ctrl-C there is a prompt again."""
    command = [sys.executable, "-m", "charrnn", "sample", str(exported), "--interactive"]
    ours, terminal = pty.openpty()
    with subprocess.Popen(
        [*command, "--length", "9"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=process_environment(TERM="dumb"),
    ) as process:
        os.close(terminal)
        try:
            shown = answered(process, ours, ["/seed 2", None, "the ", "/quit"])
            assert process.wait() == 0
        finally:
            process.kill()
    os.close(ours)
    shown = re.sub(r"(> \n)+", "> \n", shown)
    text = written("the ", 2, "--length 9")
    assert shown == f"{HELP}\n> /seed 2\nseed 2\n> \n> the \n{text}[seed 2]\n> /quit\n"
