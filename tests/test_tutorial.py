"""The programs of docs/tutorial.md."""

import http.client
import re
import socket
import subprocess
import sys
import time

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
    """The port of the server of the page, in a process of its own, with a known model."""
    with socket.socket() as chosen:
        chosen.bind(("localhost", 0))
        _, port = chosen.getsockname()
    open_model("tiny-shakespeare").save(tmp_path / "mine.npz")
    program = SERVER.replace("8000", str(port))
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=str(tmp_path), stderr=subprocess.DEVNULL
    )
    yield port
    process.kill()
    process.wait()


def connected(port):
    """Return a connection to a server that is starting."""
    end = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("localhost", port)
        try:
            connection.connect()
            return connection
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the server does not start"
            time.sleep(0.1)


def test_the_server_continues_what_it_is_asked(server):
    """Also with characters that the model does not know, in whose place the nearest ones stand."""
    connection = connected(server)
    connection.request("GET", "/My%20lord%20%C3%A9,")
    written = connection.getresponse().read().decode("utf-8")
    assert written.startswith("\nMy lord e,")
    assert len(written) == len("\nMy lord e,") + 400
