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
from conftest import interrupted_at, process_environment

from charrnn.commands import sample as sampling
from charrnn.commands.interactive import HELP
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.engines.sampler import CHUNK


@pytest.fixture
def talk(exported, monkeypatch, capsys):
    """A function that types lines into the script and returns its status and what it prints."""

    def say(*lines, options=()):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in lines)))
        status = sampling.main([str(exported), "--interactive", *options])
        out, err = capsys.readouterr()
        assert err == ""
        return status, out

    return say


def written(capsys, exported, prime, seed, *options):
    assert sampling.main([str(exported), "--prime", prime, "--seed", str(seed), *options]) == 0
    return capsys.readouterr().out


def test_a_beginning_is_continued_as_by_the_script(talk, exported, capsys):
    status, out = talk(
        "the\\ncat", "on", options=["--length", "70", "--seed", "3", "--temperature", "0.4"]
    )
    expected = [
        written(capsys, exported, prime, 3, "--length", "70", "--temperature", "0.4")
        for prime in ("the\ncat", "on")
    ]
    assert status == 0
    assert out == f"{expected[0]}[seed 3]\n{expected[1]}[seed 3]\n\n"


def test_commands_change_and_show_the_settings(talk, exported, capsys):
    _, out = talk(
        "/temperature 0.4",
        "/top-n 3",
        "/top-p 0.9",
        "/length  40",
        "/seed 4294967295",
        "the ",
        "/temperature ",
        "/top-n",
        "/top-p",
        "/length",
    )
    expected = written(
        capsys,
        exported,
        "the ",
        4294967295,
        "--length",
        "40",
        "--temperature",
        "0.4",
        "--top-n",
        "3",
        "--top-p",
        "0.9",
    )
    shown = "temperature 0.4\ntop-n 3\ntop-p 0.9\nlength 40\n"
    assert out.startswith(shown) and out.endswith(expected + "[seed 4294967295]\n" + shown + "\n")


def test_each_text_has_a_new_seed_which_is_shown(talk, exported, capsys):
    _, out = talk("the ", "the ", options=["--length", "30"])
    seeds = re.findall(r"\[seed (\d+)\]", out)
    assert len(set(seeds)) == 2
    assert (
        out
        == "".join(
            written(capsys, exported, "the ", seed, "--length", "30") + f"[seed {seed}]\n"
            for seed in seeds
        )
        + "\n"
    )


def test_continue_keeps_the_state(talk, exported, capsys):
    """It writes what would be written after the whole text so far, with or without more text in between."""
    for between in ("", "on", " on"):
        _, out = talk("the ", f"/continue {between}", options=["--length", "30", "--seed", "3"])
        first, second, end = re.split(r"\n\[(?:continued with )?seed 3\]\n", out)
        assert out.count("[continued with seed 3]") == 1  # which alone would give another text
        assert end == "\n" and second.startswith(between)
        assert first + second + "\n" == written(
            capsys, exported, first + between, 3, "--length", "30"
        )
    _, out = talk("/continue")
    assert out.startswith("error: there is no text to continue yet")


@pytest.mark.parametrize("lines", [["/quit", "the "], ["", "  /quit  "], ["/quit now"], [""]])
def test_quit_or_the_end_of_the_input_ends_it(talk, lines):
    assert talk("/help", *lines) == (0, HELP + "\n" + "\n" * (lines == [""]))


@pytest.mark.parametrize(
    "line, message",
    [
        ("the Zoo", "'Z' (line 1, column 5)"),
        ("/temperature warm", "float: 'warm'"),
        ("/top-p 2", "at least 1e-09 and at most 1"),
        ("/length 0", "must be an integer, at least 1"),
        ("/seed 4294967296", "must be an integer, from 0"),
        ("/colour", "no command /colour"),
        ("/top-p 1 2", "'1 2'"),
    ],
)
def test_after_an_error_the_conversation_continues(talk, exported, capsys, line, message):
    status, out = talk(line, "the ", options=["--length", "9", "--seed", "2"])
    error, rest = out.split("\n", 1)
    assert status == 0 and error.startswith("error: ") and message in error
    assert rest == written(capsys, exported, "the ", 2, "--length", "9") + "[seed 2]\n\n"


def test_unknown_characters(talk, exported, capsys):
    _, out = talk("th\u00e9 ", options=["--length", "9", "--seed", "2", "--unknown", "nearest"])
    note, rest = out.split("\n", 1)
    assert note == "replaced in what you typed: '\u00e9' by 'e'"
    assert rest.startswith(written(capsys, exported, "the ", 2, "--length", "9"))
    _, out = talk("\u00e9", options=["--unknown", "skip"])
    assert "error: the prime is empty" in out


def test_ctrl_c_ends_a_text_and_returns_to_the_prompt(talk, exported, monkeypatch, capsys):
    """What was drawn before is shown, and the next beginning is continued."""
    monkeypatch.setattr(NumpyLSTM, "generate", interrupted_at(NumpyLSTM.generate, 3))
    status, out = talk("the ", "on", options=["--length", "170", "--seed", "3"])
    cut = written(capsys, exported, "the ", 3, "--length", "170")
    rest = written(capsys, exported, "on", 3, "--length", "170")
    assert status == 0
    assert out == f"{cut[: 4 + 2 * CHUNK]}\n[seed 3]\n{rest}[seed 3]\n\n"


def test_a_conversation_in_a_terminal(exported, capsys):
    """It begins with the help. After Ctrl-C there is a prompt again."""
    ours, terminal = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "charrnn",
        "sample",
        str(exported),
        "--interactive",
        "--length",
        "9",
    ]
    with subprocess.Popen(
        command,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=process_environment(TERM="dumb"),
    ) as talk:
        os.close(terminal)
        shown = ""
        line = ""
        lines = ["/seed 2", None, "the ", "/quit"]
        try:
            while lines or not shown.endswith("/quit\n"):
                if line is None and not select.select([ours], [], [], 2)[0]:
                    # again: one that comes just before the prompt waits can be lost
                    talk.send_signal(signal.SIGINT)
                    continue
                shown += os.read(ours, 1024).decode().replace("\r", "")
                if lines and shown.endswith("\n> "):
                    line = lines.pop(0)
                    talk.send_signal(signal.SIGINT) if line is None else os.write(
                        ours, line.encode() + b"\n"
                    )
            assert talk.wait() == 0
        finally:
            talk.kill()
    os.close(ours)
    text = written(capsys, exported, "the ", 2, "--length", "9")
    assert (
        re.sub(r"(> \n)+", "> \n", shown)
        == f"{HELP}\n> /seed 2\nseed 2\n> \n> the \n{text}[seed 2]\n> /quit\n"
    )
