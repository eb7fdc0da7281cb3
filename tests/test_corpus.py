"""Finding and fetching the known texts."""
import hashlib

import pytest

from charrnn.system import files
from charrnn.text import corpus

CONTENT = b"known text\r\n" * 9


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A known text that can be had at a file: address only; the folder data/ of a fresh checkout."""
    source = tmp_path / "public" / "text"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    monkeypatch.setitem(corpus.KNOWN_TEXTS, "known", corpus.KnownText(
        "known.txt", hashlib.sha256(CONTENT).hexdigest(), ("http://example.invalid/known", source.as_uri())))
    monkeypatch.delenv("CHARRNN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return source


def test_a_path_is_itself(known):
    assert str(corpus.find("some/where.txt")) == "some/where.txt"


def test_download_into_data(known, tmp_path):
    text = corpus.read("known")
    assert text == corpus.Text("known", "known text\n" * 9, hashlib.sha256(CONTENT).hexdigest(), "utf-8")
    assert (tmp_path / "data" / "known.txt").read_bytes() == CONTENT
    known.unlink()
    assert corpus.read("known") == text  # found in data/ from now on


def test_folder_of_the_environment_comes_before_a_download(known, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "known.txt").write_bytes(CONTENT)
    monkeypatch.setenv("CHARRNN_DATA", str(tmp_path / "elsewhere"))
    assert corpus.find("known") == tmp_path / "elsewhere" / "known.txt"
    assert not (tmp_path / "data").exists()


def test_other_bytes_under_the_known_name_are_refused_and_kept(known, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "known.txt").write_bytes(b"mine")
    with pytest.raises(ValueError, match="is not the known text"):
        corpus.find("known")
    assert (tmp_path / "data" / "known.txt").read_bytes() == b"mine"


def test_a_download_of_other_bytes_leaves_nothing(known, tmp_path):
    known.write_bytes(b"something else")
    with pytest.raises(ValueError, match="other bytes than expected"):
        corpus.find("known")
    assert not (tmp_path / "data").exists()


def test_text_to_be_had_nowhere(known):
    known.unlink()
    with pytest.raises(ValueError) as error:
        corpus.find("known")
    for part in ["data/known.txt", "CHARRNN_DATA", "no network in tests", "http://example.invalid/known"]:
        assert part in str(error.value)


def test_script_falls_back_in_one_line(known, capsys):
    known.unlink()
    assert corpus.main(["known", "python"]) == 0
    out, err = capsys.readouterr()
    assert out == "python\n"
    assert err.count("\n") == 1 and "going on with 'python' instead" in err
    assert corpus.main(["known"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1


def test_python_source_is_whole_and_in_order():
    text = corpus.read("python")
    assert text.sha256 == hashlib.sha256(text.text.encode()).hexdigest()
    places = [text.text.index(line) for line in [
        "Record of phased-in incompatible language changes", "Abstract Base Classes (ABCs) according to PEP 3119",
        "class ZipFile"]]  # in __future__.py, abc.py and zipfile.py
    assert places == sorted(places)


def test_known_texts_are_as_documented(anna):
    """The fixture found anna.txt by its SHA-256."""
    assert corpus.KNOWN_TEXTS["anna"].sha256.startswith("568bb39f")
    assert len(anna) == 1985223


def test_write_whole_replaces_or_leaves_alone(tmp_path, monkeypatch):
    path = tmp_path / "file"
    files.write_atomically(path, b"old")
    files.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"

    def full(_number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomically(path, b"newest")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
