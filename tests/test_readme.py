"""The README: its commands run, its links lead somewhere, its recipe is the code's."""
import hashlib
import re
import shlex
import subprocess

import pytest
from conftest import ROOT, TEXT

from charrnn import evaluate, export, sample, score, train
from charrnn.text import corpus

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
# added to each training, so that it takes a second
QUICK = ["--batch-size", "2", "--num-steps", "3", "--num-layers", "1", "--epochs", "1"]


@pytest.fixture
def small_anna(tmp_path, monkeypatch):
    """A folder where ``anna`` is a small text, of 250 windows of 2 x 3."""
    text = ("The Anna. Happy families are all alike " + 2 * TEXT)[:2 * 3 * 250]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "anna.txt").write_text(text)
    (tmp_path / "data" / "tiny-shakespeare.txt").write_text(text)
    for name in ("anna", "tiny-shakespeare"):
        known = corpus.KNOWN_TEXTS[name]._replace(sha256=hashlib.sha256(text.encode()).hexdigest())
        monkeypatch.setitem(corpus.KNOWN_TEXTS, name, known)
    monkeypatch.chdir(tmp_path)


def run(command):
    """Run a command of the README, made small; return whether it is one of the package's own."""
    program, *arguments = shlex.split(command)
    scripts = {"charrnn-sample": sample, "charrnn-evaluate": evaluate, "charrnn-export": export, "charrnn-score": score}
    if program in scripts:
        assert scripts[program].main(arguments) == 0, command
    elif "--help" in arguments:
        with pytest.raises(SystemExit):
            train.main(arguments)
    elif program == "charrnn-train":
        small = [] if "--lstm-size" in arguments else ["--lstm-size", "8"]
        assert train.main(arguments + ([] if "--resume" in arguments else QUICK + small)) == 0, command
    else:
        return False
    return True


def test_the_packages_commands_run_in_order(small_anna, capsys):
    assert [command for command in COMMANDS if run(command)]
    python, = [block for language, block in BLOCKS if language == "python"]
    capsys.readouterr()
    exec(python, {})
    assert capsys.readouterr().out.startswith("The ")


def test_every_other_command_is_known():
    others = [command for command in COMMANDS if not command.startswith("charrnn-")]
    for command in others:
        if command.startswith("make "):
            subprocess.run(["make", "-n", *shlex.split(command)[1:]], cwd=str(ROOT), check=True,
                           stdout=subprocess.DEVNULL)
        else:
            known = r"python3\.7 -m venv|\. \.venv/bin/activate|python -m pip install|python tests/"
            assert re.match(known, command), command
            for name in re.findall(r"\S+\.txt", command):
                assert (ROOT / name).is_file()
    assert "make train" in others and "make test" in others


def test_links_lead_to_files():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert len(links) > 10
    for link in links:
        if link.startswith("#"):
            heading = r"^#+ {}$".format(link[1:].replace("-", "[ -]"))
            assert re.search(heading, README, re.MULTILINE | re.IGNORECASE), link
        else:
            assert (ROOT / link).exists(), link


def test_the_table_names_what_is_there():
    import importlib
    rows = re.findall(r"^\| .* \| (`.*`) \| \[charrnn/([\w/]+)\.py]", README, re.MULTILINE)
    assert len(rows) == 12
    for names, module in rows:
        for name in re.findall(r"`(\w+)`", names):
            assert hasattr(importlib.import_module("charrnn." + module.replace("/", ".")), name)
