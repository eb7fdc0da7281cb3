"""What students handed in: predictions, open tasks, files of progress, and what is said of a damaged file."""

import json

import pytest
from cells import generate
from handed_in import counts, minutes, other_files, read_notebook

UNFOLD = '\ngiven.unfold("toy-graph", prediction)'


def write(path, *cells, **by_id):
    """Write a notebook with cells, the last of which have ids."""
    path.parent.mkdir(exist_ok=True)
    sources = [{"cell_type": "code", "source": cell} for cell in cells]
    for name, cell in by_id.items():
        sources.append({"cell_type": "code", "source": cell, "id": name.replace("_", "-")})
    path.write_text(json.dumps({"cells": sources}))
    return path


def read(path):
    return read_notebook(path, path.parent)


@pytest.mark.parametrize(
    "written, expected",
    [
        ('"six"', {"toy-graph": "six"}),
        ('"six"  # your answer, in place of the dots', {"toy-graph": "six"}),
        ('(\n    "six, "\n    "then 12"\n)', {"toy-graph": "six, then 12"}),
        ("(6, 12)", {"toy-graph": "(6, 12)"}),
        ("4 * 3  # your answer, in place of the dots", {"toy-graph": "4 * 3"}),
        ("six", {"toy-graph": "six"}),
        ("...  # your answer, in place of the dots", {}),
    ],
)
def test_a_prediction_is_read_as_it_was_meant(written, expected, tmp_path):
    path = write(tmp_path / "ann.ipynb", "x = 1", f"prediction = {written}{UNFOLD}")
    assert read(path).predictions() == expected


def test_the_predictions_of_the_solution_are_all_there():
    questions = [
        cell["id"].replace("predict-", "")
        for cell in generate.all_cells()
        if cell["id"].startswith("predict-")
    ]
    assert list(read(generate.SOLUTION).predictions()) == questions


@pytest.mark.parametrize(
    "written, expected", [("pass", {}), ("print(1)", {"task-unit": "print(1)"})]
)
def test_an_open_task_that_somebody_began_is_read(written, expected, tmp_path):
    blank = f"{generate.INVITATION}\n{written}"
    path = write(tmp_path / "ann.ipynb", "x = 1", task_unit=blank)
    expected = {name: f"{generate.INVITATION}\n{text}" for name, text in expected.items()}
    assert read(path).tasks() == expected


@pytest.mark.parametrize(
    "content, said",
    [
        ('<<<<<<< HEAD\n{"cells": []}\n=======\n', "has marks of a conflict, such as <<<<<<<"),
        (
            '{"cells": [{"cell_ty',
            "is not a whole notebook (it ends early, or is another kind of file, at line 1)",
        ),
        ("", "it should be saved in Jupyter, and handed in again"),
        ("[]", "is not a whole notebook (it has no list of cells)"),
        ("{}", "is not a whole notebook (it has no list of cells)"),
    ],
)
def test_a_damaged_file_says_what_to_do(content, said, tmp_path):
    path = tmp_path / "ann.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError) as raised:
        read(path)
    assert said in str(raised.value)


def progress(hints):
    return json.dumps({"get_batches": {"hints": hints}})


def hints_of(path):
    return counts(read(path), "hints")


def test_a_notebook_alone_in_its_folder_has_the_progress_there(tmp_path):
    path = write(tmp_path / "Ann/mine.ipynb", "x = 1")
    write(path.with_name(generate.SOLUTION.name), "x = 1")
    path.with_name("progress.json").write_text(progress(2))
    assert hints_of(path) == {"get_batches": 2}


def test_notebooks_in_one_folder_do_not_share_the_progress_there(tmp_path):
    path = write(tmp_path / "ann.ipynb", "x = 1")
    write(tmp_path / "bob.ipynb", "x = 1")
    (tmp_path / "progress.json").write_text(progress(2))
    assert hints_of(path) == {}


def test_a_notebook_in_a_shared_folder_can_have_progress_of_its_own(tmp_path):
    path = write(tmp_path / "ann.ipynb", "x = 1")
    write(tmp_path / "bob.ipynb", "x = 1")
    (tmp_path / "ann.progress.json").write_text(progress(3))
    assert hints_of(path) == {"get_batches": 3}


def test_the_port_in_the_folder_is_no_students_notebook(tmp_path):
    path = write(tmp_path / "Ann/mine.ipynb", "x = 1")
    write(path.with_name(generate.PORT.name), "x = 1")
    path.with_name("progress.json").write_text(progress(2))
    assert hints_of(path) == {"get_batches": 2}


def test_an_exercise_took_the_minutes_from_its_first_to_its_last_attempt(tmp_path):
    path = write(tmp_path / "ann.ipynb", "x = 1")
    times = {"get_batches": {"first": 1_800_000_000, "last": 1_800_000_750}, "quiz": {"hints": 1}}
    path.with_name("progress.json").write_text(json.dumps(times))
    assert minutes(read(path)) == {"get_batches": 12}


def test_files_that_are_no_notebooks_are_named(tmp_path):
    write(tmp_path / "ann.ipynb", "x = 1")
    for name in (
        "bob.pdf",
        "ann.progress.json",
        "course.json",
        "grades.html",
        ".hidden",
        "list.csv",
    ):
        (tmp_path / name).write_text("")
    (tmp_path / "Cat").mkdir()
    (tmp_path / "Cat/answers.py").write_text("")
    assert other_files(tmp_path, tmp_path / "list.csv", None) == [
        "No notebooks, and so not graded: Cat/answers.py, bob.pdf."
    ]
