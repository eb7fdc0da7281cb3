"""The scripts that write pages: charrnn-export with a name in .html, and charrnn-train --page."""

import re

import pytest
from conftest import TEXT, copy_without_records
from pages import data_of

from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact
from charrnn.commands import export
from charrnn.engines.model_file import open_model
from charrnn.inspection.stored import store, stored_model
from charrnn.inspection.webpage import export_page


@pytest.mark.parametrize("weights, flags", [("float16", []), ("int8", ["--weights", "int8"])])
def test_a_page_is_written_and_told(trained, tmp_path, capsys, weights, flags):
    target = tmp_path / "page.html"
    assert export.main([str(trained), str(target), *flags]) == 0
    out, err = capsys.readouterr()
    assert err == "" and f'"kernel_0":{{"type":"{weights}"' in target.read_text(encoding="utf-8")
    first, *units = out.splitlines()
    number = r"\d\.\d{4}"
    assert re.fullmatch(
        f"wrote {re.escape(str(target))}: {target.stat().st_size / 1e6:.1f} MB; the loss on all "
        f"{len(TEXT):,} characters of the training text is {number} nats per character",
        first,
    )
    model = open_model(trained)
    ours, theirs = [
        each.write(None, 300, n=32, seed=1)
        for each in (stored_model(model, store(model, weights)), model)
    ]
    equal = sum(map(str.__eq__, ours, theirs))
    said = dict(data_of(target)["facts"])["Weights"]
    assert f"{equal} of 32 " in said and (equal == 32) == (
        "it writes what charrnn-sample writes" in said
    )
    assert equal == 32 if weights == "float16" else equal < 32
    tracked = data_of(target)["tracked"]
    assert units and all(line[13:53].strip() in tracked["features"] for line in units)


def test_files_of_a_folder_that_are_not_text_are_named(exported, tmp_path, capsys):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("the hat sat\n" * 50, encoding="utf-8")
    (tmp_path / "texts" / "b.bin").write_bytes(b"\x00")
    assert (
        export.main(
            [str(exported), str(tmp_path / "page.html"), "--train-text", str(tmp_path / "texts")]
        )
        == 0
    )
    assert re.fullmatch("skipped: .*b.bin is not a text file.*\n", capsys.readouterr().err)


def test_the_text_of_a_checkpoint_of_the_notebook_is_the_one_that_gives_its_characters(
    trained, tmp_path, capsys
):
    bare = copy_without_records(trained, tmp_path / "bare")
    text = str(trained.parent / "small.txt")
    assert export.main([str(bare), str(tmp_path / "page.html"), "--vocab-from", text]) == 0
    assert "the network wrote" not in capsys.readouterr().err
    assert (
        data_of(tmp_path / "page.html")["measured"] == "all 1,040 characters of the training text"
    )


def test_another_text_can_be_named_and_an_older_page_is_replaced(exported, tmp_path):
    (tmp_path / "hats.txt").write_text("the hat sat\n" * 50, encoding="utf-8")
    (tmp_path / "page.html").write_text("older")
    assert (
        export.main(
            [str(exported), str(tmp_path / "page.html"), "--train-text", str(tmp_path / "hats.txt")]
        )
        == 0
    )
    data = data_of(tmp_path / "page.html")
    assert (
        data["measured"] == "all 600 characters of the text hats" and "cat" not in data["passage"]
    )
    assert dict(data["facts"])["Loss"].endswith("on all 600 characters of the text hats")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hats.txt", "page.html"]


def test_the_page_is_that_of_the_best_checkpoint(stopped_early, tmp_path):
    """The best is not the last here. The text is divided as for the training: a page shows the held-out end."""
    best = record.read_run(stopped_early).best
    assert best != newest_intact(stopped_early).prefix.split("/")[-1]
    export_page(open_model(stopped_early / best), tmp_path / "expected.html")
    assert export.main([str(stopped_early), str(tmp_path / "page.html"), "--best"]) == 0
    assert (tmp_path / "page.html").read_bytes() == (tmp_path / "expected.html").read_bytes()
    assert "of the held-out text" in dict(data_of(tmp_path / "page.html")["facts"])["Loss"]
