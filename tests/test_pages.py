"""README and docs: commands parse and run, links lead to files and headings, names exist."""

import contextlib
import hashlib
import importlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, TENSORFLOW_1, known_text, parser_of
from conftest import script as script_of

from charrnn.data import Vocabulary, split
from charrnn.hyperparameters import Hyperparameters
from charrnn.text import corpus, lines
from charrnn.text.baselines import best_ngram_counts
from charrnn.training.presets import preset

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
# added to each training, so that it takes a second
QUICK = ["--batch-size", "2", "--num-steps", "3", "--num-layers", "1", "--lstm-size", "8"]
# make trains or writes with: trap : INT; PYTHON -m charrnn SCRIPT ARGUMENTS || { what follows an error }
RUN_BY_MAKE = re.compile(r"-m charrnn (\S+) (.*) \|\| \{ status")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)

every_page = pytest.mark.parametrize("page", PAGES)


def blocks(page, language):
    """Return the code blocks of a page in a language, "" for those without one."""
    return [block for name, block in BLOCK.findall(PAGES[page]) if name == language]


def commands(page):
    """Return the lines of a page's shell blocks; a command before && or | counts as one of its own."""
    parts = []
    for line in "".join(blocks(page, "sh")).splitlines():
        parts.extend(re.split(r" && | \| ", line))
    return [re.sub(r" >\S+$", "", part) for part in parts]


def shown(page):
    """Return the commands whose output a page shows, and those in its prose."""
    prompts = re.findall(r"^\$ (.*)$", "".join(blocks(page, "")), re.MULTILINE)
    prose = BLOCK.sub("", PAGES[page])
    return prompts + re.findall(r"`(?:\.venv/bin/)?((?:charrnn-|make )[^`\n]* [^`\n]*)`", prose)


def printed_by_make(command):
    """Return what a command of make would run. The variables of a make that runs the tests are left out."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MAKE") and name not in ("ARGS", "TEXT", "TENSORFLOW")
    }
    done = subprocess.run(
        ["make", "-n", *shlex.split(command)[1:]],
        cwd=str(ROOT),
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    return done.stdout


def script_and_arguments(command):
    """Return the script that a command calls and its arguments; (None, []) for another program."""
    if command.startswith("make "):
        match = RUN_BY_MAKE.search(printed_by_make(command))
        return (match.group(1), shlex.split(match.group(2))) if match else (None, [])

    program, *arguments = shlex.split(command)
    if program in ("mpiexec", "srun"):
        program, *arguments = arguments[arguments.index("-n") + 2 :]
    if program.startswith("charrnn-"):
        return program[len("charrnn-") :], arguments
    is_module = program.startswith("python") and arguments[:1] == ["-m"]
    if is_module and arguments[1].startswith("charrnn."):
        return arguments[1].split(".")[-1], arguments[2:]
    return None, []


@every_page
def test_commands_parse(page):
    """Those of the package, and of make, which knows its targets."""
    for command in commands(page) + shown(page):
        script, arguments = script_and_arguments(command)
        if script and "--help" not in arguments:
            parser_of(script).parse(arguments)


def test_make_runs_what_the_readme_says():
    """So the commands of make are looked at above."""
    calls = [script_and_arguments(command) for command in commands("README.md")]
    assert ("train", ["names", "--preset", "auto"]) in calls
    assert ("sample", ["--best", "--lines", "10", "--new"]) in calls


def test_the_readme_sets_a_fresh_machine_up_with_two_commands():
    """One trains, and one passes the tests, the way .ci/run calls them; whatever they need, make installs."""
    assert 'make TENSORFLOW=2 train TEXT=names ARGS="--preset auto"' in commands("README.md")
    assert "make test" in commands("README.md")
    assert "-m pytest " in printed_by_make("make test")
    assert re.search(r"^ *make .*\btest\b", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


def test_the_readme_says_what_the_tests_take():
    (paragraph,) = re.findall(
        r"(?:^.+\n)+\n```sh\nmake test\n```", PAGES["README.md"], re.MULTILINE
    )
    for fact in ("minutes", "GB", "Chromium", "make test-pages"):
        assert fact in paragraph


def counts_of_held_out(text):
    """Return what the best n-gram counts give the held-out tenth of a text, as the pages have it."""
    vocabulary = Vocabulary.from_text(text)
    training, held_out, _ = split(vocabulary.encode(text), 0.1)
    return best_ngram_counts(training, held_out, len(vocabulary))


@pytest.mark.parametrize("n_characters", [1_000, 5_000, 7_500, 10_000])
def test_the_counts_of_short_texts_are_those_of_the_page(anna, n_characters):
    length, nats = counts_of_held_out(anna[:n_characters])
    assert f"{nats:.2f} ({length})" in PAGES["docs/evaluating.md"]


def test_the_counts_of_the_names_are_those_of_the_page():
    length, nats = counts_of_held_out(lines.shuffled(corpus.read("names").text))
    assert f"{nats:.2f} ({length})" in PAGES["docs/evaluating.md"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, sentence",
    [
        ("anna", "reach {} on *Anna Karenina* (n = {})"),
        ("tiny-shakespeare", "{} on Tiny Shakespeare (n = {})"),
    ],
)
def test_the_counts_of_long_texts_are_those_of_the_page(name, sentence):
    length, nats = counts_of_held_out(known_text(name))
    page = PAGES["docs/evaluating.md"].replace("\n", " ")
    assert sentence.format(f"{nats:.4f}", length) in page


@pytest.mark.slow
def test_the_table_of_an_evaluation_is_that_of_the_page(capsys):
    """To the last digit but one, because processors differ."""
    known_text("tiny-shakespeare")
    assert script_of("evaluate").main("--held-out --rows 32 tiny-shakespeare".split()) == 0
    (shown,) = re.findall(
        "--rows 32 tiny-shakespeare\n(.*?)```", PAGES["docs/evaluating.md"], re.DOTALL
    )
    figures = re.compile(r"\d+\.\d+")
    printed = capsys.readouterr().out
    assert figures.sub("", printed) == figures.sub("", shown)
    values = [float(value) for value in figures.findall(printed)]
    expected = [float(value) for value in figures.findall(shown)]
    assert values == pytest.approx(expected, abs=2e-3)


def rows_of_speed(head):
    """Return the other cells of the rows of a table by the first cell; the table of docs/speed.md with a head."""
    _, after_head = PAGES["docs/speed.md"].split(f"\n{head}")
    table, _, _ = after_head.partition("\n\n")
    # what is left of the head, and a line of dashes
    _, _, *lines = table.splitlines()
    rows = {}
    for line in lines:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[name] = cells
    return rows


def numbers(cell):
    return np.array(cell.split(", "), float)


@pytest.fixture(scope="module")
def speeds():
    """For each machine, by the graph: how many times as fast as the notebook's in 1.15, at both sizes."""
    rows = rows_of_speed("| | the recipe, s/step")
    first = {name: numbers(f"{cells[1]}, {cells[4]}") for name, cells in rows.items()}
    others = [{"notebook's graph, 1.15": np.ones(2)} for _ in range(3)]
    for name, cells in rows_of_speed("| | AMD | older").items():
        for machine, cell in zip(others, cells):
            if cell:
                machine[name] = numbers(cell)
    return [first, *others]


def faster(speeds, name, other):
    """Return how many times as fast a graph is as another, at both sizes on each machine that has both."""
    ratios = []
    for machine in speeds:
        if name in machine and other in machine:
            ratios.extend(machine[name] / machine[other])
    return ratios


def in_words(ratios, digits=1):
    """Return a range of ratios as the README has it."""
    return f"{min(ratios):.{digits}f} to {max(ratios):.{digits}f}"


@pytest.fixture(scope="module")
def speed_in_readme():
    (section,) = re.findall("^## Speed\n\n(.*?)\n\n", PAGES["README.md"], re.MULTILINE | re.DOTALL)
    return section.replace("\n", " ")


def test_the_ratios_are_those_of_the_times():
    rows = rows_of_speed("| | the recipe, s/step")
    slowest = rows["notebook's graph, 1.15"]
    for cells in rows.values():
        for place in (0, 3):
            ratio = float(slowest[place]) / float(cells[place])
            assert float(cells[place + 1]) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    "graph, other, sentence",
    [
        ("fused, 1.15", "notebook's graph, 1.15", "is {} times as fast as the notebook's graph"),
        ("fused, 2.21", "notebook's graph, 2.21", "and {} times with 2.21"),
        ("fused, 2.21, bfloat16", "notebook's graph, 2.21", "{} times on a processor that has"),
        ("fused, 2.21, bfloat16", "PyTorch, all bfloat16", "and in bfloat16 {} times"),
    ],
)
def test_the_speed_of_training_is_that_of_the_tables(
    speeds, speed_in_readme, graph, other, sentence
):
    """Compared on one TensorFlow."""
    assert sentence.format(in_words(faster(speeds, graph, other))) in speed_in_readme


def test_the_speed_beside_pytorch_is_that_of_the_tables(speeds, speed_in_readme):
    ratios = faster(speeds, "fused, 1.15", "PyTorch") + faster(speeds, "fused, 2.21", "PyTorch")
    assert f"is {in_words(ratios)} times as fast as PyTorch's `nn.LSTM`" in speed_in_readme


def test_the_speed_of_short_runs_is_that_of_the_table(speed_in_readme):
    rows = rows_of_speed("| | s/step | PyTorch's time")
    seconds = {name: float(cells[0]) for name, cells in rows.items()}
    beside = [seconds["PyTorch"] / seconds[f"fused, {version}"] for version in ("1.15", "2.21")]
    in_bfloat16 = seconds["PyTorch, all bfloat16"] / seconds["fused, 2.21, bfloat16"]
    assert f"{in_words(beside)} and {in_bfloat16:.1f} times" in speed_in_readme


def test_the_speed_of_writing_is_that_of_the_table(speed_in_readme):
    """On both machines."""
    one_text = []
    many = []
    rows = rows_of_speed("| engine | one text")
    for name in ("NumPy 1.18", "NumPy 2.4"):
        _, one, _, of_many, on_other = rows[name]
        one_on_other, many_on_other = numbers(on_other)
        many += [float(of_many), many_on_other]
        one_text += [float(one), one_on_other]
    assert f"writes one text {in_words(one_text, digits=0)} times as fast" in speed_in_readme
    assert f"and 64 texts {in_words(many, digits=0)} times" in speed_in_readme


def anchors(page):
    """Return the anchors of a page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


# `export_page` of `charrnn.pages.webpage`
NAME = re.compile(r"`(\w+)(?:\([^`]*)?`\s+of\s+`(charrnn[\w.]*)`")
NAMES_OF_MODULES = NAME.findall("\n".join(PAGES.values()))


@pytest.mark.parametrize("name, module", NAMES_OF_MODULES)
def test_names_of_modules_can_be_imported(name, module):
    assert hasattr(importlib.import_module(module), name)


def test_the_pages_have_names_of_modules():
    """Which are looked at above."""
    assert ("export_page", "charrnn.pages.webpage") in NAMES_OF_MODULES


MODULE = re.compile(r"(?:`|^from )(charrnn(?:\.\w+)+)(?:`| import)", re.MULTILINE)
MODULES = sorted({*MODULE.findall("\n".join(PAGES.values()))})


@pytest.mark.parametrize("module", MODULES)
def test_modules_can_be_imported(module):
    assert importlib.import_module(module)


def links(page):
    """Return the links of a page that lead to files."""
    content = (ROOT / page).read_text(encoding="utf-8")
    return [link for link in re.findall(r"\]\(([^)]+)\)", content) if "://" not in link]


@pytest.mark.parametrize("page", [*PAGES, "CHANGES.md", "checkpoints/README.md", "data/README.md"])
def test_links_lead_to_files_and_headings(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


# | 250,000 | 20 x 64 | 224 | 0.005 | 0.65 | 0.7 | 30 |
ROW_OF_AUTO = re.compile(
    r"^\| ([\d,]+) \| (\d+) x (\d+) \| (\d+) \| (0[\d.]+) \| (0[\d.]+) \| (0[\d.]+) \| (\d+) \|$",
    re.MULTILINE,
)
COLUMNS_OF_AUTO = (
    "batch_size",
    "num_steps",
    "lstm_size",
    "learning_rate",
    "keep_prob",
    "recurrent_keep_prob",
    "epochs",
)
ROWS_OF_AUTO = ROW_OF_AUTO.findall(PAGES["docs/settings.md"])


@pytest.mark.parametrize("row", ROWS_OF_AUTO, ids=[row[0] for row in ROWS_OF_AUTO])
def test_auto_is_that_of_the_page(row):
    length, *values = row
    hyper = Hyperparameters(**preset("auto", int(length.replace(",", ""))))
    assert [str(getattr(hyper, name)) for name in COLUMNS_OF_AUTO] == values
    assert hyper.num_layers == 2
    assert hyper.weight_decay == 0.1
    assert hyper.early_stop == 5
    assert hyper.schedule == "linear"
    assert hyper.average_decay == 0.99
    assert hyper.grad_clip == 0.2
    assert hyper.max_to_keep == 3


@pytest.mark.parametrize("length, fraction", [(12_000, 0.1), (2_000_000, 0.1), (6_000_000, 0.0333)])
def test_auto_holds_out_what_the_page_says(length, fraction):
    assert preset("auto", length)["val_fraction"] == fraction


def test_the_page_says_what_all_rows_of_auto_have():
    page = PAGES["docs/settings.md"].replace("\n", " ")
    assert len(ROWS_OF_AUTO) == 7
    assert "All have two layers, a weight decay of 0.1" in page
    assert "end after five evaluations without improvement" in page
    assert "keeps its last three checkpoints and its best" in PAGES["docs/tutorial.md"]


@pytest.mark.parametrize("name", ["quick", "best"])
def test_the_presets_are_those_of_the_page(name):
    """An entry of a list, which ends before the next entry or an empty line."""
    entry = re.search(
        rf"^- `{name}`: (.*?)^[-\n]", PAGES["docs/settings.md"], re.MULTILINE | re.DOTALL
    )
    match = re.search(
        r"(\d+) units, windows of (\d+) x (\d+), a learning rate of ([\d.]+), (?:at most )?(\d+)",
        entry.group(1).replace("\n  ", " "),
    )
    hyper = Hyperparameters(**preset(name, 1))
    names = ("lstm_size", "batch_size", "num_steps", "learning_rate", "epochs")
    assert match.groups() == tuple(str(getattr(hyper, name)) for name in names)


# | `the message, with … for what differs` | what to do |
MESSAGES = re.findall(r"^\| `(.*?)` \| ", PAGES["docs/problems.md"], re.MULTILINE)


@pytest.fixture(scope="module")
def sources():
    """The sources of the package, where what stands in several strings is one."""
    paths = (ROOT / "charrnn").rglob("*.py")
    return re.sub(r'"\s*\n\s*f?"', "", "".join(path.read_text(encoding="utf-8") for path in paths))


@pytest.mark.parametrize("message", MESSAGES)
def test_the_messages_are_those_of_the_package(message, sources):
    """But for what is given, and for values."""
    for part in re.split("…|'anna'|data/anna.txt|utf-8|40|nan", message):
        assert part.strip() in sources


def test_the_page_has_messages():
    """They are looked at above."""
    assert len(MESSAGES) > 8


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_answers_are_kept_when_the_notebook_is_pulled(tmp_path):
    """By what the page on teaching says, in a clone of a repository with nothing but the notebook."""

    def run(*words):
        subprocess.run([*map(str, words)], check=True, cwd=str(tmp_path), capture_output=True)

    git = ["git", "-c", "user.name=a", "-c", "user.email=a"]
    original = tmp_path / "origin" / "notebooks" / "Anna_KaRNNa.ipynb"
    original.parent.mkdir(parents=True)
    run(*git, "init", "-q", "origin")
    original.write_text("first")
    run(*git, "-C", "origin", "add", ".")
    run(*git, "-C", "origin", "commit", "-qm", "first")
    run(*git, "clone", "-q", "origin", "clone")
    original.write_text("second")
    run(*git, "-C", "origin", "commit", "-qam", "second")

    notebook = tmp_path / "clone" / "notebooks" / "Anna_KaRNNa.ipynb"
    notebook.write_text("answers")
    (block,) = (block for block in blocks("docs/teaching.md", "sh") if "git pull" in block)
    run("sh", "-e", "-c", f"cd clone\n{block}")
    assert notebook.read_text() == "second"
    assert notebook.with_name("mine.ipynb").read_text() == "answers"


def test_git_ignores_the_answers():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "notebooks/mine.ipynb" in ignored


@pytest.fixture
def small_texts(tmp_path, monkeypatch):
    """A folder where each text that the pages name is a small one, of 40 windows of 2 x 3."""
    text = (
        "The Anna. ROMEO: JULIET: To be, or not to be\n"
        + "all happy families are alike, and the rest is not\n" * 4
    )
    text = text[: 2 * 3 * 40]
    (tmp_path / "data").mkdir()
    for name in (
        "data/anna.txt",
        "data/tiny-shakespeare.txt",
        "my.txt",
        "shuffled.txt",
        "letters.txt",
    ):
        (tmp_path / name).write_text(text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    for name in ("anna", "tiny-shakespeare"):
        known = replace(corpus.KNOWN_TEXTS[name], sha256=sha256)
        monkeypatch.setitem(corpus.KNOWN_TEXTS, name, known)
    monkeypatch.chdir(tmp_path)


def quick(arguments):
    """Return arguments of a training that make it short. A run that is resumed has them."""
    if TENSORFLOW_1:
        arguments = [argument.replace("bfloat16", "float32") for argument in arguments]
    if "--resume" in arguments:
        return arguments
    return [*arguments, *QUICK, "--epochs", "1"]


RUN_PAGES = [page for page in PAGES if commands(page) or blocks(page, "python")]


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN_PAGES)
def test_commands_of_the_package_run_in_order(page, small_texts, monkeypatch):
    """Those of make as well, with the Python that runs the tests."""
    for command in commands(page):
        script, arguments = script_and_arguments(command)
        if not command.startswith(("charrnn-", "make ")) or not script or "--help" in arguments:
            continue
        # Directions need more text. Tests of them run the commands elsewhere.
        if "--steer" in arguments:
            place = arguments.index("--steer")
            arguments = arguments[:place] + arguments[place + 2 :]
        if script == "train":
            arguments = quick(arguments)
        # for --interactive and a TEXT of -
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"ROMEO:\n")))
        assert script_of(script).main(arguments) == 0, command


PROGRAMS = [(page, number) for page in PAGES for number, _ in enumerate(blocks(page, "python"))]


@pytest.mark.slow
@pytest.mark.parametrize("page, number", PROGRAMS)
def test_programs_of_the_pages_run(page, number, small_texts):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(blocks(page, "python")[number], {})
    assert out.getvalue().startswith("The ")
