"""The scripts that write pages: charrnn-export with a name in .html, and charrnn-train --page."""

import re

import pytest
from conftest import TEXT, copy_without_records

from charrnn.checkpoints import record
from charrnn.checkpoints.find import newest_intact
from charrnn.commands import export
from charrnn.engines.opening import open_model
from charrnn.pages.stored import store, stored_model
from charrnn.pages.webpage import export_page
from pages.small_pages import content_of, data_of, entry_of, fact_of

NUMBER = r"\d\.\d{4}"
# At the start, for where no terminal shows a bar.
NOTE = "making the page takes a few minutes if the network has 512 units in a layer\n"
WITH_TEXT = "the training text is in the file: --no-text leaves it out\n"


@pytest.fixture
def hats(tmp_path):
    """A text other than that of the small run."""
    path = tmp_path / "hats.txt"
    path.write_text("the hat sat\n" * 50, encoding="utf-8")
    return path


@pytest.mark.parametrize("weights, flags", [("float16", []), ("int8", ["--weights", "int8"])])
def test_a_page_is_written_and_told(trained, target, capsys, weights, flags):
    assert export.main([str(trained), str(target), *flags]) == 0
    out, err = capsys.readouterr()
    assert err == NOTE + WITH_TEXT
    first, heading, *units = out.splitlines()
    assert re.fullmatch(
        f"wrote {re.escape(str(target))}: {target.stat().st_size / 1e6:.1f} MB; the loss on all "
        f"{len(TEXT):,} characters of the training text is {NUMBER} nats per character",
        first,
    )
    assert heading.startswith("the units that best track")
    assert units
    for line in units:
        assert line[13:53].strip() in entry_of(target, "tracked")["features"]

    assert f'"kernel_0":{{"type":"{weights}"' in content_of(target)
    assert fact_of(target, "Weights") == weights


@pytest.mark.parametrize("weights, is_same", [("float16", True), ("int8", False)])
def test_in_float16_a_page_writes_what_charrnn_sample_writes(trained, weights, is_same):
    """In int8, some of 32 texts are others."""
    model = open_model(trained)
    on_page = stored_model(model, store(model, weights)).write(None, 300, n=32, seed=1)
    texts = model.write(None, 300, n=32, seed=1)
    assert (on_page == texts) is is_same


def test_files_of_a_folder_that_are_not_text_are_named(exported, hats, target, capsys):
    folder = hats.parent / "texts"
    folder.mkdir()
    hats.rename(folder / "a.txt")
    (folder / "b.bin").write_bytes(b"\x00")
    assert export.main([str(exported), str(target), "--train-text", str(folder)]) == 0
    err = capsys.readouterr().err
    assert re.fullmatch(f"skipped: .*b.bin is not a text file.*\n{NOTE}{WITH_TEXT}", err)


def test_the_text_of_a_checkpoint_of_the_notebook_is_the_one_that_gives_its_characters(
    trained, tmp_path, target, capsys
):
    bare = copy_without_records(trained, tmp_path / "bare")
    text = str(trained.parent / "small.txt")
    assert export.main([str(bare), str(target), "--vocab-from", text]) == 0
    assert "the network wrote" not in capsys.readouterr().err
    assert entry_of(target, "measured") == "all 1,040 characters of the training text"


def test_another_text_can_be_named_and_an_older_page_is_replaced(exported, hats, target):
    target.write_text("older")
    assert export.main([str(exported), str(target), "--train-text", str(hats)]) == 0
    data = data_of(target)
    assert data["measured"] == "all 600 characters of the text hats"
    assert "cat" not in data["passage"]
    assert fact_of(target, "Loss").endswith("on all 600 characters of the text hats")
    assert sorted(path.name for path in target.parent.iterdir()) == ["hats.txt", "page.html"]


def test_a_page_can_call_the_text_by_another_name(trained, target):
    assert export.main([str(trained), str(target), "--title", "Hats & <cats>"]) == 0
    assert "small" not in f"{entry_of(target, 'title')} {fact_of(target, 'Training text')}"
    assert "learned to write by reading one text, <cite><bdi>Hats &amp; &lt;cats&gt;</bdi>" in (
        content_of(target)
    )


def test_a_page_without_a_passage_shows_lines_that_the_network_wrote(trained, target):
    """The page says that the network wrote these lines. With a passage, they come from the text."""
    assert export.main([str(trained), str(target)]) == 0
    assert entry_of(target, "passage") in TEXT
    assert "These lines it did not write: they are a passage of <span" in content_of(target)

    assert export.main([str(trained), str(target), "--no-text"]) == 0
    assert entry_of(target, "passage") not in TEXT
    assert entry_of(target, "source") == "a text that the network wrote"
    assert "These lines are a passage of <span" in content_of(target)


def test_the_page_is_that_of_the_best_checkpoint(stopped_early, tmp_path, target):
    """The best is not the last here. The text is divided as for the training: a page shows the held-out end."""
    best = stopped_early / record.read_run(stopped_early).best
    assert str(best) != newest_intact(stopped_early).prefix
    export_page(open_model(best), tmp_path / "expected.html")
    assert export.main([str(stopped_early), str(target), "--best"]) == 0
    assert target.read_bytes() == (tmp_path / "expected.html").read_bytes()
    assert "of the held-out text" in fact_of(target, "Loss")
