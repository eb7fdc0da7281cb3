"""The script charrnn-score: its table, its colours and its errors."""
import io
import math
import re
import sys

import numpy as np
import pytest
from conftest import graph_probabilities

from charrnn.checkpoints import open_checkpoint
from charrnn.commands import score

TEXT = "the hat sat\non, the"


@pytest.fixture
def stdin(monkeypatch):
    def give(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
    return give


def bits_of_the_graph(trained, text):
    checkpoint = open_checkpoint(trained)
    ids = checkpoint.vocabulary.encode(text)
    probabilities = graph_probabilities(checkpoint, ids[np.newaxis, :-1], 7)[0]
    return -np.log2(probabilities[np.arange(len(text) - 1), ids[1:]])


def test_the_table_has_the_surprisal_of_the_cells(trained, exported, capsys):
    """With both engines: a line for each character but the first, and the mean."""
    bits = bits_of_the_graph(trained, TEXT)
    for path in (trained, exported):
        assert score.main([str(path), "--text", TEXT]) == 0
        out, err = capsys.readouterr()
        head, *lines, last = out.splitlines()
        assert err == "" and head.split() == ["character", "log-probability", "bits"] and len(lines) == len(TEXT) - 1
        for place, (line, char, each) in enumerate(zip(lines, TEXT[1:], bits), 2):
            number, shown, log_probability, found = re.fullmatch(r" *(\d+)  ('.+?') +(\S+) +(\S+)", line).groups()
            assert (int(number), shown) == (place, repr(char))
            assert float(log_probability) == pytest.approx(-each * math.log(2), abs=1e-4)
            assert float(found) == pytest.approx(each, abs=0.006)
        assert last == f"{len(bits)} characters, {bits.mean():.4f} bits each, perplexity {2 ** bits.mean():.3f}"


def test_a_character_has_the_colour_of_its_surprisal():
    assert score.coloured("abcdef", [1, 9, 8, 2.5, 0]) == (
        "ab\x1b[38;5;16;48;5;203mcd\x1b[38;5;16;48;5;187me\x1b[0mf\x1b[0m")
    assert score.coloured("a", []) == "a\x1b[0m"
    assert score.coloured("\x1b\x9b\n", [0, 0]) == "^[\\x9b\n\x1b[0m"


def luminance(colour):
    """Return the relative luminance (WCAG 2) of one of the 6 x 6 x 6 colours of a terminal."""
    levels = [0, 95, 135, 175, 215, 255]
    parts = [levels[(colour - 16) // place % 6] / 255 for place in (36, 6, 1)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_the_colours_are_legible_on_white_and_on_black():
    """Black text has a contrast of at least 7 (WCAG AAA) with each background, and each differs from both."""
    backgrounds = [luminance(colour) for _, colour in score.COLOURS if colour]
    assert all((each + 0.05) / 0.05 >= 7 for each in backgrounds)
    assert 0.05 < min(backgrounds) and max(backgrounds) < 0.75  # they stand out on black and on white
    sequences = set(re.findall("\x1b\\[[0-9;]*m", score.coloured("abcdef", [9, 7, 5, 3, 0])))
    assert sequences == {"\x1b[0m", *(f"\x1b[38;5;16;48;5;{colour}m" for _, colour in score.COLOURS if colour)}


def test_the_text_is_coloured_on_a_terminal(exported, capsys, monkeypatch):
    """Unless NO_COLOR is set; --color chooses."""
    assert score.main([str(exported), "--text", TEXT, "--color", "always", "--no-table"]) == 0
    out = capsys.readouterr().out
    plain = re.sub("\x1b\\[[0-9;]*m", "", out)
    assert out != plain and plain.startswith("\n" + TEXT + "\nsurprisal in bits: ") and plain.count("\n") == 6
    assert score.main([str(exported), "--text", TEXT, "--color", "never", "--no-table"]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    for no_color in (False, True):
        if no_color:
            monkeypatch.setenv("NO_COLOR", "1")
        else:
            monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert score.main([str(exported), "--text", TEXT, "--no-table"]) == 0
        assert ("\x1b" in capsys.readouterr().out) is not no_color


def test_texts_from_a_file_and_from_a_pipe(exported, tmp_path, stdin, capsys):
    (tmp_path / "text").write_bytes(TEXT.replace("\n", "\r\n").encode())
    stdin(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    outs = set()
    for given in (["--text", TEXT], ["--file", str(tmp_path / "text")], ["--text", "-"]):
        assert score.main([str(exported), *given]) == 0
        outs.add(capsys.readouterr().out)
    assert len(outs) == 1


def test_unknown_characters(exported, capsys):
    for how, text in (("skip", "th hat"), ("nearest", "the hat")):
        assert score.main([str(exported), "--text", text, "--no-table"]) == 0
        expected = capsys.readouterr().out
        assert score.main([str(exported), "--text", "th\u00e9 hat", "--unknown", how, "--no-table"]) == 0
        out, err = capsys.readouterr()
        assert out == expected and err.count("\n") == 1 and "'\u00e9'" in err


@pytest.mark.parametrize("arguments, message", [
    ([], "--text --file is required"), (["--text", "a", "--file", "b"], "not allowed with"),
    (["--text", ""], "at least 2 characters"), (["--text", "t"], "at least 2 characters"),
    (["--text", "the Zoo"], "'Z' (line 1, column 5)"), (["--file", "missing.txt"], "missing.txt"),
    (["--text", "-"], "standard input is not utf-8"), (["--best", "--text", "the"], "--best"),
    (["--text", "the", "--color", "blue"], "blue")])
def test_bad_arguments_are_one_line(exported, stdin, capsys, arguments, message):
    stdin(b"caf\xe9")
    assert score.main([str(exported), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-score: error: ") and message in err
