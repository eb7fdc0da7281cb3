"""The programs to which docs/tutorial.md leads."""

import http.client
import json
import socket
import subprocess
import sys
import time
import types

import pytest
from conftest import ROOT

from charrnn import open_model

PROGRAMS = ROOT / "docs" / "programs"


def program(name):
    """Return a program to which the page leads."""
    return (PROGRAMS / name).read_text(encoding="utf-8")


OF_RECORDS = program("shuffle_records.py")
OF_A_CHAT = program("from_chat.py")
OF_A_COLUMN = program("from_table.py")
OF_TWEETS = program("from_tweets.py")
OF_NOTES = program("from_notes.py")
OF_LABELS = program("with_labels.py")
SERVER = program("stream_server.py")
IN_JSON = program("server.py")


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


def test_the_messages_of_a_chat_are_lines(tmp_path):
    """As Android, iOS and programs for IRC export them. A message may have several lines."""
    chat = (
        "Log: opened\n12/31/24, 9:15\u202fPM - Messages are encrypted.\n12/31/24, 9:15\u202fPM - Ann: hello: you\n"
        "\n1. 2 eggs\n9:15 is: early\n"
        "12/31/24, 9:16\u202fPM - Ben O.: <Media omitted>\n[31.12.24, 21:15:02] Zoë: yes\n"
        "\u200e[31.12.24, 21:15:03] Zoë: \u200eimage omitted\n31/12/2024, 21:15 - Ben O.: no\n"
        "[21:15] <ann> so: yes\n[21:16] ben has left\n2024-12-31 21:17:03 <ben> no\n"
        "12/03/2024 à 21:18 - gwen : hi\n(21:19) gwen: ho\n21:20 <@gwen> he\n2024-03-12T21:21 gwen: ha\n"
    )
    (tmp_path / "chat.txt").write_text(chat, encoding="utf-8")
    run(OF_A_CHAT, tmp_path)
    messages = (tmp_path / "messages.txt").read_text(encoding="utf-8")
    assert messages == (
        "Ann: hello: you 1. 2 eggs 9:15 is: early\nZoë: yes\nBen O.: no\nann: so: yes\nben: no\n"
        "gwen: hi\ngwen: ho\ngwen: he\ngwen: ha\n"
    )


def test_the_cells_of_a_column_are_lines(tmp_path):
    """A cell may have commas, quotes and line ends."""
    table = 'id,text\r\n1,"a ""b"", c"\r\n2,"two\nlines"\r\n3,\r\n'
    (tmp_path / "table.csv").write_bytes(b"\xef\xbb\xbf" + table.encode())
    run(OF_A_COLUMN, tmp_path)
    assert (tmp_path / "column.txt").read_text() == 'a "b", c\ntwo lines\n'


def test_tweets_are_lines_without_links_and_retweets(tmp_path):
    texts = ["one &amp; two https://t.co/x", "RT @x: theirs", "two\nlines", "https://t.co/y"]
    tweets = json.dumps([{"tweet": {"full_text": text}} for text in texts])
    (tmp_path / "tweets.js").write_text(f"window.YTD.tweets.part0 = {tweets}")
    run(OF_TWEETS, tmp_path)
    assert (tmp_path / "tweets.txt").read_text() == "one & two\ntwo lines\n"


def test_notes_are_joined_without_their_heads(tmp_path):
    folder = tmp_path / "notes" / "below"
    folder.mkdir(parents=True)
    (folder / "a.md").write_text(
        "---\ntitle: Tea\ntags:\n  - food\n---\n\nBoil it.\n---\nDrink it.\n"
    )
    (folder / "b.md").write_text("No head.\n")
    run(OF_NOTES, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "Boil it.\n---\nDrink it.\n\nNo head.\n"


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


@pytest.mark.thorough
def test_the_server_continues_what_it_is_asked(server):
    """Also with characters that the model does not know, in whose place the nearest ones stand."""
    connection = connected(server)
    connection.request("GET", "/My%20lord%20%C3%A9,")
    written = connection.getresponse().read().decode("utf-8")
    assert written.startswith("\nMy lord e,")
    assert len(written) == len("\nMy lord e,") + 400


@pytest.mark.parametrize(
    "method, path, status", [("HEAD", "/x", 200), ("GET", "/favicon.ico", 404)]
)
def test_the_server_writes_nothing_for_a_head_or_an_icon(server, method, path, status):
    connection = connected(server)
    connection.request(method, path)
    response = connection.getresponse()
    assert response.status == status
    assert response.read() == b""


@pytest.fixture
def client(tmp_path, monkeypatch):
    """A client of the server that answers in JSON, and the module of that."""
    pytest.importorskip("fastapi", reason="fastapi is not installed: pip install fastapi httpx")
    from fastapi.testclient import TestClient

    open_model("tiny-shakespeare").save(tmp_path / "mine.npz")
    monkeypatch.chdir(tmp_path)
    server = types.ModuleType("server")
    monkeypatch.setitem(sys.modules, "server", server)
    exec(IN_JSON, server.__dict__)
    return TestClient(server.app), server


def test_the_server_in_json_writes(client):
    answer = client[0].post("/write", json={"prime": "My lord", "length": 9, "seed": 1}).json()
    assert answer["complete"]
    assert answer["text"].startswith("My lord")
    assert len(answer["text"]) == 16


@pytest.mark.parametrize("request_", [{"length": 10**6}, {"prime": "\u0416"}, {"seed": -1}])
def test_the_server_in_json_refuses_what_the_model_cannot_do(client, request_):
    assert client[0].post("/write", json=request_).status_code == 422


def test_the_server_in_json_ends_a_text_in_time(client):
    client[1].SECONDS = 0
    answer = client[0].post("/write", json={"length": 5000}).json()
    assert not answer["complete"]
    assert len(answer["text"]) < 100
