"""The scripts that write pages: charrnn-export with a name in .html, and charrnn-train --page."""
import re
import subprocess
import sys

import pytest
from conftest import CHARS, TEXT, VALIDATED_FLAGS, make_network, overfitting_text, process_environment, train_small
from pages import data_of

from charrnn import checkpoints, train
from charrnn.commands import export
from charrnn.inspection.page import export_page

QUIET = ["--sample-length", "0", "--no-summaries"]


def type_of_weights(path):
    return re.search(r'"kernel_0":\{"type":"(\w+)"', path.read_text(encoding="utf-8")).group(1)


@pytest.mark.parametrize("given, flags", [("FOLDER", []), ("NPZ", []), ("NPZ", ["--weights", "int8"]),
                                          ("NPZ", ["--format", "html"])])
def test_a_page_is_written_and_told(trained, exported, tmp_path, capsys, given, flags):
    target = tmp_path / ("page" if "--format" in flags else "page.html")
    assert export.main([str(trained if given == "FOLDER" else exported), str(target), *flags]) == 0
    out, err = capsys.readouterr()
    weights = "int8" if "int8" in flags else "float16"
    assert err == "" and type_of_weights(target) == weights
    first, *units = out.splitlines()
    found = re.match(r"wrote (.*): (\d+\.\d) MB, (\w+) weights; the loss on the middle ([\d,]+) characters of the "
                     r"training text is (\d\.\d{4}) nats per character, and (\d\.\d{4}) with the weights of the model$",
                     first)
    assert found.groups()[:4] == (str(target), f"{target.stat().st_size / 1e6:.1f}", weights, f"{len(TEXT):,}")
    assert float(found.group(5)) == pytest.approx(float(found.group(6)), abs=0.02)
    best = {each["feature"]: each for each in reversed(data_of(target)["units"]) if each["feature"]}
    assert {line[13:53].strip(): line.split()[0] for line in units} == {
        feature: each["unit"] for feature, each in best.items()}


def test_the_text_can_be_named(exported, tmp_path):
    (tmp_path / "text").write_text("the hat sat\n" * 50, encoding="utf-8")
    assert export.main([str(exported), str(tmp_path / "page.html"), "--train-text", str(tmp_path / "text")]) == 0
    data = data_of(tmp_path / "page.html")
    assert data["measured"] == "the first 600 characters of the training text" and "cat" not in data["passage"]


def test_a_page_replaces_an_older_one(exported, tmp_path):
    (tmp_path / "page.html").write_text("older")
    assert export.main([str(exported), str(tmp_path / "page.html")]) == 0
    assert data_of(tmp_path / "page.html") and [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("arguments, message", [
    (["GRU", "x.html", "--vocab-from", "text"], "only models of lstm cells"),
    (["NPZ", "nowhere/x.html"], "nowhere/x.html"), (["NPZ", "folder.html"], "folder.html"),
    (["NPZ", "x.html", "--train-text", "missing"], "missing"), (["NPZ", "x.html", "--weights", "int4"], "int4"),
    (["missing.npz", "x.html"], "missing.npz"), (["NPZ", "x.npz"], "is an exported model already"),
    (["NPZ", "x", "--format", "saved-model"], "is an exported model already")])
def test_errors_are_one_line_and_write_nothing(exported, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text(CHARS, encoding="utf-8")
    (tmp_path / "folder.html").mkdir()
    paths = {"NPZ": str(exported)}
    if "GRU" in arguments:
        paths["GRU"] = make_network(tmp_path, CHARS, 4, 1, cell="gru").prefix
    before = sorted(tmp_path.rglob("*"))
    assert export.main([paths.get(each, each) for each in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-export: error: ") and message in err
    assert sorted(tmp_path.rglob("*")) == before


def test_the_script_runs_as_a_process_without_tensorflow(exported, tmp_path):
    code = "import sys; sys.modules['tensorflow'] = None; from charrnn.commands import export; sys.exit(export.main())"
    done = subprocess.run([sys.executable, "-c", code, str(exported), "page.html"], cwd=str(tmp_path),
                          env=process_environment(), capture_output=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout.startswith(b"wrote page.html: ")
    assert data_of(tmp_path / "page.html")["title"] == "Inside small.txt"


# charrnn-train --page


@pytest.mark.slow
def test_each_checkpoint_is_written_as_a_page_where_nothing_is_held_out(text_file, tmp_path, monkeypatch, capsys):
    written = []

    def note(model, path, **options):
        written.append(model.prefix)
        return export_page(model, path, **options)
    monkeypatch.setattr(train, "export_page", note)
    run = tmp_path / "run"
    assert train_small(text_file, run, *QUIET, "--page") == 0
    out, err = capsys.readouterr()
    assert err == "" and written == [str(run / "i100_l5.ckpt"), str(run / "i173_l5.ckpt")]
    saved = [line[len("saved "):] for line in out.splitlines() if line.startswith("saved ")]
    assert saved == [written[0], str(run / "page.html"), written[1], str(run / "page.html")]
    monkeypatch.undo()
    export_page(checkpoints.open_checkpoint(written[1]), tmp_path / "expected.html")
    assert (run / "page.html").read_bytes() == (tmp_path / "expected.html").read_bytes()


@pytest.mark.slow
def test_the_page_is_that_of_the_best_checkpoint(tmp_path):
    """The best is not the last here. The text is divided as for the training: a page shows the held-out end."""
    run = tmp_path / "run"
    assert train_small(overfitting_text(tmp_path / "text"), run, *VALIDATED_FLAGS, "--page") == 0
    assert checkpoints.read_run(run).best != checkpoints.newest_intact(run)[0].split("/")[-1]
    export_page(checkpoints.open_checkpoint(run, best=True), tmp_path / "expected.html")
    assert (run / "page.html").read_bytes() == (tmp_path / "expected.html").read_bytes()
    assert "of the held-out text" in dict(data_of(run / "page.html")["facts"])["Loss"]


@pytest.mark.slow
def test_a_page_that_cannot_be_written_is_a_warning(text_file, tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"
    (run / "page.html").mkdir(parents=True)
    assert train_small(text_file, run, *QUIET, "--page") == 0
    out, err = capsys.readouterr()
    assert err.count("\n") == 2 and err.count("page.html") >= 2 and err.count("training continues\n") == 2
    assert "Traceback" not in err and "finished after step 173" in out


@pytest.mark.slow
def test_a_run_that_is_resumed_writes_its_page_too(run_copy, tmp_path):
    assert train.main(["--resume", "--checkpoint-dir", str(run_copy), "--epochs", "2", "--page", *QUIET]) == 0
    assert data_of(run_copy / "page.html")["title"] == "Inside small.txt"


@pytest.mark.parametrize("resumed", [False, True])
def test_other_cells_are_refused_at_the_start(text_file, tmp_path, capsys, resumed):
    run = tmp_path / "run"
    if resumed:
        assert train_small(text_file, run, *QUIET, "--cell", "gru", "--num-steps", "100") == 0
        before = {path.name: path.stat().st_mtime_ns for path in run.iterdir()}
        capsys.readouterr()
        assert train.main(["--resume", "--checkpoint-dir", str(run), "--epochs", "2", "--page"]) == 2
        assert {path.name: path.stat().st_mtime_ns for path in run.iterdir()} == before
    else:
        assert train_small(text_file, run, "--page", "--cell", "gru") == 2
        assert not run.exists()
    assert capsys.readouterr().err == "charrnn-train: error: --page is for --cell lstm only, not gru\n"


def test_a_dry_run_writes_no_page(text_file, tmp_path):
    assert train_small(text_file, tmp_path / "run", "--dry-run", "--page") == 0
    assert not (tmp_path / "run").exists()
