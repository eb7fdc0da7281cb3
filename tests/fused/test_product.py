"""Training in bfloat16: the types of numbers, and how far they are from float32."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import TENSORFLOW_1, TEXT, needs_tensorflow_2, training_graph
from reference import largest_error, problem, results

from charrnn.fused import passes, softmax, speed
from charrnn.fused.passes import product
from charrnn.model import CharRNN
from charrnn.system.interrupts import StopRequests
from charrnn.system.tensorflow import session_config, tf
from charrnn.text.corpus import Text
from charrnn.training.display import Display
from charrnn.training.job import plan_job

N = 4
M = 7
C = 9
SIZES = dict(num_classes=C, batch_size=N, num_steps=M, lstm_size=16, num_layers=2)
AUTOMATIC = dict(batch_size=2, num_steps=30, precision="auto")
# Operations whose results are added up over many steps, or change the weights.
SUMS = {
    "AddV2",
    "AddN",
    "BiasAdd",
    "TensorScatterAdd",
    "UnsortedSegmentSum",
    "Mul",
    "Mean",
    "ApplyAdam",
    "L2Loss",
    "SparseSoftmaxCrossEntropyWithLogits",
    "SoftmaxCrossEntropyWithLogits",
}


def of_types(graph, types):
    return [operation for operation in graph.get_operations() if operation.type in types]


def test_a_product_is_float32_and_its_operands_are_rounded():
    a, b = np.random.RandomState(1).standard_normal((2, 5, 5)).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        exact, rounded = session.run([product(a, b), product(a, b, "bfloat16")])
    assert exact.dtype == np.float32
    assert rounded.dtype == np.float32
    np.testing.assert_allclose(exact, a @ b, rtol=1e-5, atol=1e-6)
    error = np.abs(rounded - a @ b).max()
    assert 1e-5 < error < 2**-7 * (np.abs(a) @ np.abs(b)).max()


@pytest.fixture(scope="module")
def bfloat16_graph():
    """A TrainingGraph in bfloat16."""
    return training_graph(**SIZES, threads=3, average_decay=0.9, precision="bfloat16")


@needs_tensorflow_2
def test_operands_are_bfloat16(bfloat16_graph):
    products = of_types(bfloat16_graph.loss.graph, {"MatMul"})
    # that of the logits, and those of the cells that make the variables, are not computed
    computed = []
    for operation in products:
        if operation.name != "MatMul" and "multi_rnn_cell" not in operation.name:
            computed.append(operation)
    assert len(computed) > 10
    assert {operation.get_attr("T") for operation in computed} == {tf.bfloat16}


@needs_tensorflow_2
def test_all_sums_are_float32(bfloat16_graph):
    model = bfloat16_graph
    types = {operation.get_attr("T") for operation in of_types(model.loss.graph, SUMS)}
    assert {dtype for dtype in types if dtype.is_floating} == {tf.float32}
    variables = model.loss.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
    assert {variable.dtype.base_dtype for variable in variables} == {tf.float32}
    assert model.loss.dtype == tf.float32
    assert {part.dtype for part in tf.nest.flatten(model.final_state)} == {tf.float32}


@needs_tensorflow_2
@pytest.mark.parametrize("threads, many", [(1, False), (2, True)], ids=["few characters", "many"])
def test_loss_state_and_gradients_are_those_of_float32_but_for_rounding(monkeypatch, threads, many):
    if many:
        monkeypatch.setattr(softmax, "SLICE_LOGITS", 3 * C)
        monkeypatch.setattr(passes, "MOST_ONE_HOT_CHARACTERS", C - 1)
    case = problem(**SIZES)

    values = {}
    for precision in ("bfloat16", "float32"):
        model = training_graph(**SIZES, threads=threads, precision=precision)
        values[precision] = results(model, *case)
    error = largest_error(values["bfloat16"], values["float32"])
    assert 1e-4 < error < 0.03  # 8 bits are 0.004


def losses_of_steps(precision):
    """Return the losses of 5 steps of a graph that is not fused."""
    model = CharRNN(**{**SIZES, "lstm_size": 64}, seed=3)
    x, y = np.random.RandomState(1).randint(0, C, (2, N, M))
    feed = {model.inputs: x, model.targets: y, model.keep_prob: 1}

    losses = []
    with tf.Session(config=session_config(2, fused=False, precision=precision)) as session:
        session.run(tf.global_variables_initializer())
        for _ in range(5):
            loss, _ = session.run([model.loss, model.optimizer], feed)
            losses.append(loss)
    return losses


@pytest.fixture(scope="module")
def losses():
    """The losses of that graph by its precision."""
    return {precision: losses_of_steps(precision) for precision in ("float32", "bfloat16")}


@needs_tensorflow_2
def test_a_graph_that_is_not_fused_loses_no_more_than_rounding_in_bfloat16(losses):
    np.testing.assert_allclose(losses["bfloat16"], losses["float32"], atol=0.01)


def has_bfloat16():
    """Return whether this processor has instructions for bfloat16. Otherwise TensorFlow leaves a graph as it is."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and "bf16" in cpuinfo.read_text()


@needs_tensorflow_2
@pytest.mark.skipif(not has_bfloat16(), reason="this processor has no bfloat16")
def test_a_graph_that_is_not_fused_is_rewritten(losses):
    assert losses["bfloat16"] != losses["float32"]


@needs_tensorflow_2
@pytest.mark.parametrize(
    "speedup, precision, said",
    [
        (1.72, "bfloat16", "bfloat16, 1.7 times as fast here"),
        (1.1, "bfloat16", "bfloat16, 1.1 times as fast here"),
        (1.09, "float32", "float32; bfloat16 is 1.09 times as fast here"),
    ],
)
def test_auto_takes_what_was_measured_to_be_faster(capsys, monkeypatch, speedup, precision, said):
    """The plan says it, and has it. In test_resume, a resumed run does not measure again."""
    monkeypatch.setattr(speed, "bfloat16_speedup", lambda config: speedup)
    job = plan_job(Text("a text", TEXT), AUTOMATIC, "run")
    Display(job, 704, StopRequests()).plan()
    assert f"\nprecision {said}\n" in capsys.readouterr().out
    assert job.hyperparameters.precision == precision


@pytest.mark.skipif(not TENSORFLOW_1, reason="TensorFlow 2 measures")
def test_tensorflow_1_measures_nothing(monkeypatch):
    monkeypatch.setattr(speed, "bfloat16_speedup", None)
    job = plan_job(Text("a text", TEXT), AUTOMATIC, "run")
    assert job.hyperparameters.precision == "float32"


@needs_tensorflow_2
def test_the_speedup_is_the_ratio_of_the_times_of_the_two_products(monkeypatch):
    """On a machine on which a product takes 3 seconds in float32 and 2 in bfloat16."""
    taken = []

    def timed_product(a, b, precision):
        def multiply():
            taken.append({"float32": 3, "bfloat16": 2}[precision])
            return np.zeros([1, 1], np.float32)

        return tf.py_func(multiply, [], tf.float32)

    monkeypatch.setattr(speed, "product", timed_product)
    monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=lambda: sum(taken)))
    assert speed.bfloat16_speedup(session_config(1)) == 1.5
