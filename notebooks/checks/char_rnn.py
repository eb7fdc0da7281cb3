"""The check of CharRNN: its results and its update against the package's network of the same weights."""

from difflib import get_close_matches
from typing import Any, List, NamedTuple

import numpy as np

from charrnn import model
from charrnn.system.tensorflow import tf
from charrnn.system.words import plural

from . import words
from .answer import ATTRIBUTES, Unwritten, Wrong, exception, need
from .build_optimizer import adam_operations, reachable, run_updates
from .constructor import Constructor
from .tensors import close, compare, same
from .verdict import in_own_thread

# exchanged sizes show
SIZES = dict(num_classes=5, batch_size=3, num_steps=6, lstm_size=4, num_layers=2)
OTHERS = dict(num_classes=3, batch_size=2, num_steps=4, lstm_size=6, num_layers=1)


class Numbers(NamedTuple):
    """What a network gives, with the weights of the check.

    The results are prediction, logits, loss and final state.
    """

    shapes: List[str]  # names and shapes
    results: List[Any]  # for a window and a state
    unfed: List[Any]  # for the state of zeros
    masks: int  # random operations before the logits
    learning_rate: float
    # of all variables, which Adam gets; None where a network that writes has no optimizer
    gradients: Any


def examine(answer: Any) -> None:
    """Build the network in two sizes, for sampling, and several times."""
    maker = Constructor(answer)
    try:
        variables = _examine_network(maker, **SIZES, learning_rate=0.01, grad_clip=0.002)
        _examine_network(maker, **OTHERS, learning_rate=0.0625, grad_clip=1000)  # nothing to clip
        found = set(_examine_network(maker, **SIZES, sampling=True))
        others = sorted(
            found - set(variables)
            or {one for one in variables if "Adam" not in one and "beta" not in one} - found
        )
        need(
            not others,
            f"These variables have another name or shape: {', '.join(others[:4])}. So what the other "
            "network has learned cannot be loaded. Do not keep the state in variables: it is fed.",
        )
        _examine_seed(maker)
    except Wrong as wrong:
        raise maker.cause(wrong)
    except Exception as error:  # what the class made can fail in any way when it is used
        raise maker.cause(Wrong(f"What it made cannot be used: {exception(error, answer)}"))


def _examine_network(maker: Constructor, **arguments: Any) -> List[str]:
    """Compare a network with the package's; return the names and shapes of its variables."""
    tf.reset_default_graph()
    network = maker.build(**arguments)
    _examine_attributes(network, "sampling" in arguments)
    right = in_own_thread(lambda: _measure(model.CharRNN(**arguments), **arguments))
    shapes = _described(tf.trainable_variables())
    kernel = tf.trainable_variables()[:1]
    came = kernel and kernel[0].shape.as_list()[0] - arguments["lstm_size"]
    due = arguments["num_classes"]
    need(
        not kernel or came == due or "cell_0" not in kernel[0].name,
        f"At each step the first layer gets {plural(came, 'number')}, in place of C = {due}: give dynamic_rnn the ids "
        "made one-hot, tf.one_hot(self.inputs, num_classes).",
    )
    need(
        [shape.split()[1:] for shape in shapes] == [shape.split()[1:] for shape in right.shapes],
        f"The variables should be {', '.join(right.shapes)}, but they are {', '.join(shapes) or 'none'}: call "
        "build_lstm, dynamic_rnn and build_output once each. tf.one_hot needs no variables, and the default graph is "
        "reset once, at the beginning.",
    )
    found = _measure(network, **arguments)
    _examine_results(found, right)
    # of dynamic_rnn, and of a loop over the steps
    masks = (right.masks, arguments["num_steps"] * right.masks)
    need(
        found.masks in masks or "sampling" in arguments,
        "There is more dropout than that of build_lstm, or less: it should act once, on the outputs of each layer. "
        "Give build_lstm self.keep_prob, and use the cell, the inputs and the outputs as they are.",
    )
    if found.gradients is not None:
        compare(
            found.learning_rate,
            right.learning_rate,
            "Give build_optimizer the learning_rate of the constructor. Of Adam's learning rate",
        )
        compare(
            found.gradients,
            right.gradients,
            "The gradients that Adam gets are not those of the loss, clipped: give build_optimizer self.loss, as "
            "it is, and the grad_clip of the constructor.",
        )
    need(
        shapes == right.shapes,
        f"The variables should be named {right.shapes[0].split()[0]} and so on, but they are named "
        f"{shapes[0].split()[0]}. The rest of the notebook finds them by their names in the checkpoints: use "
        "dynamic_rnn, without a scope of your own.",
    )
    return _described(tf.global_variables())


def _described(variables: List[tf.Variable]) -> List[str]:
    return [f"{one.op.name} {one.shape.as_list()}" for one in variables]


def _examine_attributes(network: Any, sampling: bool) -> None:
    """Check that a network has its attributes, and of which kind they are. One that writes needs no optimizer."""
    wanted = ATTRIBUTES[:-1] if sampling else ATTRIBUTES
    absent = [name for name in wanted if not hasattr(network, name)]
    none = [name for name in wanted if name not in absent and getattr(network, name) is None]
    for name in absent:
        similar = get_close_matches(
            name, [one for one in vars(network) if one not in ATTRIBUTES], 1
        )
        need(
            not similar,
            f"The attribute {name} is missing. There is one named {''.join(similar)}: is that it?",
        )
    if absent or none:
        raise Unwritten(
            " ".join(
                f"{what}: {', '.join(names)}."
                for what, names in [("Still None", none), ("Missing", absent)]
                if names
            )
        )
    for name in ("inputs", "targets", "keep_prob", "prediction", "logits", "loss"):
        need(
            isinstance(getattr(network, name), tf.Tensor),
            f"{name} should be a tensor, not {words.describe(getattr(network, name))}.",
        )
    for name in ("inputs", "targets", "keep_prob"):
        found = getattr(network, name).op.name
        need(
            found == name,
            f"{name} is named {found!r} in the graph: call build_inputs once, for all three.",
        )


def _measure(
    network: Any,
    num_classes: int,
    batch_size: int,
    num_steps: int,
    lstm_size: int,
    num_layers: int,
    sampling: bool = False,
    **_: Any,
) -> Numbers:
    """Run a network that is in the default graph, with weights so large that a mistake shows in every result."""
    n, m = (1, 1) if sampling else (batch_size, num_steps)
    random = np.random.RandomState(7)
    inputs, targets = random.randint(0, num_classes, size=[2, n, m]).astype(np.int32)
    values = random.normal(size=[num_layers, 2, n, lstm_size]).astype(np.float32)
    zeros, state = (
        tuple(tf.nn.rnn_cell.LSTMStateTuple(*layer) for layer in array)
        for array in (0 * values, values)
    )
    variables = tf.trainable_variables()
    optimizer = getattr(network, "optimizer", None)
    operations = adam_operations(*[optimizer] * (optimizer is not None))
    names = [one.op.name for one in variables]
    left = [name for name in names if optimizer is not None and name not in operations]
    need(
        not left,
        f"The optimizer does not train {', '.join(left or names)}: it should be what build_optimizer "
        "returns for self.loss. Or no gradient flows there: is there a tf.stop_gradient?",
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for variable in variables:
            variable.load(random.normal(size=variable.shape.as_list()).astype(np.float32), session)
        feeds = [
            {
                network.inputs: inputs,
                network.targets: targets,
                network.keep_prob: 1.0,
                network.initial_state: before,
            }
            for before in (state, zeros)
        ]
        results = [
            session.run(
                [network.prediction, network.logits, network.loss, network.final_state], feed
            )
            for feed in feeds
        ]
        updates = run_updates(session, operations, feeds[0])
    masks = sum(one.type.startswith("Random") for one in reachable(network.logits))
    return Numbers(
        _described(variables),
        *results,
        masks,
        updates[names[0]].learning_rate if updates else 0.0,
        np.concatenate([updates[name].gradient.ravel() for name in names]) if updates else None,
    )


def _examine_results(found: Numbers, right: Numbers) -> None:
    prediction, logits, loss, final_state = found.results
    expected = right.results
    same_state = np.shape(final_state) == np.shape(expected[3]) and close(
        np.array(final_state), np.array(expected[3])
    )
    need(
        not same(logits, right.unfed[1]),
        "Another initial state makes no difference: give dynamic_rnn initial_state=self.initial_state.",
    )
    compare(
        logits,
        expected[1],
        "The outputs of dynamic_rnn or the logits are changed, or put into another order: pass on what dynamic_rnn "
        "and build_output return, as it is."
        if same_state
        else "The LSTM does not compute what it should: x_one_hot should be tf.one_hot(self.inputs, num_classes). Give "
        "dynamic_rnn the cell of build_lstm, x_one_hot, and initial_state=self.initial_state, and nothing else.",
    )
    compare(
        prediction,
        expected[0],
        "prediction should be the probabilities, as build_output returns them.",
    )
    need(
        same_state,
        "final_state should be the state that dynamic_rnn returns, c and h for each layer.",
    )
    compare(
        loss,
        expected[2],
        "self.loss should be the result of build_loss, as it is: on a small example",
    )


def _examine_seed(maker: Constructor) -> None:
    """Build three networks one after the other, and check that their initial weights follow from the seed."""
    weights = []
    for seed in (1, 1, 2):
        try:
            maker.build(seed=seed, **OTHERS)
        except Wrong as wrong:
            raise Wrong(f"It cannot be built a second time: reset the default graph first. {wrong}")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            weights.append(session.run(tf.trainable_variables()[0]))
    need(
        close(*weights[:2]),
        "Two networks with the same seed have different initial weights: call tf.set_random_seed(seed) after "
        "tf.reset_default_graph(), which forgets the seed, and before the first tensor is made.",
    )
    need(
        not close(*weights[1:]),
        "Another seed makes no difference to the initial weights: give tf.set_random_seed the argument seed.",
    )
