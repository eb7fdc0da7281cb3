"""What the commands refuse: in a line, with status 2, and nothing is written."""

import shlex
from pathlib import Path

import pytest
from conftest import SMALL_FLAGS, TEXT, script

LINES = [
    line
    for line in Path(__file__).with_name("refused.txt").read_text(encoding="utf-8").splitlines()
    if line and line[0] != "#"
]
CASES = [
    *zip(LINES[::2], map(str.strip, LINES[1::2])),
    ("sample {run} --length '5\n'", "must be an integer, at least 1, not '5\\n'"),
]


@pytest.fixture(scope="module")
def places(trained, stopped_early, exported, tmp_path_factory):
    """The paths of the words in braces."""
    folder = tmp_path_factory.mktemp("texts")
    for name, content in (
        ("one", "a" * 10),
        ("tiny", "abcababcababca"),
        ("other", "A cat: one, two!\n" * 60),
    ):
        (folder / name).write_text(content)
    return dict(
        {name: folder / name for name in ("one", "tiny", "other")},
        run=trained,
        early=stopped_early,
        model=exported,
        text=trained.parent / "small.txt",
    )


def times(*folders):
    return [
        (path, path.stat().st_mtime_ns) for folder in folders for path in sorted(folder.rglob("*"))
    ]


@pytest.mark.parametrize("command, message", CASES, ids=[command[:60] for command, _ in CASES])
def test_it_is_one_line_and_nothing_is_written(
    places, tmp_path, monkeypatch, capsys, command, message
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    name, *words = shlex.split(command)
    arguments = sum(
        (SMALL_FLAGS if word == "SMALL" else [word.format(**places)] for word in words), []
    )
    folders = tmp_path, places["run"].parent, places["early"].parent
    before = times(*folders)
    assert script(name).main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"charrnn-{name}: error: ")
    assert message.format(**places) in err and times(*folders) == before
