"""README and docs: commands parse and run, links lead to files and headings, names and flags exist."""

import hashlib
import importlib
import io
import itertools
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from conftest import ROOT, SCRIPTS, parser_of
from conftest import script as script_of

from charrnn.hyperparameters import Hyperparameters
from charrnn.text import corpus
from charrnn.training.presets import preset

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
# the pages that name all flags of a script
FLAG_PAGES = {
    "train": "docs/training.md",
    "sample": "docs/sampling.md",
    "export": "docs/sampling.md docs/inside.md",
    "evaluate": "docs/evaluating.md",
    "inspect": "docs/inside.md",
    "runs": "docs/training.md",
}
# added to each training, so that it takes a second
QUICK = ["--batch-size", "2", "--num-steps", "3", "--num-layers", "1", "--lstm-size", "8"]

every_page = pytest.mark.parametrize("page", PAGES)


def blocks(page, *languages):
    """Return the code blocks of a page in some languages, "" for those without one."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)
    return [block for language, block in found if language in languages]


def commands(page):
    """Return the lines of a page's shell blocks; a command before && or | counts as one of its own."""
    lines = "".join(blocks(page, "sh")).splitlines()
    return [re.sub(r" >\S+$", "", part) for line in lines for part in re.split(r" && | \| ", line)]


def shown(page):
    """Return the commands whose output a page shows, and those in its prose."""
    prompts = re.findall(r"^\$ (.*)$", "".join(blocks(page, "")), re.MULTILINE)
    prose = re.sub(r"^```.*?^```", "", PAGES[page], flags=re.MULTILINE | re.DOTALL)
    return prompts + re.findall(r"`(?:\.venv/bin/)?((?:charrnn-|make )[^`\n]* [^`\n]*)`", prose)


def flags_of(script):
    return {
        flag
        for action in parser_of(script)._actions
        for flag in action.option_strings
        if flag.startswith("--")
    }


def script_and_arguments(command):
    """Return the script that a command calls and its arguments; (None, []) for another program."""
    program, *arguments = shlex.split(command)
    if program in ("mpiexec", "srun"):
        program, *arguments = arguments[arguments.index("-n") + 2 :]
    if program.startswith("charrnn-"):
        return program[len("charrnn-") :], arguments
    if (
        program.startswith("python")
        and arguments[:1] == ["-m"]
        and arguments[1].startswith("charrnn.")
    ):
        return arguments[1].split(".")[-1], arguments[2:]
    if program == "make" and arguments[0] in ("train", "train-distributed", "sample"):
        values = dict(each.split("=", 1) for each in arguments[1:])
        return arguments[0].split("-")[0], shlex.split(values.get("ARGS", ""))
    return None, []


@every_page
def test_commands_parse(page):
    """Those of the package, and of make, which knows its targets."""
    for command in commands(page) + shown(page):
        script, arguments = script_and_arguments(command)
        if script and "--help" not in arguments:
            parser_of(script).parse(arguments)
        elif command.startswith("make "):
            subprocess.run(
                ["make", "-n", *shlex.split(command)[1:]],
                cwd=str(ROOT),
                check=True,
                stdout=subprocess.DEVNULL,
            )


@pytest.mark.parametrize("script", SCRIPTS)
def test_its_pages_have_all_flags(script):
    pages = "\n".join(PAGES[page] for page in FLAG_PAGES[script].split())
    for flag in flags_of(script) - {"--help", "--version"}:
        assert re.search(rf"(?<![\w-]){flag}(?![\w-])", pages), flag


def anchors(page):
    """Return the anchors of a page's headings, made as GitHub makes them."""
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_names_of_modules_can_be_imported(page):
    for name, module in re.findall(r"`(\w+)(?:\([^`]*)?`\s+of\s+`(charrnn[\w.]*)`", PAGES[page]):
        assert hasattr(importlib.import_module(module), name), (name, module)


@pytest.mark.parametrize("page", [*PAGES, "CHANGES.md", "checkpoints/README.md", "data/README.md"])
def test_links_lead_to_files_and_headings(page):
    for link in re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_the_presets_are_those_of_the_page():
    """The lengths of text for which auto has a row are the largest ones."""
    page = PAGES["docs/training.md"]
    sizes = "batch_size num_steps lstm_size learning_rate keep_prob recurrent_keep_prob weight_decay epochs".split()
    rows = re.findall(
        r"^\| (up to [\d,]+|more) \| (\d+) x (\d+) \| (\d+) \| (0[\d.]+) \| (0[\d.]+) \| ([01][\d.]+) "
        r"\| (0\.\d) \| (\d+) \|$",
        page,
        re.MULTILINE,
    )
    lengths = [int(re.sub(r"\D", "", row[0]) or 10**9) for row in rows]
    assert len(rows) == 6 and "All have two layers" in page
    assert "end after five evaluations without improvement" in page.replace("\n", " ")
    for row, least, most in zip(rows, [1, *(length + 1 for length in lengths)], lengths):
        for length in (least, most):
            hyper = Hyperparameters(**preset("auto", length))
            assert [str(getattr(hyper, name)) for name in sizes] == list(row[1:])
            assert (
                hyper.num_layers,
                hyper.early_stop,
                hyper.schedule,
                hyper.average_decay,
                hyper.grad_clip,
                hyper.val_fraction,
            ) == (2, 5, "linear", 0.99, 0.2, 0.02 if row[0] == "more" else 0.1)
    for name in ("quick", "best"):
        text = (
            re.search(rf"^- `{name}`: (.*?)^[-\n]", page, re.MULTILINE | re.DOTALL)
            .group(1)
            .replace("\n  ", " ")
        )
        found = re.search(
            r"(\d+) units, windows of (\d+) x (\d+), a learning rate of ([\d.]+), (?:at most )?(\d+)",
            text,
        )
        assert found.groups() == tuple(
            str(getattr(Hyperparameters(**preset(name, 1)), each))
            for each in ("lstm_size", "batch_size", "num_steps", "learning_rate", "epochs")
        )


def test_the_messages_are_those_of_the_package():
    """But for what is given, and for values."""
    table = re.findall(r"^\| `(.*?)` \| ", PAGES["docs/problems.md"], re.MULTILINE)
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "charrnn").rglob("*.py"))
    whole = re.sub(r'"\s*\n\s*f?"', "", sources)  # what stands in several strings
    for part in itertools.chain(
        *(re.split("…|'anna'|data/anna.txt|utf-8|40|nan", message) for message in table)
    ):
        assert part.strip() in whole
    assert len(table) > 8


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_answers_are_kept_when_the_notebook_is_pulled(tmp_path):
    """By what the page on teaching says, in a clone of a repository with nothing but the notebook."""

    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a", *map(str, words)],
            check=True,
            cwd=str(tmp_path),
            capture_output=True,
        )

    git("init", "-q", "origin")
    (tmp_path / "origin" / "notebooks").mkdir()
    notebooks = [
        tmp_path / folder / "notebooks" / "Anna_KaRNNa.ipynb" for folder in ("origin", "clone")
    ]
    for number, content in enumerate(["first", "second"]):
        notebooks[0].write_text(content)
        git("-C", "origin", "add", ".")
        git("-C", "origin", "commit", "-qm", content)
        if not number:
            git("clone", "-q", "origin", "clone")
    notebooks[1].write_text("answers")
    (block,) = (block for block in blocks("docs/teaching.md", "sh") if "git pull" in block)
    subprocess.run(
        ["sh", "-e", "-c", block], check=True, cwd=str(tmp_path / "clone"), capture_output=True
    )
    assert (notebooks[1].read_text(), notebooks[1].with_name("mine.ipynb").read_text()) == (
        "second",
        "answers",
    )
    assert "notebooks/mine.ipynb" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def small_texts(tmp_path, monkeypatch):
    """A folder where each text that the pages name is a small one, of 40 windows of 2 x 3."""
    text = (
        "The Anna. ROMEO: JULIET: To be, or not to be\n"
        + "all happy families are alike, and the rest is not\n" * 4
    )
    text = text[: 2 * 3 * 40]
    (tmp_path / "data").mkdir()
    for name in ("data/anna.txt", "data/tiny-shakespeare.txt", "my.txt", "beginning.txt"):
        (tmp_path / name).write_text(text)
    for name in ("anna", "tiny-shakespeare"):
        known = replace(corpus.KNOWN_TEXTS[name], sha256=hashlib.sha256(text.encode()).hexdigest())
        monkeypatch.setitem(corpus.KNOWN_TEXTS, name, known)
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@every_page
def test_commands_of_the_package_run_in_order(page, small_texts, monkeypatch, capsys):
    for command in commands(page):
        script, arguments = script_and_arguments(command)
        if not command.startswith("charrnn-") or "--help" in arguments:
            continue
        if script == "train":
            arguments += (
                []
                if "--resume" in arguments
                else [*QUICK, *["--epochs", "1"] * ("--minutes" not in command)]
            )
        # for --interactive and a TEXT of -
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"ROMEO:\n")))
        assert script_of(script).main(arguments) == 0, command
    for block in blocks(page, "python"):
        capsys.readouterr()
        exec(block, {})
        assert capsys.readouterr().out.startswith("The ")
