"""The trainer of the pages, by the rule of charrnn-train, against the graph of the training."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import CHARS

from charrnn.data import Vocabulary
from charrnn.engines.cells import initial_weights
from charrnn.engines.opening import open_model
from charrnn.engines.trained_model import Model, lstm_weights

HERE = Path(__file__).resolve().parent
TEXTS = 8
STEPS = 7
SIZE = 20
RATE = 0.01
RULE = {"grad_clip": 0.2, "weight_decay": 0.1, "average_decay": 0.9}

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)


def started():
    classes = len(CHARS)
    kernels = [np.zeros((inputs + SIZE, 4 * SIZE), np.float32) for inputs in (classes, SIZE)]
    weights = lstm_weights(kernels, np.zeros((SIZE, classes), np.float32))
    shapes = {name: values.shape for name, values in weights.items()}
    weights.update(initial_weights(shapes, seed=4))
    return Model("start.npz", Vocabulary(CHARS), weights)


def two_windows():
    random = np.random.RandomState(5)
    ids = random.randint(0, len(CHARS), (2 * STEPS + 1, TEXTS))
    return [(ids[:STEPS], ids[1 : STEPS + 1]), (ids[STEPS:-1], ids[STEPS + 1 :])]


def train_in_node(folder, model, windows):
    """Return the losses, the trained model, and that with the averages of its weights."""
    model.save(folder / "start.npz")
    flat = [(ids.ravel().tolist(), targets.ravel().tolist()) for ids, targets in windows]
    request = {"texts": TEXTS, "steps": STEPS, "rate": RATE, "rule": RULE, "windows": flat}
    (folder / "request.json").write_text(json.dumps(request))
    subprocess.run(["node", str(HERE / "run_trainer.js"), str(folder)], check=True)
    answer = json.loads((folder / "answer.json").read_text())
    return answer["losses"], open_model(folder / "end.npz"), open_model(folder / "averages.npz")


def train_in_tensorflow(model, windows):
    """Return the losses, the weights, and their averages, of the graph that charrnn-train trains."""
    from charrnn.hyperparameters import Hyperparameters
    from charrnn.system.tensorflow import tf
    from charrnn.training.distributed import Processes
    from charrnn.training.graph import TrainingGraph

    hyper = Hyperparameters(
        batch_size=TEXTS, num_steps=STEPS, lstm_size=SIZE, learning_rate=RATE, **RULE
    )
    graph = TrainingGraph(len(CHARS), hyper, Processes())
    losses = []
    state = None
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        graph.set_weights(session, model.weights)
        for ids, targets in windows:
            feed = {graph.inputs: ids.T, graph.targets: targets.T, graph.keep_prob: 1.0}
            if state:
                feed[graph.initial_state] = state
            loss, state, _ = session.run([graph.loss, graph.final_state, graph.optimizer], feed)
            losses.append(loss)
        variables = {variable.op.name: variable for variable in tf.trainable_variables()}
        return losses, session.run(variables), graph.weights(session)


def test_two_windows_change_all_weights_as_charrnn_train_does(tmp_path):
    model = started()
    windows = two_windows()
    losses_in_node, trained, averages = train_in_node(tmp_path, model, windows)
    losses, weights, smoothed = train_in_tensorflow(model, windows)
    np.testing.assert_allclose(losses_in_node, losses, atol=1e-5)
    for name in weights:
        np.testing.assert_allclose(trained.weights[name], weights[name], atol=1e-4)
        np.testing.assert_allclose(averages.weights[name], smoothed[name], atol=1e-4)
        assert np.abs(weights[name] - model.weights[name]).max() > 1e-3


def answered(program):
    """Return what a program prints in node, which has the trainer of a window without a rule of its own."""
    whole = (
        f"const load = require({json.dumps(str(HERE / 'load.js'))});"
        "const { Trainer, PLAIN, setVariables, initialVariables } = load();"
        "const sizes = { numClasses: 9, lstmSize: 12, numLayers: 2 };"
        "const trainerOf = (rule, seed) => {"
        "  const trainer = new Trainer(sizes, { texts: 8, steps: 5 }, [load.kernel], { ...PLAIN, ...rule }, seed);"
        "  setVariables(trainer, initialVariables(sizes, 3)); return trainer; };"
        "const ids = Int32Array.from({ length: 48 }, (_, place) => (place * place) % 9);"
        f"console.log(JSON.stringify((() => {{ {program} }})()));"
    )
    return json.loads(subprocess.check_output(["node", "-e", whole]).decode())


def test_the_gradient_is_that_of_the_loss_with_the_same_masks():
    """A step along the gradient, which is the same in both directions, changes the loss by the square of its norm."""
    expected, measured = answered("""
        const trainer = trainerOf({ keep_prob: 0.75, recurrent_keep_prob: 0.7 }, 6);
        const lossOf = () => { trainer.reset(); return trainer.read(ids.subarray(0, 40), ids.subarray(8)); };
        lossOf();
        trainer.differentiate();
        const slopes = trainer.gradients.slice();
        const weights = trainer.weights.slice();
        const step = 0.05;
        const movedBy = (size) => {
          trainer.weights.set(weights.map((weight, place) => weight + size * slopes[place]));
          return lossOf();
        };
        const square = slopes.reduce((sum, slope) => sum + slope * slope, 0);
        return [square, (movedBy(step) - movedBy(-step)) / (2 * step)];
    """)
    assert measured == pytest.approx(expected, rel=0.01)


def test_dropout_keeps_its_share_and_each_seed_has_masks_of_its_own():
    kept, factors, same, other_seed, other_step = answered("""
        const maskOf = (seed, updates) => {
          const trainer = trainerOf({ recurrent_keep_prob: 0.7 }, seed);
          trainer.updates = updates;
          trainer.layers[0].dropped.fill(1);
          trainer.dropRecurrent(0);
          return Array.from(trainer.layers[0].dropped);
        };
        const first = maskOf(1, 0);
        const shareOfSame = (mask) => mask.filter((value, place) => value === first[place]).length / mask.length;
        const kept = first.filter((value) => value > 0);
        return [
          kept.length / first.length,
          [...new Set(kept)],
          shareOfSame(maskOf(1, 0)),
          shareOfSame(maskOf(2, 0)),
          shareOfSame(maskOf(1, 1)),
        ];
    """)
    assert kept == pytest.approx(0.7, abs=0.06)
    assert factors == [pytest.approx(1 / 0.7)]
    assert same == 1
    # Two masks have the same value at 0.49 + 0.09 of the places.
    assert other_seed == pytest.approx(0.58, abs=0.08)
    assert other_step == pytest.approx(0.58, abs=0.08)
