"""The pair of notebooks: held together, executed small, and the exercises' checks tried on wrong answers."""
import ast
import contextlib
import doctest
import importlib.util
import io
import json
import os
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
EXERCISES = ["get_batches", "build_inputs", "build_lstm", "build_output", "build_loss", "build_optimizer",
             "CharRNN"]
CHECKS = dict({name: "check_" + name for name in EXERCISES}, CharRNN="check_char_rnn")
BLOCK = re.compile(r"^ *# --- solution(?:, in place of: (?P<stub>.*))?\n(?P<body>(?s:.*?))"
                   r"^(?P<indent> *)# --- end of solution\n", re.MULTILINE)
SMALL = """
batch_size, num_steps, lstm_size, epochs, print_every_n, save_every_n, n_samples = 5, 7, 11, 2, 20, 30, 20
"""


def load(path):
    """Import a program of the notebooks folder by its path."""
    spec = importlib.util.spec_from_file_location("notebooks_" + path.stem, str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load(FOLDER / "generate.py")
draw = load(FOLDER / "assets" / "draw.py")
checks = load(FOLDER / "checks.py")


def read(name):
    return nbformat.read(str(FOLDER / name), as_version=4)


@pytest.fixture(scope="module")
def solution():
    return read("Anna_KaRNNa_Solution.ipynb")


@pytest.fixture(scope="module")
def exercise():
    return read("Anna_KaRNNa.ipynb")


def committed():
    """Return the paths in the notebooks folder, without compiled Python."""
    return sorted(path for path in FOLDER.rglob("*") if "__pycache__" not in str(path))


def sources(notebook):
    return {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}


# Held together ----------------------------------------------------------------------------------------

def test_exercise_is_what_the_solution_makes_it(capsys):
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_a_drifted_exercise_is_noticed_and_written_anew(tmp_path, monkeypatch, capsys):
    drifted = tmp_path / "Anna_KaRNNa.ipynb"
    drifted.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(generate, "EXERCISE", drifted)
    assert generate.main(["--check"]) == 1
    assert "run python notebooks/generate.py" in capsys.readouterr().err
    assert drifted.read_text(encoding="utf-8") == "{}"
    assert generate.main([]) == 0
    assert drifted.read_bytes() == (FOLDER / "Anna_KaRNNa.ipynb").read_bytes()
    assert os.listdir(str(tmp_path)) == [drifted.name]


@pytest.mark.parametrize("source", [
    "# --- solution\na = 1", "a = 1\n# --- end of solution",
    "# --- solution\n# --- solution\n# --- end of solution"])
def test_a_block_without_both_its_comments_is_refused(source):
    with pytest.raises(ValueError, match="solution block"):
        generate.strip_solutions(source)


def test_the_example_of_the_generator_holds():
    assert doctest.testmod(generate) == (0, 1)


def test_same_cells_in_the_same_order(solution, exercise):
    assert [cell.id for cell in solution.cells] == [cell.id for cell in exercise.cells]
    for ours, theirs in zip(solution.cells, exercise.cells):
        assert ours.cell_type == theirs.cell_type
        if ours.id not in EXERCISES:
            assert ours.source == theirs.source


def test_exercise_holds_no_outputs_and_no_solutions(exercise):
    for cell in exercise.cells:
        assert "--- solution" not in cell.source
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None
        assert ("# Your code here" in cell.source) == (cell.id in EXERCISES)


def test_notebooks_are_valid_and_without_paths_of_a_machine(solution, exercise):
    for notebook in (solution, exercise):
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec == {
            "name": "python3", "display_name": "Python 3", "language": "python"}
        assert not re.search(r"/(home|root|tmp|work|Users)/", json.dumps(notebook))


def test_solution_keeps_the_short_outputs_of_a_whole_run(solution):
    code = [cell for cell in solution.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = {cell.id: cell.outputs for cell in code}
    for name in EXERCISES:
        assert [output.text for output in outputs[name]] == [name + ": right.\n"]
    assert any("image/png" in output.get("data", {}) for output in outputs["loss-curve"])
    assert "The " in outputs["sample-last"][0].text
    for name, kept in outputs.items():
        text = "".join(output.get("text", "") for output in kept)
        assert len(text) < 1500, name
        assert not [output for output in kept if output.get("name") == "stderr"], name


def test_pictures_are_what_the_program_draws(solution):
    shown = re.findall(r"\]\(assets/([^)]*)\)", "\n".join(cell.source for cell in solution.cells))
    assert sorted(shown) == sorted(draw.PICTURES)
    assert sorted(path.name for path in (FOLDER / "assets").glob("*.svg")) == sorted(draw.PICTURES)
    for name, picture in draw.PICTURES.items():
        assert (FOLDER / "assets" / name).read_text(encoding="utf-8") == picture(), name


def test_lines_are_short(solution):
    for cell in solution.cells:
        for line in cell.source.splitlines():
            assert len(line) <= 110 or line.startswith("|"), line


# Executed ---------------------------------------------------------------------------------------------

@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Return a function that executes a notebook small, on a small text, in a temporary folder."""
    text = tmp_path / "text.txt"
    text.write_bytes(b"The cat sat on the mat.\r\nThen the rat ate the hat.\r\n" * 30)
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")  # this environment's kernel, not another of that name
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    def run(notebook, replaced=()):
        notebook = nbformat.from_dict(json.loads(json.dumps(notebook)))
        for cell in notebook.cells:
            cell.source = dict(replaced).get(cell.id, cell.source)
            if cell.id == "parameters":
                cell.source += "{}text_name = {!r}\ncheckpoint_dir = {!r}\n".format(
                    SMALL, str(text), str(tmp_path / "run"))
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3",
                                resources={"metadata": {"path": str(FOLDER)}}).execute()
        return {cell.id: "".join(output.get("text", "") for output in cell.outputs)
                for cell in notebook.cells if cell.cell_type == "code"}
    return run


def fill_in(exercise, solution):
    """Return the exercise cells' sources with the stubs replaced by the blocks of the solution."""
    written, answers = sources(exercise), sources(solution)
    filled = {}
    for name in EXERCISES:
        filled[name] = written[name]
        for block in BLOCK.finditer(answers[name]):
            lines = ["# Your code here"] + ([block.group("stub")] if block.group("stub") else [])
            stub = textwrap.indent("\n".join(lines), block.group("indent")) + "\n"
            assert stub in filled[name], name
            filled[name] = filled[name].replace(stub, block.group("body"), 1)
        assert "# Your code here" not in filled[name]
    return filled


def assert_trained(outputs, folder):
    for name in EXERCISES:
        assert outputs[name] == name + ": right.\n"
    # 1,470 characters make 42 windows of 5 x 7
    assert re.findall(r"epoch (\d)/2  step +(\d+)  loss \d\.\d{4}", outputs["train"]) == [
        ("1", "20"), ("1", "40"), ("2", "60"), ("2", "80")]
    assert outputs["list-checkpoints"].splitlines()[1] == "i30_l11.ckpt i60_l11.ckpt i84_l11.ckpt"
    assert os.path.isfile(os.path.join(folder, "i84_l11.ckpt.index"))
    written = outputs["sample-last"][:-1]
    assert len(written) == len("The ") + 20 + 1 and written.startswith("The ")


def test_solution_executes_small(execute, solution, tmp_path):
    (tmp_path / "run").mkdir()  # another run's: it has to stay as it is
    before = committed()
    assert_trained(execute(solution), str(tmp_path / "run-2"))
    assert not list((tmp_path / "run").iterdir())
    assert committed() == before


@pytest.mark.slow
def test_exercise_filled_in_executes_and_is_right(execute, exercise, solution, tmp_path):
    assert_trained(execute(exercise, fill_in(exercise, solution)), str(tmp_path / "run"))


def test_exercise_executes_before_it_is_filled_in(execute, exercise, tmp_path):
    outputs = execute(exercise)
    for name in EXERCISES:
        assert outputs[name].startswith(name + ": not right yet. "), name
    for name in ("show-batch", "model-size", "train", "loss-curve", "sample-last", "sample-earlier"):
        assert outputs[name].startswith("The exercises come first: this cell waits for get_batches"), name
    assert not (tmp_path / "run").exists()


# The checks, on the solution and on wrong answers -----------------------------------------------------

def answer(solution, name, old="", new=""):
    """Define the solution's functions, with a piece of one of them replaced; return that one."""
    namespace = {"np": np, "tf": tf}
    for cell, source in sources(solution).items():
        if cell in EXERCISES:
            if cell == name and old:
                assert source.count(old) == 1, (name, old)
                source = source.replace(old, new)
            tree = ast.parse(source)
            tree.body = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
            exec(compile(tree, cell, "exec"), namespace)
    return namespace[name]


def verdict(name, given):
    """Return what a check returns and prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        right = getattr(checks, CHECKS[name])(given)
    return right, printed.getvalue()


@pytest.mark.parametrize("name", EXERCISES)
def test_right_answers_are_right(name, solution):
    before = len(tf.get_default_graph().get_operations())
    assert verdict(name, answer(solution, name)) == (True, name + ": right.\n")
    assert len(tf.get_default_graph().get_operations()) == before


@pytest.mark.parametrize("name", EXERCISES)
def test_what_is_no_function_is_said_to_be_wrong(name):
    right, words = verdict(name, None)
    assert right is False and words.startswith(name + ": not right yet. ") and "TypeError" in words


Y_LINE = "y[:, :following.shape[1]] = following"
ADAM = "tf.train.AdamOptimizer(learning_rate)"
CLIPPED = "gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)"
WRAPPED = "tf.nn.rnn_cell.DropoutWrapper(lstm, output_keep_prob=keep_prob)"
STACK = "tf.nn.rnn_cell.MultiRNNCell([build_layer() for _ in range(num_layers)])"
RNN = "outputs, self.final_state = tf.nn.dynamic_rnn("

WRONG = {
    "get_batches": [
        (Y_LINE, "y = x.copy()", "y is the same as x"),
        (Y_LINE, "y[:, :-1], y[:, -1] = x[:, 1:], x[:, 0]", "the first of the NEXT window"),
        (Y_LINE, "y[:, :-1] = x[:, 1:]", "0 in every window"),
        (Y_LINE, "y[:, 1:] = x[:, :-1]", "the wrong way"),
        ("np.zeros_like(x)", "np.full_like(x, 7)", "in the last window must be 0"),
        ("np.zeros_like(x)", "x", "changes the array"),
        ("x = rows[:, start:start + n_steps]",
         "x = arr[start * batch_size:(start + n_steps) * batch_size].reshape((batch_size, n_steps))",
         "do not go on from window to window"),
        ("len(arr) // (batch_size * n_steps)", "len(arr) // (batch_size * n_steps) - 1",
         "the last window is missing"),
        ("range(0, n_windows * n_steps, n_steps)", "range((n_windows - 1) * n_steps)",
         "by one column at a time"),
        ("yield x, y", "yield x.T, y.T", "the axes are swapped"),
        ("yield x, y", "yield x.astype(np.float32), y", "keep the dtype"),
        ("yield x, y", "yield x", "pairs x, y"),
        ("yield x, y", "pass", "returns None"),
        ("yield x, y", "yield x, z", "raised NameError: name 'z' is not defined"),
    ],
    "build_inputs": [
        (', name="inputs"', "", "inputs is named 'Placeholder'"),
        ('tf.placeholder(tf.float32, name="keep_prob")', "tf.placeholder(tf.float32)", "keep_prob is named"),
        ('tf.placeholder(tf.int32, [batch_size, num_steps], name="targets")',
         'tf.placeholder(tf.float32, [batch_size, num_steps], name="targets")', "targets should be int32"),
        ('[batch_size, num_steps], name="targets"', '[num_steps, batch_size], name="targets"',
         "targets should have the shape [N, M] = [2, 3]"),
        ('tf.placeholder(tf.float32, name="keep_prob")', 'tf.constant(0.5, name="keep_prob")',
         "keep_prob should be a placeholder"),
        ('tf.float32, name="keep_prob"', 'tf.float32, [batch_size], name="keep_prob"', "a scalar"),
        ("return inputs, targets, keep_prob", "return targets, inputs, keep_prob", "The order should be"),
        ("return inputs, targets, keep_prob", "return inputs, targets", "should return 3 things"),
        ("return inputs, targets, keep_prob", "return inputs, None, keep_prob", "Still None: targets"),
    ],
    "build_lstm": [
        ("[build_layer() for _ in range(num_layers)]", "[build_layer()] * num_layers",
         "The same cell object"),
        ("def build_layer():\n        lstm = tf.nn.rnn_cell.BasicLSTMCell(lstm_size)",
         "lstm = tf.nn.rnn_cell.BasicLSTMCell(lstm_size)\n\n    def build_layer():", "The same cell object"),
        ("return " + WRAPPED, "return lstm", "has no dropout"),
        ("output_keep_prob=keep_prob", "output_keep_prob=0.5", "is fixed, at 0.5"),
        ("output_keep_prob=keep_prob", "input_keep_prob=keep_prob", "not on the layer's output"),
        ("cell = " + STACK, "lstm = " + STACK + "\n    cell = " + WRAPPED, "around the whole stack"),
        ("cell = " + STACK, "cell = build_layer().cell", "should be a MultiRNNCell"),
        ("range(num_layers)", "range(num_layers - 1)", "there are 2"),
        ("BasicLSTMCell(lstm_size)", "BasicLSTMCell(lstm_size + 1)", "a layer has 5"),
        ("BasicLSTMCell(lstm_size)", "GRUCell(lstm_size)", "should be a BasicLSTMCell"),
        ("zero_state(batch_size,", "zero_state(num_layers,", "for batch_size = 2"),
        ("cell.zero_state(batch_size, tf.float32)", "tf.zeros([batch_size, 4])",
         "a tuple with c and h"),
    ],
    "build_output": [
        ("logits = tf.matmul(rows, weights)", "logits = tf.tensordot(joined, weights, 1)",
         "reshape the LSTM output to [N·M, L]"),
        ("rows = tf.reshape(joined, [-1, in_size])",
         "rows = tf.reshape(tf.transpose(joined, [1, 0, 2]), [-1, in_size])", "with the rows in order"),
        ("tf.concat(lstm_output, axis=1)", "tf.convert_to_tensor(lstm_output)", "a list of M tensors"),
        ('tf.variable_scope("softmax")', 'tf.variable_scope("output")',
         "inside tf.variable_scope('softmax')"),
        ("tf.Variable(tf.zeros(out_size))", "tf.Variable(tf.zeros(out_size), name='b')",
         "softmax/Variable_1"),
        ("bias = tf.Variable(tf.zeros(out_size))", "bias = tf.zeros(out_size)", "should be two variables"),
        ("stddev=0.1", "stddev=1.0", "stddev=0.1"),
        ("tf.truncated_normal", "tf.random_normal", "tf.truncated_normal"),
        ("tf.zeros(out_size)", "tf.ones(out_size)", "begin as zeros"),
        ("weights) + bias", "weights)", "The bias is not added"),
        (', name="predictions"', "", "name='predictions'"),
        ("return predictions, logits", "return logits, predictions", "the order is predictions, logits"),
    ],
    "build_loss": [
        ("loss = tf.reduce_mean(losses)", "loss = losses", "one number for each step"),
        ("tf.reduce_mean(losses)", "tf.reduce_sum(losses)", "the sum over the steps"),
        ("tf.reduce_mean(losses)", "-tf.reduce_mean(losses)", "the wrong sign"),
        ("tf.reduce_mean(losses)", "tf.reduce_mean(losses) / np.log(2).astype(np.float32)", "in bits"),
        ("logits=logits)", "logits=tf.nn.softmax(logits))", "A softmax is taken twice"),
        ("tf.one_hot(targets,", "tf.one_hot(tf.transpose(targets),", "The targets are transposed"),
        ("tf.one_hot(targets,", "tf.one_hot(targets + 1,", "the loss should be"),
        ("return loss", "return None", "returns None"),
    ],
    "build_optimizer": [
        (CLIPPED, "gradients = tf.gradients(loss, variables)", "The gradients are not clipped"),
        (CLIPPED, "gradients = [tf.clip_by_value(g, -5.0, 5.0) for g in tf.gradients(loss, variables)]",
         "clipped by itself"),
        (CLIPPED, "gradients = [tf.clip_by_norm(g, 5.0) for g in tf.gradients(loss, variables)]",
         "clipped by its own norm"),
        ("variables), grad_clip)", "variables), 5)", "where grad_clip is 100"),
        ("variables), grad_clip)", "variables), 1)", "should shrink to a tenth"),
        (ADAM, "tf.train.AdamOptimizer()", "give the optimizer learning_rate"),
        (ADAM, "tf.train.GradientDescentOptimizer(learning_rate)", "is not Adam"),
        ("tf.trainable_variables()", "tf.trainable_variables()[:1]", "Not all variables"),
        ("return optimizer", "return adam", "should return the operation"),
    ],
    "CharRNN": [
        ("(1, 1) if sampling else (batch_size, num_steps)", "batch_size, num_steps",
         "With sampling=True N and M should both be 1"),
        ("initial_state=self.initial_state", "dtype=tf.float32", "Another initial state makes no difference"),
        (RNN, "self.final_state = self.initial_state\n        outputs, _ = tf.nn.dynamic_rnn(",
         "the state before the window"),
        ("build_loss(self.logits", "build_loss(self.prediction", "made from the predictions"),
        ("self.logits, self.targets", "self.logits, self.inputs", "compares with the inputs"),
        ("n_rows, self.keep_prob)", "n_rows, 1.0)", "Feeding keep_prob makes no difference"),
        ("self.loss, learning_rate,", "self.loss, 0.001,", "With learning_rate = 0.01"),
        ("learning_rate, grad_clip)", "learning_rate, 5)", "With grad_clip = 0.002"),
        ("lstm_size, num_layers, n_rows", "lstm_size, 1, n_rows", "The trainable variables should be"),
        ("tf.reset_default_graph()", "pass", "reset the default graph first"),
        ("self.optimizer = build", "self.update = build", "Missing, or still None: optimizer"),
    ],
}


@pytest.mark.parametrize("name, old, new, expected", [
    pytest.param(name, *case, id="{}-{}".format(name, place))
    for name in EXERCISES for place, case in enumerate(WRONG[name])])
def test_a_wrong_answer_is_explained(name, old, new, expected, solution):
    right, words = verdict(name, answer(solution, name, old, new))
    assert right is False
    assert words.startswith(name + ": not right yet. ") and expected in words


def test_ready_waits_for_the_checks(monkeypatch, capsys):
    monkeypatch.setattr(checks, "_right", {name: name != "build_loss" for name in EXERCISES})
    assert checks.ready("get_batches")
    assert not checks.ready()
    assert capsys.readouterr().out == "The exercises come first: this cell waits for build_loss.\n"


def test_network_names_the_exercise_to_begin_with(monkeypatch):
    monkeypatch.setattr(checks, "_right", {name: name != "build_loss" for name in EXERCISES})
    assert "It uses build_loss, not right yet: begin there." in verdict("CharRNN", None)[1]
