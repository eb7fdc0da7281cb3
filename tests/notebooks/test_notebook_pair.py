"""The notebooks: generated from one source, valid, and the solution and the port with their outputs."""

import base64
import doctest
import json
import os
import re
import shutil
import subprocess
import symtable
import sys

import numpy as np
import pytest
from cells import EXERCISE_CELLS, FOLDER, NETWORK, WRITTEN, generate

from charrnn.text import corpus

TASKS = ("task-own-text", "task-language", "task-temperature", "task-unit")
INVITING = (*EXERCISE_CELLS, *TASKS, "first-line", "look")
# what notebooks that were begun with versions 3.1 and 3.2 ask and show, and these do not
EARLIER_QUESTIONS = ("gates", "clipping")
EARLIER_EXPERIMENTS = ("gates", "sizes", "clipping")
# what the course of four hours has to write
KEPT = ("softmax_layer", "get_batches", "build_lstm", "build_loss", "run_epoch", "pick_top_n")
TEACHING = FOLDER.parent / "docs" / "teaching.md"
NOTEBOOKS = ("Anna_KaRNNa.ipynb", "Anna_KaRNNa_Solution.ipynb", "Anna_KaRNNa_Port.ipynb")


@pytest.fixture(scope="module")
def nbformat():
    """The package, whose import takes a second, for the tests that need it."""
    return pytest.importorskip(
        "nbformat", reason="nbformat is not installed: pip install -e '.[test]'"
    )


def read(nbformat, name):
    return nbformat.read(str(FOLDER / name), as_version=4)


@pytest.fixture(scope="module")
def solution(nbformat):
    return read(nbformat, "Anna_KaRNNa_Solution.ipynb")


@pytest.fixture(scope="module")
def port(nbformat):
    return read(nbformat, "Anna_KaRNNa_Port.ipynb")


@pytest.fixture(scope="module")
def exercise(nbformat):
    return read(nbformat, "Anna_KaRNNa.ipynb")


@pytest.fixture(scope="module")
def printed(solution):
    """What each cell of the solution has printed."""
    code = [cell for cell in solution.cells if cell.cell_type == "code"]
    return {cell.id: "".join(output.get("text", "") for output in cell.outputs) for cell in code}


@pytest.fixture(scope="module")
def stored():
    """The stored figures of the experiments."""
    return json.loads((FOLDER / "assets" / "measured.json").read_text(encoding="utf-8"))


def test_the_generated_files_are_as_generated(capsys):
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_a_file_that_differs_is_named_and_written_again(tmp_path, monkeypatch, capsys):
    different = tmp_path / "Anna_KaRNNa.ipynb"
    different.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(generate, "EXERCISE", different)
    assert generate.main(["--check"]) == 1
    assert "Anna_KaRNNa.ipynb is not as generated" in capsys.readouterr().err
    assert different.read_text(encoding="utf-8") == "{}"
    assert generate.main([]) == 0
    assert different.read_bytes() == (FOLDER / "Anna_KaRNNa.ipynb").read_bytes()
    assert os.listdir(str(tmp_path)) == [different.name]


def test_the_examples_of_the_generator_hold():
    assert doctest.testmod(generate) == (0, 4)


@pytest.fixture
def files_of_a_fork(monkeypatch):
    """The generated files, by name, of a project that has an address."""
    monkeypatch.setattr(generate, "REPOSITORY", "https://github.com/someone/a-fork")
    return {path.name: text for path, text in generate.files().items()}


def test_the_project_has_no_address_yet():
    for text in generate.files().values():
        assert "Open in Colab" not in text


@pytest.mark.parametrize(
    "name, opened",
    [*zip(NOTEBOOKS, NOTEBOOKS), ("README.md", "Anna_KaRNNa.ipynb")],
)
def test_a_fork_opens_in_colab(files_of_a_fork, name, opened):
    colab = "https://colab.research.google.com/github/someone/a-fork/blob/main/notebooks"
    assert f"({colab}/{opened})" in files_of_a_fork[name]
    assert "OWNER" not in files_of_a_fork[name]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_of_a_fork_fetches_it(files_of_a_fork, name):
    assert 'repository = \\"https://github.com/someone/a-fork\\"' in files_of_a_fork[name]


def test_the_readme_of_a_fork_says_how_to_fetch_it(files_of_a_fork):
    line = ") `git clone https://github.com/someone/a-fork` <!-- address -->\n"
    assert line in files_of_a_fork["README.md"]
    assert "repository = " not in files_of_a_fork["README.md"]


def test_the_citation_of_a_fork_says_where_it_is(files_of_a_fork):
    line = '\nrepository-code: "https://github.com/someone/a-fork"  # address\n'
    assert line in files_of_a_fork["CITATION.cff"]


def code_cell(name, text):
    """A code cell, as it is read from the source."""
    return {"id": name, "kind": "code", "tags": [], "text": text}


def test_outputs_are_kept_where_a_cell_did_not_change():
    before = {
        "a": {"source": ["x = 1"], "outputs": ["kept"], "execution_count": 3},
        "b": {"source": ["x = 2"], "outputs": ["dropped"], "execution_count": 4},
    }
    cells = [code_cell("a", "x = 1"), code_cell("b", "x = 1")]
    unchanged, changed = generate.notebook(cells, str, before)["cells"]
    assert (unchanged["outputs"], unchanged["execution_count"]) == (["kept"], 3)
    assert (changed["outputs"], changed["execution_count"]) == ([], None)


def test_an_answer_that_was_changed_is_stored_without_a_run():
    text = 'given.unfold("bigram", prediction)'
    outputs = [{"data": {"text/plain": ["Answer: old."]}}]
    before = {"a": {"source": [text], "outputs": outputs, "execution_count": 3}}
    (cell,) = generate.notebook([code_cell("a", text)], str, before)["cells"]
    (output,) = cell["outputs"]
    first, *_ = output["data"]["text/plain"]
    assert first.startswith("Answer: Frequencies come to about 3.1")


@pytest.mark.parametrize(
    "text, shown",
    [
        ("checks.check_f(f)", "checks.check_f(f);"),
        ("checks.check_f(f);", "checks.check_f(f);"),
        ("x = 1\n\nchecks.check_f(\n    x=x,\n)", "x = 1\n\nchecks.check_f(\n    x=x,\n);"),
        ("checks.check_f(f)\nx = 1", "checks.check_f(f)\nx = 1"),
    ],
)
def test_what_a_check_returns_at_the_end_of_a_cell_is_not_shown(text, shown):
    (cell,) = generate.read_cells(f"```python a\n{text}\n```\n")
    assert cell["text"] == shown


def test_same_cells_in_the_same_order(solution, exercise):
    assert [cell.id for cell in solution.cells] == [cell.id for cell in exercise.cells]
    for ours, theirs in zip(solution.cells, exercise.cells):
        assert ours.cell_type == theirs.cell_type
        same = ours.source == theirs.source.replace(
            generate.badge("Anna_KaRNNa.ipynb"), generate.badge("Anna_KaRNNa_Solution.ipynb")
        )
        is_for_both = ours.id not in INVITING and "prediction = " not in ours.source
        assert same == is_for_both, ours.id


def test_the_exercise_has_no_outputs(exercise):
    for cell in exercise.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def test_the_exercise_invites_where_something_is_to_be_written(exercise):
    inviting = [cell.id for cell in exercise.cells if "# Your code here" in cell.source]
    assert sorted(inviting) == sorted(INVITING)


def test_the_marks_of_the_source_are_not_shown(solution, exercise):
    for cell in [*solution.cells, *exercise.cells]:
        assert "# ---" not in cell.source, cell.id


@pytest.fixture(scope="module")
def plan_of_a_course():
    """The rows of the table in docs/teaching.md: what, of what, minutes, minutes of a short course."""
    _, page = TEACHING.read_text(encoding="utf-8").split("## Plan a course")
    page, *_ = page.split("Before each run")
    rows = []
    for line in re.findall(r"(?m)^\| .*\d.*$", page):
        rows.append([cell.strip() for cell in line.split("|")[1:-1]])
    return rows


@pytest.fixture(scope="module")
def how_to_work(exercise):
    """The text of the cell that says how long the lesson takes."""
    (cell,) = [cell for cell in exercise.cells if cell.id == "how-to-work"]
    return cell.source


def test_the_short_course_takes_four_hours(plan_of_a_course, how_to_work):
    in_notebook = [int(minutes) for minutes in re.findall(r"\| (\d+) \|", how_to_work)]
    on_page = 0
    for row in plan_of_a_course:
        minutes = re.match(r"\d*", row[3]).group()
        on_page += int(minutes or 0)
    assert sum(in_notebook) == 240
    assert on_page == 240


def minutes_of_exercises(exercise):
    """Return the minutes that the text before each exercise names."""
    minutes = {}
    for before, cell in zip(exercise.cells, exercise.cells[1:]):
        if cell.id in WRITTEN:
            time = re.search(r"\*About (\d+) minutes", before.source)
            minutes[cell.id] = int(time.group(1))
    return minutes


def test_the_short_course_has_the_minutes_that_the_exercises_name(how_to_work, exercise):
    minutes = minutes_of_exercises(exercise)
    in_plan = {}
    for name, number in re.findall(r"`(\w+)` \((\d+)\)", how_to_work):
        in_plan[name] = int(number)
    to_write = sorted(in_plan)
    assert to_write == sorted(KEPT)
    assert in_plan == {name: minutes[name] for name in KEPT}


def test_the_whole_course_takes_ten_and_a_half_hours(plan_of_a_course, how_to_work):
    assert 10.25 < sum(int(row[2]) for row in plan_of_a_course) / 60 < 10.75
    assert "about ten and a half hours" in how_to_work


def test_the_times_of_the_exercises_are_those_of_the_page(plan_of_a_course, exercise):
    minutes = minutes_of_exercises(exercise)
    assert sorted(minutes) == sorted(WRITTEN)
    for row in plan_of_a_course:
        named = re.findall(r"`(\w+)`", row[0])
        if set(named) & set(minutes):
            assert sum(minutes[name] for name in named) == int(row[2]), row[0]


@pytest.fixture(scope="module")
def reach(printed):
    """How long the gradient is after 10 and 30 steps, by network and way."""
    lengths = {}
    for line in printed["reach"].splitlines():
        numbers = re.findall(r"(\S+) after \d+", line)
        lengths[" ".join(line[:30].split())] = [float(number) for number in numbers]
    return lengths


def test_along_c_the_gradient_is_multiplied_by_the_gate_alone(reach):
    gate = 1 / (1 + np.exp(-1))
    assert reach["LSTM, new along c"] == pytest.approx([gate**9, gate**29], rel=0.2)


def test_the_gradient_reaches_farther_than_along_c(reach):
    _, in_all = reach["LSTM, new in all"]
    _, along_c = reach["LSTM, new along c"]
    assert in_all > 50 * along_c


def test_the_gates_of_the_trained_network_let_the_gradient_through(reach):
    _, along_c = reach["LSTM, trained along c"]
    assert along_c > 0.5


@pytest.mark.parametrize("name", EARLIER_EXPERIMENTS)
def test_the_figures_for_a_notebook_that_was_begun_earlier_are_still_there(stored, name):
    assert stored[name]


def test_memory_decides_which_bracket_closes(stored):
    right = np.array(stored["memory"]["right"])  # [seeds, networks, distances]
    assert right.shape == (10, 3, 4)
    assert (right[:, 0].min(axis=1) > 0.9).sum() >= 9  # of ten
    assert right[:, 1:].max() < 0.5


def test_a_plain_cell_loses_the_bracket(stored):
    near, _, _, far = np.mean(stored["memory"]["plain"], axis=0)
    assert near > 0.99
    assert far < 0.8


def test_the_norm_of_the_larger_matrix_explodes_with_each_seed(stored):
    ends = {name: np.array(values)[:, -1] for name, values in stored["clipping"].items()}
    assert (ends["norm, larger"] > 100 * ends["norm, as it begins"]).all()


def test_the_gates_of_the_unit_that_remembers_are_those_of_a_memory(stored):
    gates = np.array(stored["memory"]["gates"])[:, 5:-1]  # [kinds, T, 3], between the brackets
    input_gate, forget_gate, memory = gates.mean(axis=1).T  # each [kinds]
    assert (forget_gate > 0.95).all()
    assert (input_gate < 0.1).all()
    assert np.ptp(memory) > 1
    assert np.ptp(gates[..., 2], axis=1).max() < 0.1  # how far it moves


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_valid_and_without_paths_of_a_machine(nbformat, name):
    notebook = read(nbformat, name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec == {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    assert not re.search(r"/(home|root|tmp|work|Users)/", json.dumps(notebook))


def test_the_solution_has_the_outputs_of_one_run(solution):
    counts = [cell.execution_count for cell in solution.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("name", ["build_inputs", *WRITTEN, "repairs"])
def test_the_solution_has_been_found_right(printed, name):
    assert printed[name] == name + ": right.\n"


def test_the_loss_beside_that_of_the_training_text_is_of_the_same_run(printed):
    of_run = re.search(r"this network +(\S+)", printed["train"])
    assert f"the held-out novel, 71 windows: {of_run.group(1)}" in printed["without-dropout"]


@pytest.mark.parametrize("name", ["numpy-lstm", "gradient-graph"])
def test_the_step_and_its_gradient_are_those_of_the_graph(printed, name):
    difference = re.search("largest difference: (.*)", printed[name])
    assert 0 <= float(difference.group(1)) < 1e-6


@pytest.mark.parametrize(
    "name",
    [
        "goal",
        "gates-at-work",
        "reach",
        "rates",
        "overfit-one-batch",
        "programs",
        "loss-curve",
        "fit",
        "coloured",
    ],
)
def test_a_picture_comes_with_words(solution, name):
    (cell,) = [cell for cell in solution.cells if cell.id == name]
    pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    assert pictures
    assert all(output.metadata["image/png"]["alt"] for output in pictures)


def test_the_solution_writes_and_shows_the_page(solution, printed):
    assert "Far" in printed["sample-last"]
    (cell,) = [cell for cell in solution.cells if cell.id == "web-page"]
    _, page, picture = cell.outputs
    assert "<iframe" in page["data"]["text/html"]
    assert "<img src=" in picture["data"]["text/html"]


def test_the_outputs_of_the_solution_are_short_and_without_errors(solution):
    for cell in solution.cells:
        kept = cell.get("outputs", [])
        assert len("".join(output.get("text", "") for output in kept)) < 2500, cell.id
        assert not [output for output in kept if output.get("name") == "stderr"], cell.id
        assert not [output for output in kept if output.output_type == "error"], cell.id


def test_the_pictures_are_those_that_the_text_shows(solution):
    source = "\n".join(cell.source for cell in solution.cells)
    shown = dict(re.findall(r"(?m)^\[([\w-]+)\]: data:image/png;base64,(.*)$", source))
    assert sorted(shown) == sorted(path.stem for path in (FOLDER / "assets").glob("*.svg"))
    for name, data in shown.items():
        assert f"][{name}]" in source
        assert "(assets/" not in source
        assert base64.b64decode(data) == (FOLDER / "assets" / f"{name}.png").read_bytes()


def test_each_question_has_an_answer(solution):
    source = "\n".join(cell.source for cell in solution.cells)
    asked = re.findall(r'given.unfold\("([\w-]+)", prediction\)', source)
    answers = (FOLDER / "assets" / "answers.md").read_text(encoding="utf-8")
    assert [*asked, *EARLIER_QUESTIONS] == re.findall(r"(?m)^## (.*)$", answers)
    assert set(asked) - {"parameters"} <= {cell.id for cell in solution.cells}


@pytest.fixture
def sizes():
    """Return a function that runs the cell of the sizes with a setting, and the names in it."""
    (cell,) = [cell for cell in generate.all_cells() if cell["id"] == "sizes"]
    scope = {
        "encoded": np.arange(400_000),
        "edge": 360_000,
        "novel_end": 395_000,
        "own": (50, 40, 256, 2, 0.003, 0.8, 3),
        "again": True,
    }

    def run(setting):
        scope["setting"] = setting
        exec(cell["text"], scope)
        return scope

    return run


@pytest.mark.parametrize(
    "setting, lstm_size, length",
    [("small", 64, 180_000), ("recipe", 512, 360_000), ("own", 256, 360_000)],
)
def test_a_setting_has_its_sizes(sizes, setting, lstm_size, length):
    scope = sizes(setting)
    assert scope["lstm_size"] == lstm_size
    assert len(scope["training_ids"]) == length


@pytest.mark.parametrize("setting", ["small", "recipe"])
def test_the_setting_can_be_changed_and_the_cell_run_again(sizes, setting):
    first = str(sizes("own"))
    sizes(setting)
    assert str(sizes("own")) == first


def test_the_names_of_the_run_are_not_those_of_an_exercise(sizes):
    assert not {"losses", "loss", "mean_loss", "state"} & set(sizes("own"))


def novel_of(text, edge):
    """Run the cell that finds the end of the novel; return where it is, and the ids of the held-out novel."""
    (cell,) = [cell for cell in generate.all_cells() if cell["id"] == "novel"]
    scope = {"text": text, "edge": edge, "bigrams_on": len}
    scope["encoded"] = np.arange(len(text))
    scope["held_out_ids"] = scope["encoded"][edge:]
    exec(cell["text"], scope)
    return scope["novel_end"], scope["novel_ids"]


@pytest.mark.parametrize(
    "ending",
    ["", "*** END OF THIS PROJECT GUTENBERG EBOOK ***\nA Word"],
    ids=["none", "licence"],
)
def test_the_novel_ends_before_a_licence(ending):
    _, ids = novel_of(90 * "a" + 10 * "b" + ending, edge=90)
    assert ids.tolist() == list(range(90, 100))


def test_the_lesson_and_the_plan_agree_on_where_anna_ends(anna):
    end, _ = novel_of(anna, len(anna) * 9 // 10)
    assert len(anna) - end == corpus.KNOWN_TEXTS["anna"].after_the_work


def test_the_chapter_that_names_the_unit_was_held_out(anna):
    passage = (FOLDER / "assets" / "passage.txt").read_text(encoding="utf-8")
    assert anna.index(passage) > len(anna) * 9 // 10


def test_the_mistake_of_adding_one_stays_among_the_ids():
    (cell,) = [cell for cell in generate.all_cells() if cell["id"] == "plus-one"]
    source, _, _ = cell["text"].partition("\n\n\nif checks.")
    x = np.array([[0, 2, 1]])
    scope = {"get_batches": lambda *_: [(x, x)], "vocab": "abc"}
    exec(source, scope)
    ((_, y),) = scope["plus_one"](x, 1, 3)
    assert y.tolist() == [[1, 0, 2]]


def test_the_links_inside_lead_to_headings(solution):
    text = "\n".join(cell.source for cell in solution.cells if cell.cell_type == "markdown")
    headings = {
        heading.replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= headings


def test_lines_of_code_and_of_outputs_are_short(solution, exercise, printed):
    for cell in [*solution.cells, *exercise.cells]:
        lines = cell.source.splitlines() if cell.cell_type == "code" else []
        for line in lines + printed.get(cell.id, "").splitlines():
            assert len(line) <= 88, line  # longer lines do not fit in the browser


@pytest.mark.thorough
def test_an_exercise_of_ones_own_takes_what_the_page_says(tmp_path):
    _, page = TEACHING.read_text(encoding="utf-8").split("### An exercise of your own")
    fences = re.findall(r"(?s)\n````?(?:python|py)?\n(.*?)\n```\n", page)
    cell, check, hint, lines = fences[:4]
    folder = tmp_path / "notebooks"
    shutil.copytree(str(FOLDER), str(folder), ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "README.md").write_text("<!-- address -->\n")
    (tmp_path / "CITATION.cff").write_text("# address\n")
    for name, text in [
        ("source/14-own.md", cell + "\n```\n"),
        ("checks/perplexity.py", check + "\n"),
        ("checks/hints.md", "\n" + hint + "\n"),
        ("checks/__init__.py", lines + "\n"),
    ]:
        with open(str(folder / name), "a", encoding="utf-8") as file:
            file.write(text)

    program = (
        "import sys; sys.path.insert(0, '.'); import generate, checks, numpy as np\n"
        "assert generate.main([]) == 0\n"
        "assert generate.main(['--check']) == 0\n"
        "checks.check_perplexity(np.exp); checks.check_perplexity(np.exp2); checks.hint('perplexity')"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        cwd=str(folder),
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ, PYTHONPATH=str(FOLDER.parent)),
    )
    assert process.stdout.endswith(
        "perplexity: right.\nperplexity: not right yet. The loss is in nats: the base is e, not 2.\n"
        "perplexity, hint 1 of 1: It is e to the power of the loss.\n"
    )


# The port ---------------------------------------------------------------------------------------------


def code_of(notebook):
    return {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}


def test_the_port_has_the_functions_of_the_solution_without_their_checks(port, solution):
    solved = code_of(solution)
    ported = code_of(port)
    for name in (
        *NETWORK,
        "load_text",
        "encode",
        "run_epoch",
        "pick_top_n",
        "generate_ids",
        "sample",
    ):
        function, _, _ = solved[name].partition("\n\n\nchecks.")
        assert ported[name] == function, name


def test_nothing_in_the_port_is_checked_asked_or_left_to_write(port):
    text = "\n".join(cell.source for cell in port.cells)
    for word in ("checks.", "Exercise", "Predict first", "# ---", "<!--", generate.INVITATION):
        assert word not in text, word


def test_the_port_can_be_read_in_half_an_hour(port):
    words = 0
    for cell in port.cells:
        if cell.cell_type == "markdown":
            words += len([word for word in cell.source.split() if len(word) < 200])
    lines = "\n".join(code_of(port).values()).split("\n")
    assert len(port.cells) <= 57
    assert words < 3500
    assert len(lines) < 500


def test_the_port_has_the_outputs_of_one_run(port):
    code = [cell for cell in port.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    printed = {cell.id: "".join(output.get("text", "") for output in cell.outputs) for cell in code}
    assert printed["sample-last"].startswith("Far")
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]


def test_the_port_ends_with_the_way_to_the_course(port):
    last = port.cells[-1].source
    assert "Anna_KaRNNa_Solution.ipynb" in last
    assert "Anna_KaRNNa.ipynb" in last


def test_the_links_inside_the_port_lead_to_headings(port):
    text = "\n".join(cell.source for cell in port.cells if cell.cell_type == "markdown")
    headings = {
        heading.replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= headings


# Cells that are run again -----------------------------------------------------------------------------

# What the cells of the settings set, and the run fills, is set in several cells on purpose.
SHARED = (
    "training_ids held_out_ids novel_ids n_windows batch_size num_steps lstm_size num_layers learning_rate keep_prob "
    "epochs training_losses held_out saved checkpoints prediction"
).split()


def names_in_cells(code):
    """Return for each cell the global names that it sets, and those that it reads and does not set."""
    found = {}
    for name, source in code.items():
        if source.startswith("%%") or "!git" in source:
            continue
        table = symtable.symtable(source, name, "exec")
        own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
        read = set()
        tables = [table]
        for one in tables:  # which grows meanwhile
            tables += one.get_children()
            is_inside = one is not table
            for symbol in one.get_symbols():
                if symbol.is_referenced() and (symbol.is_global() or not is_inside):
                    read.add(symbol.get_name())
        found[name] = (own, read - own)
    return found


@pytest.mark.parametrize("which", ["solution", "port"])
def test_no_cell_changes_what_a_later_one_reads_of_another(which, request):
    cells = names_in_cells(code_of(request.getfixturevalue(which)))
    setters = {}
    for cell, (own, _) in cells.items():
        for name in own:
            setters.setdefault(name, []).append(cell)
    for cell, (_, read) in cells.items():
        for name in read - set(SHARED):
            assert len(setters.get(name, [])) <= 1, (cell, name, setters[name])
