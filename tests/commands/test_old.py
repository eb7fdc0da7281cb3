"""charrnn-old: programs for TensorFlow 1, and what is left of them in the process when they have ended."""

import json
import sys

import numpy as np
import pytest
from conftest import needs_tensorflow_2, run_python

from charrnn.commands import old
from charrnn.system import tensorflow


@pytest.fixture
def program(tmp_path):
    """Return a function that writes a program and returns its path."""

    def write(text, name="program.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_a_program_gets_its_arguments_and_is_the_main_module(program, capsys):
    path = program("import sys; print(sys.argv, __name__, __file__)")
    assert old.main([path, "--epochs", "3", "-h", "--", "x"]) == 0
    arguments = [path, "--epochs", "3", "-h", "--", "x"]
    assert capsys.readouterr().out == f"{arguments} __main__ {path}\n"


def test_a_program_has_version_1_with_contrib(program, capsys):
    text = """
import tensorflow as tf
import tensorflow.contrib.layers as layers
from tensorflow.contrib import rnn
from tensorflow.contrib.seq2seq import sequence_loss
from tensorflow.examples.tutorials.mnist import input_data
from tensorflow.keras.layers import Dense
import tensorflow.compat.v1 as v1
x = tf.placeholder(tf.float32, [None, 3])
print(layers.linear(x, 2).shape[1], rnn is tf.contrib.rnn, v1.contrib.rnn is rnn)
"""
    assert old.main([program(text)]) == 0
    assert capsys.readouterr().out.startswith("2 True ")


def test_a_program_imports_the_modules_of_its_folder(program, capsys):
    """Another program may have others of the same names."""
    for number in (1, 2):
        program(f"number = {number}", "model.py")
        assert old.main([program("import model; print(model.number)")]) == 0
        assert "model" not in sys.modules
    assert capsys.readouterr().out == "1\n2\n"


def test_a_module_of_a_package_runs(program, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "package" / "part").mkdir(parents=True)
    program("number = 3", "package/part/other.py")
    text = """
import sys, __main__
from . import other
print(sys.argv[1:], __package__, __main__.other.number)
"""
    path = program(text, "package/part/program.py")
    program("raise ValueError(__file__)", "package/__main__.py")
    assert old.main(["-m", "package.part.program", "-m", "--x"]) == 0
    assert capsys.readouterr().out == "['-m', '--x'] package.part 3\n"
    assert path not in sys.argv
    assert "package.part.other" not in sys.modules
    assert old.main(["-m", "package"]) == 1
    _, first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith(f'  File "{tmp_path}')
    assert last == f"ValueError: {tmp_path}/package/__main__.py"


@pytest.mark.parametrize(
    "end, status, message",
    [("", 0, ""), ("3", 3, ""), ("None", 0, ""), ("'no file'", 1, "no file\n")],
)
def test_the_exit_status_is_that_of_the_program(program, capsys, end, status, message):
    assert old.main([program(f"import sys; sys.exit({end})")]) == status
    assert capsys.readouterr().err == message


def test_an_error_has_the_traceback_of_the_program(program, capsys):
    path = program("def f():\n    raise ValueError('wrong')\nf()\n")
    assert old.main([path]) == 1
    first, second, *_, last = capsys.readouterr().err.splitlines()
    assert first == "Traceback (most recent call last):"
    assert second == f'  File "{path}", line 3, in <module>'
    assert last == "ValueError: wrong"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "statement, hint",
    [
        ("int(numpy.zeros(1))", "int(array.item())"),
        ("numpy.zeros(1).tostring()", "tobytes()"),
        ("import distutils", "pip install setuptools"),
    ],
)
def test_what_a_newer_numpy_refuses_comes_with_what_to_do(program, capsys, statement, hint):
    is_refused = old.main([program(f"import numpy\n{statement}")])
    _, _, told = capsys.readouterr().err.partition("charrnn-old: ")
    assert (hint in told) == is_refused


@pytest.mark.parametrize("statement", ["int('x')", "numpy.zeros(1)[0] = [1, 2]"])
def test_what_each_numpy_refuses_comes_with_nothing(program, capsys, statement):
    assert old.main([program(f"import numpy\n{statement}")]) == 1
    assert "charrnn-old: " not in capsys.readouterr().err


SEVERAL_MISSING = """
import tensorflow as tf
import tensorflow.contrib.layers as layers
from tensorflow.contrib import rnn

def later():
    rnn.BasicLSTMCell(2)
    layers.real_valued_column("x")
    tf.contrib.opt.AdamWOptimizer(1)
    tf.contrib.opt.LazyAdamOptimizer(1)
    tf.contrib.crf.crf_decode(1)

exec("import parts")
from tensorflow.contrib.layers.python.layers import utils
"""
PARTS_OF_IT = """
from tensorflow.contrib.learn import DNNClassifier
"""
USES_CRF = """
import tensorflow as tf

def later():
    tf.contrib.crf.crf_decode(1)
"""
USES_OPT = """
import tensorflow as tf
tf.contrib.opt.AdamWOptimizer(1)
"""


@needs_tensorflow_2
def test_all_missing_names_are_told_at_once(program, tmp_path, monkeypatch, capsys):
    """Those of the program and of its module that has the first, with what they have in common said once."""
    monkeypatch.chdir(tmp_path)
    program("from tensorflow.contrib import crf", "other.py")
    program(PARTS_OF_IT, "parts.py")
    assert old.main([program(SEVERAL_MISSING)]) == 1
    _, told = capsys.readouterr().err.split(
        "charrnn-old: the missing names in the files that ran so far:\n"
    )
    first, second = told.splitlines()
    assert first.startswith(
        "- tensorflow.contrib.layers.real_valued_column, tensorflow.contrib.opt, tensorflow.contrib.crf: there is no"
    )
    assert second.startswith("- tensorflow.contrib.learn.DNNClassifier: write the training")


@needs_tensorflow_2
@pytest.mark.filterwarnings("default")
def test_a_warning_of_its_syntax_is_told_once(program, capsys):
    with pytest.warns(SyntaxWarning, match="invalid escape") as warned:
        old.main([program(f"{USES_OPT}\nprint('\\d')")])
    assert len(warned) == 1


@needs_tensorflow_2
def test_one_missing_name_is_told_once(program, capsys):
    old.main([program(USES_OPT)])
    assert "charrnn-old: " not in capsys.readouterr().err


@needs_tensorflow_2
def test_one_missing_name_of_another_file_is_told(program, capsys):
    program(USES_CRF, "model.py")
    old.main([program(f"import model\n{USES_OPT}")])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("- tensorflow.contrib.opt, tensorflow.contrib.crf: ")


@needs_tensorflow_2
def test_the_names_of_an_installed_package_are_not_told(program, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    program(USES_CRF, "site-packages/installed.py")
    old.main([program(f"import installed\n{USES_OPT}")])
    monkeypatch.delitem(sys.modules, "installed")
    assert "charrnn-old: " not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "PROGRAM is missing"),
        (["--hlep"], "did you mean --help?"),
        (["-m"], "argument -m: expected one argument"),
        (["-m", "no.module"], "there is no module no.module in "),
        (["no-such.py"], "no-such.py"),
        (["no-such.ipynb"], "no-such.ipynb"),
        (["lesson.ipynb", "x"], "a notebook takes no arguments, and 'x' is one"),
    ],
)
def test_what_cannot_be_run_is_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert old.main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("charrnn-old: error: ")
    assert message in err
    assert err.count("\n") == 1


@needs_tensorflow_2
@pytest.mark.parametrize("end", ["", "raise ValueError"])
def test_the_process_is_as_before(program, end):
    modules = {name: sys.modules[name] for name in sys.modules if name.startswith("tensorflow")}
    names = set(dir(np))
    finders = list(sys.meta_path)
    path = list(sys.path)
    text = f"import tensorflow.contrib.rnn, numpy as np; import tensorflow.keras.layers; np.float\n{end}"
    old.main([program(text)])
    after = {name: sys.modules[name] for name in sys.modules if name.startswith("tensorflow")}
    assert {name: after.get(name) for name in modules} == modules
    assert not any("contrib" in name or "keras" in name.split(".")[1:2] for name in after)
    assert not any(name.startswith("tf_keras.legacy_tf_layers") for name in sys.modules)
    assert set(dir(np)) == names
    assert sys.meta_path == finders
    assert sys.path == path
    assert not hasattr(tensorflow.tf, "contrib")
    assert not hasattr(tensorflow.tf, "estimator") or tensorflow.tf.__version__.startswith("2.15")


# Runs a program twice, then is an old program itself for a while; a model of Keras 3 is trained before and after.
HOST = """
import os, sys
import numpy as np
import tensorflow

def fit():
    network = tensorflow.keras.Sequential([tensorflow.keras.layers.Dense(1)])
    network.compile("sgd", "mse")
    network.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert tensorflow.executing_eagerly()
    assert "TF_USE_LEGACY_KERAS" not in os.environ

from charrnn import __main__ as charrnn_command
fit()
for _ in range(2):
    assert charrnn_command.main(["old", sys.argv[1]]) == 0
    fit()
import charrnn.old
charrnn.old.install()
import tensorflow as tf
tf.placeholder(tf.float32)
charrnn.old.uninstall()
import tensorflow
fit()
print(tensorflow.keras.__version__[0])
"""
USES_A_GRAPH = """
import tensorflow as tf
x = tf.get_variable("x", [2])
cell = tf.contrib.rnn.BasicLSTMCell(3)
y, _ = tf.contrib.rnn.static_rnn(cell, [tf.ones([1, 2]) * x], dtype=tf.float32)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(session.run(y[0]).shape)
tf.InteractiveSession(graph=tf.Graph())
"""


@needs_tensorflow_2
@pytest.mark.thorough
def test_keras_trains_before_and_after(after_tensorflow, program):
    status, out, err = after_tensorflow(HOST, program(USES_A_GRAPH))
    assert status == 0, err
    assert out == "(1, 3)\n" * 2 + "3\n"


def test_the_command_is_a_process_of_its_own(program):
    status, out, err = run_python("-m", "charrnn", "old", program(USES_A_GRAPH))
    assert (status, out) == (0, "(1, 3)\n"), err


@pytest.mark.parametrize("statement", ["import charrnn", "import charrnn.commands.train"])
def test_other_commands_load_nothing_of_it(statement):
    code = f"{statement}; import sys; print([name for name in sys.modules if '.old' in name])"
    status, out, _ = run_python("-c", code)
    assert (status, out) == (0, "[]\n")


@needs_tensorflow_2
def test_a_newer_tensorflow_is_named(program, monkeypatch, capsys):
    monkeypatch.setattr(tensorflow.tf, "__version__", "2.99.1")
    assert old.main([program("print(1)")]) == 0
    out, err = capsys.readouterr()
    assert out == "1\n"
    assert err == (
        "charrnn: old programs were tried on TensorFlow 1.15 and 2.15 to 2.21, and not on 2.99.1, which is installed "
        "here\n"
    )


# Notebooks


def notebook(tmp_path, *cells):
    """Write a notebook of format 3 or 4 with a cell of text and cells of code; return its path."""
    described = [{"cell_type": "markdown", "metadata": {}, "source": "a title"}]
    for source in cells:
        cell = {"cell_type": "code", "metadata": {}, "source": source}
        described.append({**cell, "outputs": [], "execution_count": None})
    path = tmp_path / "lesson.ipynb"
    # a kernel that nobody has
    metadata = {"kernelspec": {"name": "tensorflow-1.0", "display_name": "x", "language": "python"}}
    content = {"cells": described, "metadata": metadata, "nbformat": 4, "nbformat_minor": 0}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    missing = "{} is not installed: pip install -e '.[test]'"
    pytest.importorskip("nbclient", reason=missing.format("nbclient"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")


@pytest.mark.slow
def test_a_notebook_prints_what_its_cells_print(tmp_path, kernels, capfd):
    path = notebook(
        tmp_path,
        "import tensorflow as tf\nprint(tf.contrib.layers.flatten(tf.zeros([2, 3, 4])).shape)",
        "import os; print(os.listdir('.'))\n1 + 1",
    )
    before = path.read_bytes()
    assert old.main([str(path)]) == 0
    out, _ = capfd.readouterr()
    # after what TensorFlow 1.15 prints of contrib
    assert "(2, 12)\n" in out
    assert "lesson.ipynb" in out
    assert out.endswith("\n2\n")
    assert path.read_bytes() == before


@pytest.mark.slow
def test_a_notebook_says_in_which_cell_it_stopped(tmp_path, kernels, capfd):
    path = notebook(tmp_path, "x = 1", "print(x)\nraise ValueError('wrong')", "print('no more')")
    assert old.main([str(path)]) == 1
    out, err = capfd.readouterr()
    assert out == "1\n"
    assert "ValueError" in err
    # not at the end: an old ipykernel may print an error of its own when it ends
    assert f"\ncharrnn-old: stopped in code cell 2 of 3 of {path}\n" in err


@needs_tensorflow_2
@pytest.mark.slow
def test_a_notebook_says_what_to_do_about_an_error_that_is_known(tmp_path, kernels, capfd):
    path = notebook(tmp_path, "import numpy\nnumpy.array([[1], [1, 2]], dtype='f')")
    assert old.main([str(path)]) == 1
    assert "\ncharrnn-old: NumPy makes no array of numbers" in capfd.readouterr().err


def test_a_notebook_needs_nbclient(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "nbclient", None)
    assert old.main([str(notebook(tmp_path, "1"))]) == 2
    assert capsys.readouterr().err == (
        "charrnn-old: error: a notebook needs the package nbclient: pip install nbclient ipykernel\n"
    )


def test_what_is_no_notebook_is_one_line(tmp_path, kernels, capsys):
    (tmp_path / "lesson.ipynb").write_text("print(1)")
    assert old.main([str(tmp_path / "lesson.ipynb")]) == 2
    assert "lesson.ipynb is no notebook" in capsys.readouterr().err
