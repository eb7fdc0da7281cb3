"""The door to TensorFlow 1.15 and 2. Each process here imports TensorFlow, or what stands for it, anew."""

import re
import sys

import pytest
from conftest import needs_tensorflow_2, run_python, train_small

from charrnn.system.tensorflow import NO_LONGER_VERSION_2, session_config

# A stand-in for a version of TensorFlow, whose cells need Keras 2.
STAND_IN = """
import sys, types
class Module(types.ModuleType):
    def __getattr__(self, name):
        raise AttributeError("BasicLSTMCell is not available with Keras 3")
root, compat, v1 = Module("tensorflow"), Module("tensorflow.compat"), Module("tensorflow.compat.v1")
root.__spec__ = types.SimpleNamespace()
root.compat, compat.v1, v1.__version__, v1.disable_v2_behavior = compat, v1, {version!r}, print
root.executing_eagerly = v1.executing_eagerly = lambda: False
v1.nn, v1.resource_variables_enabled = Module("nn"), lambda: False
sys.modules.update({{"tensorflow": root, "tensorflow.compat": compat, "tensorflow.compat.v1": v1, "tf_keras": {keras}}})
from charrnn.commands import train
sys.exit(train.main([{text!r}, "--num-steps", "3", "--checkpoint-dir", {folder!r}]))
"""


@needs_tensorflow_2
@pytest.mark.parametrize(
    "version, keras, message",
    [
        (
            "2.9.1",
            "None",
            "charrnn does not support TensorFlow 2.9.1, only TensorFlow 1.15 and 2.15 to 2.21: pip install",
        ),
        (
            "2.19.0",
            "None",
            "TensorFlow 2.19.0 needs the package tf_keras for LSTM cells: pip install tf_keras~=2.19.0",
        ),
        (
            "2.40.0",
            "types.SimpleNamespace(__spec__=1)",
            "charrnn does not support TensorFlow 2.40.0, only TensorFlow 1.15 and 2.15 to 2.21 (BasicLSTMCell is not",
        ),
    ],
)
def test_an_unsuitable_tensorflow_is_one_line(text_file, tmp_path, version, keras, message):
    program = STAND_IN.format(
        version=version, keras=keras, text=str(text_file), folder=str(tmp_path / "run")
    )
    status, _, err = run_python("-c", program)
    assert status == 2
    assert re.fullmatch(f"charrnn-train: error: {re.escape(message)}.*\n", err)
    assert not (tmp_path / "run").exists()


def test_tensorflow_1_is_known_by_its_version_and_not_by_that_of_python(text_file, tmp_path):
    """NVIDIA's 1.15.5 is for Python 3.8."""
    cells = "v1.nn.rnn_cell, v1.compat = types.SimpleNamespace(BasicLSTMCell=1), Module('')"
    program = STAND_IN.replace("from charrnn", f"{cells}; from charrnn")
    program = program.replace("{folder!r}", "{folder!r}, '--precision', 'bfloat16'")
    program = program.format(
        version="1.15.5+nv23.03", keras="None", text=str(text_file), folder=str(tmp_path / "run")
    )
    status, out, err = run_python("-c", program)
    assert (status, out) == (2, "")
    assert "error: precision bfloat16 needs TensorFlow 2" in err


@pytest.mark.parametrize(
    "version, make, message",
    [
        ((3, 7, 9), "", "pip install . in the folder of charrnn installs TensorFlow 1.15"),
        (
            (3, 11, 2),
            "",
            'pip install ".[tensorflow]" in the folder of charrnn installs TensorFlow 2',
        ),
        (
            (3, 14, 0),
            "",
            "use Python 3.10 to 3.13, or 3.7; Python 3.14 has no TensorFlow that charrnn supports",
        ),
        ((3, 11, 2), "make", "make venv installs it"),
    ],
)
def test_a_missing_tensorflow_says_what_to_install(monkeypatch, version, make, message):
    from charrnn.system import tensorflow

    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.delenv("CHARRNN_MAKE", raising=False)
    if make:
        monkeypatch.setenv("CHARRNN_MAKE", make)
    expected = re.escape(f"TensorFlow is not installed here: {message}")
    with pytest.raises(tensorflow.TensorFlowError, match=expected):
        tensorflow.require_tensorflow()


@needs_tensorflow_2
def test_a_cell_of_contrib_is_refused(text_file, tmp_path, capsys):
    assert train_small(text_file, tmp_path / "run", "--cell", "nas") == 2
    assert "tf.contrib, which TensorFlow 2 does not have" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("fused", [False, True])
def test_a_session_runs_as_many_operations_at_once_as_there_are_threads(fused):
    assert session_config(3, fused).inter_op_parallelism_threads == 3


@pytest.mark.parametrize("fused, threads", [(False, 3), (True, 1)])
def test_an_operation_has_all_threads_but_in_the_fused_unroll(fused, threads):
    assert session_config(3, fused).intra_op_parallelism_threads == threads


WITHOUT_EAGER_MODE = """
import tensorflow
tensorflow.compat.v1.disable_eager_execution()
from charrnn.system.tensorflow import tf
"""


@needs_tensorflow_2
def test_a_program_that_has_left_eager_mode_is_told_what_else_goes(after_tensorflow):
    _, out, err = after_tensorflow(WITHOUT_EAGER_MODE)
    assert out == ""
    assert err == f"{NO_LONGER_VERSION_2}\n"


@needs_tensorflow_2
def test_a_program_that_has_left_all_of_version_2_is_told_nothing(after_tensorflow):
    program = WITHOUT_EAGER_MODE.replace("disable_eager_execution", "disable_v2_behavior")
    _, out, err = after_tensorflow(program)
    assert out == ""
    assert "charrnn" not in err
