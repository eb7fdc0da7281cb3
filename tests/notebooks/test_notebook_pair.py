"""The pair of notebooks: generated from one source, valid, and the solution with its outputs."""

import base64
import doctest
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from answers import EXERCISES, FOLDER, WRITTEN, generate

TASKS = ("task-own-text", "task-language", "task-temperature", "task-unit", "task-larger")
EXERCISE_CELLS = (*WRITTEN, "repairs", "quiz")
INVITING = (*EXERCISE_CELLS, *TASKS, "first-line")


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
def exercise(nbformat):
    return read(nbformat, "Anna_KaRNNa.ipynb")


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
    assert doctest.testmod(generate) == (0, 3)


def test_the_address_of_the_project_is_set_in_one_place(monkeypatch):
    # there is none yet
    assert not [path.name for path, text in generate.files().items() if "Open in Colab" in text]
    monkeypatch.setattr(generate, "REPOSITORY", "https://github.com/someone/a-fork")
    made = {path.name: text for path, text in generate.files().items()}
    for name, opened in [
        ("Anna_KaRNNa.ipynb", "Anna_KaRNNa.ipynb"),
        ("README.md", "Anna_KaRNNa.ipynb"),
        ("Anna_KaRNNa_Solution.ipynb", "Anna_KaRNNa_Solution.ipynb"),
    ]:
        assert (
            f"(https://colab.research.google.com/github/someone/a-fork/blob/main/notebooks/{opened})"
            in made[name]
        )
        assert (
            'repository = \\"https://github.com/someone/a-fork\\"' in made[name]
        ) == name.endswith(".ipynb")
        assert "OWNER" not in made[name]
    assert ") `git clone https://github.com/someone/a-fork` <!-- address -->\n" in made["README.md"]


def test_outputs_are_kept_where_a_cell_did_not_change():
    cells = [{"id": name, "kind": "code", "tags": [], "text": "x = 1"} for name in "ab"]
    before = {
        "a": {"source": ["x = 1"], "outputs": ["kept"], "execution_count": 3},
        "b": {"source": ["x = 2"], "outputs": ["dropped"], "execution_count": 4},
    }
    made = generate.notebook(cells, str, before)["cells"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in made] == [
        (["kept"], 3),
        ([], None),
    ]


def test_an_answer_that_was_changed_is_stored_without_a_run():
    text = 'given.unfold("bigram", prediction)'
    before = {
        "a": {
            "source": [text],
            "outputs": [{"data": {"text/plain": ["Answer: old."]}}],
            "execution_count": 3,
        }
    }
    (made,) = generate.notebook(
        [{"id": "a", "kind": "code", "tags": [], "text": text}], str, before
    )["cells"]
    assert made["outputs"][0]["data"]["text/plain"][0].startswith(
        "Answer: Frequencies come to about 3.1"
    )


def test_same_cells_in_the_same_order(solution, exercise):
    assert [cell.id for cell in solution.cells] == [cell.id for cell in exercise.cells]
    for ours, theirs in zip(solution.cells, exercise.cells):
        assert ours.cell_type == theirs.cell_type
        same = ours.source == theirs.source.replace(
            generate.badge("Anna_KaRNNa.ipynb"), generate.badge("Anna_KaRNNa_Solution.ipynb")
        )
        assert same == (ours.id not in INVITING and "prediction = " not in ours.source), ours.id


def test_the_exercise_has_no_outputs_and_the_solution_no_marks(solution, exercise):
    for cell in exercise.cells:
        assert cell.cell_type == "markdown" or not cell.outputs and cell.execution_count is None
        assert ("# Your code here" in cell.source) == (cell.id in INVITING)
    for cell in [*solution.cells, *exercise.cells]:
        assert "# ---" not in cell.source, cell.id


def test_four_hours_and_the_times_of_the_exercises_are_those_of_the_page(exercise):
    page = (
        (FOLDER.parent / "docs" / "teaching.md")
        .read_text(encoding="utf-8")
        .split("## Plan a course")[1]
    )
    page = page.split("Before each run")[0]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in re.findall(r"(?m)^\| .*\d.*$", page)
    ]
    plan = next(cell.source for cell in exercise.cells if cell.id == "how-to-work")
    short = [int(minutes) for minutes in re.findall(r"\| (\d+) \|", plan)]
    assert sum(int(re.match(r"\d*", row[3]).group() or 0) for row in rows) == sum(short) == 240
    assert (
        10.25 < sum(int(row[2]) for row in rows) / 60 < 10.75
        and "about ten and a half hours" in plan
    )
    before = {after.id: cell.source for cell, after in zip(exercise.cells, exercise.cells[1:])}
    times = {
        name: int(re.search(r"\*About (\d+) minutes", before[name]).group(1)) for name in WRITTEN
    }
    for row in rows:
        named = re.findall(r"`(\w+)`", row[0])
        assert not set(named) & set(times) or sum(times[name] for name in named) == int(row[2]), (
            row[0]
        )


def printed(solution, name):
    return "".join(
        output.get("text", "")
        for cell in solution.cells
        if cell.id == name
        for output in cell.outputs
    )


def test_the_stored_figures_show_what_the_text_says(solution):
    """Along c the gradient is multiplied by the gate alone; memory decides; clipping helps with each seed."""
    reach = {
        line[:26].strip(): [float(number) for number in re.findall(r"(\S+) after \d+", line)]
        for line in printed(solution, "reach").splitlines()
    }
    for bias, name in [(1, "0.73"), (5, "0.99")]:
        gate = 1 / (1 + np.exp(-bias))
        assert reach[f"LSTM, gate {name}  along c"] == pytest.approx([gate**9, gate**29], rel=0.03)
    assert reach["LSTM, gate 0.73  in all"][1] > 50 * reach["LSTM, gate 0.73  along c"][1]
    stored = json.loads((FOLDER / "assets" / "measured.json").read_text(encoding="utf-8"))
    right = np.array(stored["memory"]["right"])  # [seeds, networks, distances]
    assert right.shape == (5, 3, 4) and right[:, 0].min() > 0.9 and right[:, 1:].max() < 0.5
    clipping = {name: np.array(values) for name, values in stored["clipping"].items()}
    assert (clipping["norm, larger"][:, -1] > 100 * clipping["norm, as it begins"][:, -1]).all()
    assert (clipping["larger, clipped"][:, -1] < clipping["larger, not clipped"][:, -1]).all()


def test_the_gates_of_the_unit_that_remembers_are_those_of_a_memory(solution):
    stored = json.loads((FOLDER / "assets" / "measured.json").read_text(encoding="utf-8"))
    # each [kinds, T]
    input_gate, forget_gate, memory = np.moveaxis(np.array(stored["memory"]["gates"]), 2, 0)
    assert (forget_gate[:, 5:-1].mean(axis=1) > 0.95).all() and (
        input_gate[:, 5:-1].mean(axis=1) < 0.1
    ).all()
    assert (np.ptp(memory[:, 5:-1].mean(axis=1)) > 1).all()


def test_notebooks_are_valid_and_without_paths_of_a_machine(nbformat, solution, exercise):
    for notebook in (solution, exercise):
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec == {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        assert not re.search(r"/(home|root|tmp|work|Users)/", json.dumps(notebook))


def test_the_solution_has_the_outputs_of_one_run(solution):
    code = [cell for cell in solution.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = {cell.id: cell.outputs for cell in code}
    for name in (*EXERCISES, "repairs"):
        assert [output.text for output in outputs[name]] == [name + ": right.\n"]
    for name in ("numpy-lstm", "gradient-graph"):  # the graph's step and gradient
        assert (
            0 <= float(re.search("largest difference: (.*)", outputs[name][0].text).group(1)) < 1e-6
        )
    for name in (
        "goal",
        "memory",
        "reach",
        "rates",
        "clipping",
        "overfit-one-batch",
        "programs",
        "loss-curve",
        "fit",
        "coloured",
    ):
        assert [
            output.metadata["image/png"]["alt"]
            for output in outputs[name]
            if "image/png" in output.get("data", {})
        ], name
    assert "Far" in outputs["sample-last"][0].text
    assert "<iframe" in outputs["web-page"][1]["data"]["text/html"]


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
        assert f"][{name}]" in source and "(assets/" not in source
        assert base64.b64decode(data) == (FOLDER / "assets" / f"{name}.png").read_bytes()


def test_each_question_has_an_answer(solution):
    asked = re.findall(
        r'given.unfold\("([\w-]+)", prediction\)', "\n".join(cell.source for cell in solution.cells)
    )
    answers = re.findall(
        r"(?m)^## (.*)$", (FOLDER / "assets" / "answers.md").read_text(encoding="utf-8")
    )
    assert asked == answers and set(asked) - {"parameters"} <= {cell.id for cell in solution.cells}


@pytest.mark.parametrize("setting", ["small", "recipe"])
def test_the_setting_can_be_changed_and_the_cell_run_again(setting):
    sizes = next(cell["text"] for cell in generate.all_cells() if cell["id"] == "sizes")
    own = (50, 40, 256, 2, 0.003, 0.8, 3)
    scope = {
        "encoded": np.arange(400_000),
        "edge": 360_000,
        "own": own,
        "setting": "own",
        "again": True,
    }
    exec(sizes, scope)
    first = dict(scope)
    for scope["setting"] in (setting, "own"):
        exec(sizes, scope)
        assert (scope["lstm_size"], len(scope["training_ids"])) == {
            "small": (64, 180_000),
            "recipe": (512, 360_000),
            "own": (256, 360_000),
        }[scope["setting"]]
    assert str(first) == str(scope)


def test_the_links_inside_lead_to_headings(solution):
    text = "\n".join(cell.source for cell in solution.cells if cell.cell_type == "markdown")
    headings = {
        heading.replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= headings


def test_lines_of_code_and_of_outputs_are_short(solution, exercise):
    for cell in [*solution.cells, *exercise.cells]:
        printed = "".join(output.get("text", "") for output in cell.get("outputs", []))
        for line in (
            cell.source if cell.cell_type == "code" else ""
        ).splitlines() + printed.splitlines():
            assert len(line) <= 88, line  # longer lines do not fit in the browser


def test_an_exercise_of_ones_own_takes_what_the_page_says(tmp_path):
    page = (
        (FOLDER.parent / "docs" / "teaching.md")
        .read_text(encoding="utf-8")
        .split("### An exercise of your own")[1]
    )
    cell, check, hint, lines = re.findall(r"(?s)\n````?(?:python|py)?\n(.*?)\n```\n", page)[:4]
    shutil.copytree(
        str(FOLDER), str(tmp_path / "notebooks"), ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "README.md").write_text("<!-- address -->\n")
    for name, text in [
        ("source/14-own.md", cell + "\n```\n"),
        ("checks/perplexity.py", check + "\n"),
        ("checks/hints.md", "\n" + hint + "\n"),
        ("checks/__init__.py", lines + "\n"),
    ]:
        with open(str(tmp_path / "notebooks" / name), "a", encoding="utf-8") as file:
            file.write(text)
    program = (
        "import sys; sys.path.insert(0, '.'); import generate, checks, numpy as np\n"
        "assert generate.main([]) == 0 and generate.main(['--check']) == 0\n"
        "checks.check_perplexity(np.exp); checks.check_perplexity(np.exp2); checks.hint('perplexity')"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=str(tmp_path / "notebooks"),
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ, PYTHONPATH=str(FOLDER.parent)),
    ).stdout
    assert said.endswith(
        "perplexity: right.\nperplexity: not right yet. The loss is in nats: the base is e, not 2.\n"
        "perplexity, hint 1 of 1: It is e to the power of the loss.\n"
    ), said
