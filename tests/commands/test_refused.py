"""What the commands refuse: in a line, with status 2, and nothing is written."""

import shlex
from pathlib import Path

import pytest
from conftest import SMALL_FLAGS, TEXT, script, times_of

REFUSED = Path(__file__).with_name("refused.txt").read_text(encoding="utf-8").splitlines()
LINES = [line.strip() for line in REFUSED if line and not line.startswith("#")]
CASES = [
    # a command stands above a part of its error
    *zip(LINES[::2], LINES[1::2]),
    ("sample {run} --length '5\n'", "must be an integer, at least 1, not '5\\n'"),
    # TensorFlow waits in vain for more memory, ten seconds each time.
    pytest.param(
        "train {text} SMALL --lstm-size 1000000",
        "this machine has too little memory for these arguments",
        marks=pytest.mark.slow,
    ),
]


@pytest.fixture(scope="module")
def places(trained, stopped_early, exported, tmp_path_factory):
    """The paths of the words in braces."""
    folder = tmp_path_factory.mktemp("texts")
    (folder / "one").write_text("a" * 10)
    (folder / "tiny").write_text("abcababcababca")
    (folder / "other").write_text("A cat: one, two!\n" * 60)
    (folder / "latin").write_bytes("caf\xe9".encode("latin-1"))
    (folder / "utf16").write_bytes(TEXT.encode("utf-16-le"))
    # as the notebook leaves them
    notebook = folder / "notebook"
    notebook.mkdir()
    (notebook / "i200_l512.ckpt.index").touch()
    (notebook / "text.txt").write_text("text")
    return {
        "notebook": notebook,
        "one": folder / "one",
        "tiny": folder / "tiny",
        "other": folder / "other",
        "latin": folder / "latin",
        "utf16": folder / "utf16",
        "run": trained,
        "early": stopped_early,
        "model": exported,
        "text": trained.parent / "small.txt",
    }


@pytest.mark.parametrize("command, message", CASES, ids=lambda words: words[:60])
def test_it_is_one_line_and_nothing_is_written(
    places, tmp_path, monkeypatch, capsys, command, message
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    name, *words = shlex.split(command)
    arguments = []
    for word in words:
        arguments.extend(SMALL_FLAGS if word == "SMALL" else [word.format(**places)])
    folders = (tmp_path, places["run"].parent, places["early"].parent)
    before = times_of(*folders)

    assert script(name).main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"charrnn-{name}: error: ")
    assert err.count("\n") == 1
    assert message.format(**places) in err
    assert times_of(*folders) == before
