"""The programs of docs/tutorial.md."""

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT

from charrnn import open_model

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```py\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
OF_RECORDS, OF_LABELS, SERVER = PROGRAMS


def run(program, folder):
    subprocess.run([sys.executable, "-c", program], cwd=str(folder), check=True)


def test_records_are_shuffled_and_end_with_an_empty_line(tmp_path):
    records = [f"Cake {number}\nflour\neggs" for number in range(20)]
    (tmp_path / "recipes.txt").write_text("\n\n\n".join(records) + "\n")
    run(OF_RECORDS, tmp_path)
    *written, rest = (tmp_path / "shuffled.txt").read_text().split("\n\n")
    assert rest == ""
    assert written != records
    assert sorted(written) == sorted(records)


def test_each_poem_has_the_label_of_its_folder(tmp_path):
    for folder in ("haiku", "limericks"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.txt").write_text(f"one of the {folder}\nends here\n")
    run(OF_LABELS, tmp_path)
    *written, rest = (tmp_path / "poems.txt").read_text().split("\n\n")
    assert rest == ""
    assert set(written) == {
        "HAIKU:\none of the haiku\nends here",
        "LIMERICK:\none of the limericks\nends here",
    }


@pytest.fixture
def server(tmp_path):
    """The address of the server of the page, in a process of its own, with a known model."""
    with socket.socket() as chosen:
        chosen.bind(("localhost", 0))
        _, port = chosen.getsockname()
    open_model("tiny-shakespeare").save(tmp_path / "mine.npz")
    program = SERVER.replace("8000", str(port))
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=str(tmp_path), stderr=subprocess.DEVNULL
    )
    yield f"http://localhost:{port}"
    process.kill()
    process.wait()


def answer(address, tries=300):
    """Return what is at an address, as soon as the server has started."""
    while True:
        try:
            with urllib.request.urlopen(address, timeout=60) as response:
                return response.read().decode("utf-8")
        except urllib.error.URLError:
            tries -= 1
            if not tries:
                raise
            time.sleep(0.1)


def test_the_server_continues_what_it_is_asked(server):
    """Also with characters that the model does not know, which are left out."""
    written = answer(f"{server}/My%20lord%20%C3%A9,")
    assert written.startswith("\nMy lord ,")
    assert len(written) == len("\nMy lord ,") + 400
