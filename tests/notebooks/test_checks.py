"""The checks: verdicts on the solution, on stubs and on exceptions, and the hints."""

import doctest
import importlib
import itertools
import re
import sys
import time
import types

import numpy as np
import pytest
from answers import CLIPPED, EXERCISES, answer, check_of, checks, printed, solved_sources, verdict
from cells import FOLDER, NETWORK, WRITTEN, generate
from checks import hyperparameters, tensors, words
from checks import verdict as verdicts
from conftest import TENSORFLOW_1
from tensorflow.python.eager import context

import charrnn.model
from charrnn.pages import webpage
from charrnn.system.tensorflow import tf

# Pieces of the solution.
ROWS = "rows = arr[: batch_size * n_steps * n_windows].reshape((batch_size, -1))"
LSTM = "lstm_size, num_layers, n_rows, self.keep_prob"


@pytest.fixture
def forget(monkeypatch):
    """No exercise has been checked yet, and no hint printed."""
    monkeypatch.setattr(verdicts, "_right", {})
    monkeypatch.setattr(verdicts, "_reminded", set())
    monkeypatch.setattr(verdicts, "_given_away", set())
    monkeypatch.setattr(checks.progress, "exercises", {})


@pytest.fixture
def others_right(monkeypatch):
    """All exercises before the last two have been found right."""
    monkeypatch.setattr(verdicts, "_right", dict.fromkeys(NETWORK[:-2], True))


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_is_right(name):
    before = len(tf.get_default_graph().get_operations())
    assert verdict(name, answer(name)) == (True, name + ": right. ")
    assert len(tf.get_default_graph().get_operations()) == before


# What only the interface of version 1 has; the rest of the solution is the same in that of version 2.
OLD_NAMES = (
    r"\btf\.(placeholder|variable_scope|truncated_normal|nn\.rnn_cell|nn\.dynamic_rnn|train"
    r"|trainable_variables|reset_default_graph|set_random_seed)\b"
)


# Where the installed interface is that of version 2, its tf.Variable and tf.reduce_mean are others, and these use them.
OF_BOTH_VERSIONS = ("build_output", "build_loss")


def names_of_interface(name):
    """Return a case of an exercise with the interface that is installed."""
    is_slow = TENSORFLOW_1 or name not in OF_BOTH_VERSIONS
    return pytest.param(name, "installed", marks=pytest.mark.slow if is_slow else ())


@pytest.mark.parametrize(
    "name, interface",
    [
        pytest.param("build_lstm", "1", marks=pytest.mark.slow),
        pytest.param("build_optimizer", "1", marks=pytest.mark.slow),
        *map(names_of_interface, NETWORK[1:]),
    ],
)
def test_the_solution_is_right_with_names_of_compat_v1(name, interface, others_right):
    """All of them, or those that the interface that is installed lacks."""
    scope = {"np": np, "tf": tf if interface == "1" else sys.modules["tensorflow"]}
    pattern = r"\btf\." if interface == "1" else OLD_NAMES
    for source in solved_sources().values():
        with_names = re.sub(
            pattern, lambda match: match.group().replace("tf.", "tf.compat.v1."), source
        )
        exec(with_names, scope)
    assert verdict(name, scope[name]) == (True, name + ": right. ")


@pytest.mark.skipif(TENSORFLOW_1, reason="TensorFlow 1.15 has the interface of version 1")
# whose names are in both
@pytest.mark.parametrize("name", [name for name in NETWORK[1:-1] if name != "build_loss"])
def test_the_interface_of_version_2_lacks_names(name):
    _, said = verdict(name, answer(name, tf=sys.modules["tensorflow"]))
    assert "tf should be tensorflow.compat.v1: run the cell with the imports again" in said


def stub(name):
    """Define the function of an exercise as the exercise notebook has it, in a world without the others."""
    (cell,) = [cell for cell in generate.all_cells() if cell["id"] == name]
    source, _, _ = generate.blank(cell["text"]).partition("\n\n\nchecks.")
    scope = {"tf": tf, "np": np}
    exec(source, scope)
    return scope[name]


@pytest.mark.parametrize(
    "name, missing",
    [
        ("softmax_layer", "loss, gradient"),
        ("get_batches", "n_windows, rows"),
        ("lstm_step", "c, h"),
        ("lstm_gradient", "gradient, grad_old_c"),
        ("build_lstm", "cell, initial_state"),
        ("build_output", "predictions, logits"),
        ("build_loss", "loss"),
        ("build_optimizer", "optimizer"),
        (
            "CharRNN",
            "inputs, targets, keep_prob, initial_state, final_state, prediction, logits, loss, optimizer",
        ),
        ("run_epoch", "state, loss"),
        ("evaluate", "mean_loss"),
        ("pick_top_n", "p, i"),
        ("generate_ids", "preds, ids"),
        ("pick_at_temperature", "p, i"),
    ],
)
def test_an_unwritten_stub_is_still_none(name, missing, forget):
    assert verdict(name, stub(name)) == (False, f"{name}: not right yet. Still None: {missing}. ")


@pytest.mark.parametrize("name", EXERCISES)
def test_what_is_no_function_is_wrong(name):
    right, said = verdict(name, None)
    assert right is False
    assert said.startswith(name + ": not right yet. ")


# Exceptions -------------------------------------------------------------------------------------------


@pytest.fixture
def lines_of(capsys):
    """Return a function that checks an answer, and returns the lines that are printed."""

    def lines(name, given):
        check_of(name)(given)
        return capsys.readouterr().out.splitlines()

    return lines


def test_an_exception_comes_with_the_readers_line(lines_of):
    lines = lines_of("get_batches", answer("get_batches", ROWS, "rows = arr[0][1]"))
    raised = "it raised IndexError: invalid index to scalar variable, at line 15 of your code:"
    assert raised in " ".join(lines)
    assert lines[-1].startswith("    rows = arr[0][1]")


@pytest.mark.parametrize(
    "message", ["what is wrong\n[[0.07, 0.01]]", "in user code:\n\n    line\n    what is wrong\n"]
)
def test_an_exception_shows_the_line_of_its_message_that_counts(message, lines_of):
    def build_inputs(batch_size, num_steps):
        raise ValueError(message)

    lines = lines_of("build_inputs", build_inputs)
    assert "raised ValueError: what is wrong, at line" in " ".join(lines)
    assert lines[-2] == "    raise ValueError(message)"


def test_an_exception_in_another_exercise_shows_the_line_there(lines_of, others_right):
    network = answer("CharRNN")
    build_loss = answer("build_loss", "tf.one_hot(targets,", "tf.one_hot(target,")
    network.__init__.__globals__["build_loss"] = build_loss
    lines = lines_of("CharRNN", network)
    assert lines[-1] == "    one_hot = tf.one_hot(target, num_classes)  # [N, M, C]"


def test_an_exception_of_a_session_shows_the_line_that_made_the_operation(lines_of):
    def build_loss(logits, targets, num_classes):
        fed = tf.placeholder(tf.float32, name="forgotten")
        return tf.reduce_mean(logits) + fed

    lines = lines_of("build_loss", build_loss)
    raised = (
        "What it made cannot be used: InvalidArgumentError: You must feed a value for placeholder"
    )
    assert raised in " ".join(lines)
    assert lines[-1] == '    fed = tf.placeholder(tf.float32, name="forgotten")'


def test_a_loop_that_never_ends_is_stopped(monkeypatch):
    def get_batches(arr, batch_size, n_steps):
        while True:
            pass

    monkeypatch.setattr(verdicts, "TIME_LIMIT", 0.1)
    right, said = verdict("get_batches", get_batches)
    assert right is False
    assert "is there a loop that never ends" in said


def test_a_busy_computer_does_not_stop_an_answer(monkeypatch):
    # 21 seconds of 1,000 for this program
    clock = itertools.count(0, 1000)
    computing = itertools.count(0, 21)
    times = types.SimpleNamespace(
        monotonic=lambda: next(clock), process_time=lambda: next(computing), time=time.time
    )
    monkeypatch.setattr(verdicts, "time", times)
    monkeypatch.setattr(verdicts, "TIME_LIMIT", 500)
    given = answer("get_batches", "yield x, y", "time.sleep(0.01); yield x, y", time=time)
    right, said = verdict("get_batches", given)
    assert right, said


def test_an_answer_that_stands_in_line_is_not_stopped(monkeypatch):
    """On Linux, the time in which other programs ran in its place is known."""
    monkeypatch.setattr(verdicts, "TIME_LIMIT", 0.5)
    monkeypatch.setattr(verdicts, "_seconds_in_line", lambda _: time.monotonic())
    assert verdicts.in_own_thread(lambda: time.sleep(1) or "done") == "done"


def test_an_answer_that_waits_is_stopped(monkeypatch):
    monkeypatch.setattr(verdicts, "TIME_LIMIT", 0.5)
    given = answer("get_batches", "yield x, y", "time.sleep(60)", time=time)
    right, said = verdict("get_batches", given)
    assert right is False
    assert "did not finish within 0.5 seconds" in said
    assert "such as time.sleep" in said


@pytest.mark.parametrize("name", [*NETWORK[1:], "run_epoch", "generate_ids"])
def test_eager_execution_is_the_cause(name, monkeypatch):
    # as tf.enable_eager_execution does
    monkeypatch.setattr(context, "default_execution_mode", context.EAGER_MODE)
    right, said = verdict(name, answer(name))
    assert right is False
    assert said.startswith(name + ": not right yet. Eager execution is on")


def test_eager_execution_does_not_matter_to_get_batches(monkeypatch):
    monkeypatch.setattr(context, "default_execution_mode", context.EAGER_MODE)
    right, said = verdict("get_batches", answer("get_batches"))
    assert right, said
    _, said = verdict("get_batches", answer("get_batches", ROWS, "rows = len(3)"))
    assert "raised TypeError" in said


@pytest.mark.parametrize(
    "run", ["tf.Session().run(loss)", "with tf.Session():\n        loss.eval()"]
)
def test_a_session_inside_an_answer_is_refused(run):
    given = answer("build_loss", "return loss", f"{run}\n    return loss")
    right, said = verdict("build_loss", given)
    assert right is False
    assert "It runs a session" in said


# Causes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [3, 7])
def test_a_name_from_outside_is_named_whatever_value_it_has(value):
    given = answer(
        "get_batches",
        "range(0, n_windows * n_steps, n_steps)",
        "range(0, n_windows * num_steps, num_steps)",
        num_steps=value,
    )
    _, said = verdict("get_batches", given)
    assert "uses num_steps" in said


def test_the_number_keep_prob_in_place_of_the_placeholder(others_right):
    given = answer("CharRNN", LSTM, "lstm_size, num_layers, n_rows, keep_prob", keep_prob=0.5)
    _, said = verdict("CharRNN", given)
    assert "where the placeholder belongs: self.keep_prob" in said
    assert "keep_prob = 0.5, but" in said


def test_the_network_begins_with_the_exercise_that_is_wrong(others_right):
    given = answer("build_optimizer", CLIPPED, "gradients = tf.gradients(loss, variables)")
    network = answer("CharRNN")
    network.__init__.__globals__["build_optimizer"] = given
    right, said = verdict("CharRNN", network)
    assert right is False
    assert (
        "It uses build_optimizer, which is not right yet: begin there. The gradients are not clipped"
        in said
    )


def test_the_functions_of_the_reader_are_as_before_after_the_check(others_right):
    network = answer("CharRNN", LSTM, "lstm_size, num_layers, n_rows")
    before = dict(network.__init__.__globals__)
    _, said = verdict("CharRNN", network)
    assert "missing 1 required positional argument" in said
    assert network.__init__.__globals__ == before


def test_ready_waits_for_the_checks(monkeypatch, capsys):
    monkeypatch.setattr(verdicts, "_right", {name: name != "build_loss" for name in EXERCISES})
    monkeypatch.setattr(verdicts, "_reminded", set())
    assert checks.ready("build_output")
    assert not checks.ready("run_epoch")
    assert " ".join(capsys.readouterr().out.split()) == (
        "This cell needs exercises that no check has found right since the kernel was started: build_loss. Solve them "
        "or, after a restart, choose Run All Above."
    )


def test_cells_wait_for_a_training_run(monkeypatch, capsys):
    monkeypatch.setattr(verdicts, "_right", dict.fromkeys(EXERCISES, True))
    assert not checks.ready("generate_ids", [])
    said = capsys.readouterr().out
    assert said.startswith("This cell waits for a training run with at least one checkpoint")
    assert checks.ready("generate_ids", ["i200.ckpt"])
    assert capsys.readouterr().out == ""


def test_only_what_a_cell_uses_is_waited_for(monkeypatch):
    right = {name: name not in verdicts.ASIDE for name in EXERCISES}
    monkeypatch.setattr(verdicts, "_right", right)
    assert checks.ready("generate_ids")
    assert not checks.ready("lstm_gradient")


def test_what_cells_wait_for_is_said_once(monkeypatch, capsys):
    monkeypatch.setattr(verdicts, "_right", {"get_batches": True})
    monkeypatch.setattr(verdicts, "_reminded", set())
    for _ in range(2):
        assert not checks.ready("build_inputs")
    assert not checks.ready("build_lstm")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("This cell")]
    assert [line[:15] for line in said] == ["This cell needs", "This cell waits", "This cell needs"]


# Hints ------------------------------------------------------------------------------------------------


@pytest.fixture
def hint(capsys):
    """Return a function that returns the next hint, as it is printed."""

    def next_hint(exercise):
        checks.hint(exercise)
        return " ".join(capsys.readouterr().out.split())

    return next_hint


@pytest.mark.parametrize("name", ["first_line", *WRITTEN, "repairs", "hyperparameters", "quiz"])
def test_hints_come_in_layers(name, forget, hint):
    for number in (1, 2, 3):
        assert hint(name).startswith(f"{name}, hint {number} of 3: ")
    assert "There is no further hint" in hint(name)


def test_a_hint_for_the_function_itself(forget, hint):
    assert hint(answer("build_loss")).startswith("build_loss, hint 1 of 3: ")


def test_a_hint_for_what_is_no_exercise_names_them(hint):
    assert "There are hints for first_line, softmax_layer, get_batches" in hint("nothing")


# Printing, borrowed solutions, skipping, progress -------------------------------------------------------


def test_of_what_an_answer_prints_the_first_lines_are_shown(lines_of):
    given = answer("pick_top_n", "p /= p.sum()", "p /= p.sum(); print('drawn')")
    *first, rest, said = lines_of("pick_top_n", given)
    assert first == 10 * ["drawn"]
    assert re.match(r"\(and \d\d,\d\d\d more lines that your code printed\)$", rest)
    assert said == "pick_top_n: right."


def calling(text_of_call):
    scope = {"checks": checks, "tf": tf}
    exec(f"def build_loss(*args):\n    {text_of_call}\n", scope)
    return scope["build_loss"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: charrnn.model.build_loss,
        lambda: checks.run_epoch._solution,
        lambda: type("CharRNN", (charrnn.model.CharRNN,), {}),
        lambda: calling(
            "from charrnn.model import build_loss; return build_loss(*args[:2], None, args[2])"
        ),
        lambda: calling("return checks.lstm_step.solution(*args)"),
    ],
)
def test_a_ready_solution_is_not_an_answer(make):
    right, said = verdict("build_loss", make())
    assert right is False
    assert "This is a ready solution, of the package or of the checks, and it is right" in said


def test_a_skipped_exercise_is_ready_but_not_right(forget, capsys):
    given = checks.skip("lstm_step")
    said = capsys.readouterr().out
    assert "def lstm_step(x, c, h, kernel, bias):" in said
    assert 'above its check: lstm_step = checks.skip("lstm_step")' in said
    said = "lstm_step: skipped. The given solution is used. "
    assert verdict("lstm_step", given) == (False, said)
    assert checks.ready("lstm_step")
    assert checks.progress.of("lstm_step")["skipped"]


def test_an_exercise_that_cannot_be_skipped(forget, capsys):
    assert checks.skip("get_batches") is None
    said = capsys.readouterr().out
    assert said.startswith("get_batches cannot be skipped: write it. These can")


def test_what_skipping_cannot_give_is_said():
    right, said = verdict("get_batches", None)
    assert right is False
    assert "get_batches is None. checks.skip gives None for an exercise that cannot be" in said
    assert "hint" not in said  # a course can have none


def test_a_cell_that_waits_names_a_skipped_exercise_without_its_check(forget, capsys):
    given = checks.skip("lstm_step")
    capsys.readouterr()
    assert not checks.ready("lstm_step")
    said = " ".join(capsys.readouterr().out.split())
    assert said.endswith(
        "lstm_step was skipped, but its check is missing: write checks.check_lstm_step(lstm_step) below it."
    )
    verdict("lstm_step", given)
    assert checks.ready("lstm_step")


@pytest.mark.parametrize("name", list(checks.SOLUTIONS))
def test_a_given_solution_is_right(name):
    given = checks.SOLUTIONS[name]
    scope = {"np": np, "__builtins__": __builtins__}
    free = types.FunctionType(given.__code__, scope, name, given.__defaults__)
    assert verdict(name, free) == (True, name + ": right. ")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder beside whose files progress is kept, and is as before after the test."""
    monkeypatch.setattr(checks.progress, "__dict__", dict(checks.progress.__dict__))
    return tmp_path


def test_progress_outlives_a_restart(folder, hint):
    checks.keep(folder / "progress.json")
    verdict("build_loss", None)
    hint("build_loss")
    checks.progress.exercises = {}
    checks.keep(folder / "progress.json")
    assert checks.progress.of("build_loss")["attempts"] == 1
    _, second, _ = checks.HINTS["build_loss"]
    assert hint("build_loss").endswith(" ".join(second.split())[-30:])


def test_notebooks_in_one_folder_do_not_share_their_progress(folder, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "lessons/mine.ipynb")
    checks.keep(folder / "progress.json")
    checks.progress.note("build_loss", attempts=3)
    monkeypatch.setenv("JPY_SESSION_NAME", "lessons/other.ipynb")
    checks.keep(folder / "progress.json")
    assert checks.progress.of("build_loss")["attempts"] == 0
    assert (folder / "mine.progress.json").is_file()


def test_progress_of_an_earlier_version_is_kept(folder, monkeypatch):
    """Its file did not have the name of the notebook."""
    checks.keep(folder / "progress.json")
    checks.progress.note("build_loss", attempts=3)
    monkeypatch.setenv("JPY_SESSION_NAME", "lessons/mine.ipynb")
    checks.keep(folder / "progress.json")
    assert checks.progress.of("build_loss")["attempts"] == 3


def test_damaged_progress_begins_anew(folder):
    (folder / "progress.json").write_text("no JSON")
    checks.keep(folder / "progress.json")
    assert checks.progress.exercises == {}


@pytest.fixture
def strict_course(folder):
    """A course without hints, in which nothing can be skipped."""
    (folder / "course.json").write_text('{"hints": 0, "skip": false}')
    checks.keep(folder / "progress.json")


def test_a_course_switches_hints_off(strict_course, hint):
    assert hint("build_loss") == "There are no hints in this course."
    _, said = verdict("pick_top_n", lambda preds, n, top=5: int(np.argmin(preds)))
    assert "checks.hint" not in said


def test_a_course_switches_skipping_off(strict_course, capsys):
    assert checks.skip("lstm_step") is None
    assert capsys.readouterr().out == "No exercise can be skipped in this course.\n"


def test_settings_of_a_course_that_are_no_json_are_refused(folder):
    (folder / "course.json").write_text("hints: 0")
    with pytest.raises(ValueError, match=r"course.json should be a JSON object"):
        checks.keep(folder / "progress.json")


RIGHT_LETTERS = {
    "q1": "b",
    "q2": "c",
    "q3": "a",
    "q4": "b",
    "q5": "a",
    "q6": "c",
    "q7": "a",
    "q8": "b",
}


@pytest.mark.parametrize(
    "change, expected",
    [
        ({}, "quiz: right. q1: b is right. Yes: so the state"),
        ({"q2": "a"}, "not right yet. 7 of 8."),
        ({"q2": "a"}, "q2: a is not right. That is the number of characters"),
        ({"q3": None}, "Still None: q3."),
        ({"q8": "d"}, "q8 should be one of the letters a, b, c, in quotes, not 'd'"),
        ({"q1": "[B]", "q2": " C)"}, "quiz: right."),
    ],
)
def test_the_quiz_says_why(change, expected):
    right, said = printed(checks.check_quiz, **{**RIGHT_LETTERS, **change})
    assert expected in said
    assert right == said.startswith("quiz: right.")


# Words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [words, tensors, hyperparameters])
def test_the_examples_hold(module):
    assert doctest.testmod(module).failed == 0


def test_long_verdicts_break_between_words_and_code_does_not():
    code = "    " + 40 * "code "
    *sentence, last = words.wrap(60 * "word " + "\n" + code).split("\n")
    assert max(map(len, sentence)) <= words.WIDTH
    assert set(" ".join(sentence).split()) == {"word"}
    assert last == code


@pytest.mark.parametrize("name", ["hints.md", "mistakes.md", "advice.md", "quiz.md"])
def test_no_heading_is_there_twice(name):
    text = (FOLDER / "checks" / name).read_text(encoding="utf-8")
    assert len(words.sections(name)) == text.count("\n## ") > 0


# Hyperparameters --------------------------------------------------------------------------------------

GOOD = dict(
    batch_size=50,
    num_steps=50,
    lstm_size=256,
    num_layers=2,
    learning_rate=0.003,
    keep_prob=0.8,
    epochs=3,
)


@pytest.mark.parametrize(
    "change, expected",
    [
        (
            {},
            "right. 894,803 parameters for 1,786,700 characters; 2,142 steps in all, about 6 minutes on two",
        ),
        (dict(lstm_size=512, learning_rate=0.001, keep_prob=0.5, epochs=20), "right."),
        (dict(learning_rate=0.01), "high for Adam"),
        (dict(learning_rate=1e-5), "is low"),
        (dict(learning_rate=0.1), "or hardly fall"),
        (dict(learning_rate=1), "far below 1, such as 0.001, not 1."),
        (dict(learning_rate=float("nan")), "not nan."),
        (dict(epochs=10**6), "714,000,000 steps, which take days"),
        (dict(num_steps=1), "only 1 character: try"),
        (dict(batch_size=1786700 // 50, epochs=1), "Only 1 step in all"),
        (dict(lstm_size=-2), "at least 1, not -2"),
        (dict(epochs=2.5), "a whole number of at least 1, not 2.5"),
        (dict(batch_size=(50,)), "is there a comma"),
        (dict(learning_rate=0), "should be above 0"),
        (dict(keep_prob=1.5), "a probability"),
        (dict(keep_prob=0.2), "drops most of the units"),
        (dict(lstm_size=64), "will underfit"),
        (dict(lstm_size=2048), "by heart"),
        (dict(num_layers=5), "two or three"),
        (dict(batch_size=5000, num_steps=1000), "fewer than N·M = 5,000,000"),
        (dict(batch_size=2000), "too few to learn words"),
        (dict(lstm_size=128.0), "a whole number"),
        (dict(epochs=np.int32(3)), "right."),
        (dict(batch_size=1), "the run slow"),
        (dict(num_steps=2000), "gradients fade long before"),
        (dict(epochs=500), "learns the text by heart. As it is, the run would take about 16 hours"),
        (
            dict(lstm_size=512, batch_size=100, num_steps=100, keep_prob=1, epochs=20),
            "the held-out loss will fall for",
        ),
        (
            dict(lstm_size=512, batch_size=100, num_steps=100, keep_prob=0.5, epochs=20),
            "about 2 hours",
        ),
        (dict(keep_prob=0.5), "more so with less dropout"),
        (dict(keep_prob="0.8"), "keep_prob should be a number"),
        (dict(learning_rate=(0.003,)), "is there a comma"),
    ],
)
def test_advice_on_the_hyperparameters(change, expected):
    right, said = printed(checks.check_hyperparameters, 1786700, 83, **{**GOOD, **change})
    assert expected in said
    assert right == said.startswith("hyperparameters: right.")


def test_a_notebook_that_was_begun_with_version_3_2_finds_export_page():
    """By its former name, after the checks, as its first cells do."""
    former = importlib.import_module("charrnn.inspection.webpage")
    assert former.export_page is webpage.export_page
