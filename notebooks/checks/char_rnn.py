"""The check of CharRNN: its results and its update against the package's network of the same weights."""

from difflib import get_close_matches
from typing import Any, Dict, List, NamedTuple

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


class Results(NamedTuple):
    """What a network computes of a window and an initial state."""

    prediction: np.ndarray
    logits: np.ndarray
    loss: np.ndarray
    final_state: Any


class Measured(NamedTuple):
    """What a network does with the weights of the check."""

    variables: List[str]  # those that are trained, with their shapes
    results: Results
    from_zeros: Results  # with the state of zeros
    masks: int  # random operations before the logits
    learning_rate: float
    gradients: Any  # of all variables, which Adam gets; None where there is no optimizer


def examine(answer: Any) -> None:
    """Build the network in two sizes, for sampling, and several times."""
    maker = Constructor(answer)
    try:
        trained = _examine_network(maker, **SIZES, learning_rate=0.01, grad_clip=0.002)
        _examine_network(maker, **OTHERS, learning_rate=0.0625, grad_clip=1000)  # nothing to clip
        for_sampling = _examine_network(maker, **SIZES, sampling=True)
        _compare_variables(trained, for_sampling)
        _examine_seed(maker)
    except Wrong as wrong:
        raise maker.cause(wrong)
    except Exception as error:  # what the class made can fail in any way when it is used
        raise maker.cause(Wrong(f"What it made cannot be used: {exception(error, answer)}"))


def _compare_variables(trained: List[str], for_sampling: List[str]) -> None:
    """Check that a network for sampling has the weights of one that is trained."""
    weights = [name for name in trained if "Adam" not in name and "beta" not in name]
    others = sorted(set(for_sampling) - set(trained)) or sorted(set(weights) - set(for_sampling))
    need(
        not others,
        f"These variables have another name or shape: {', '.join(others[:4])}. So what the other "
        "network has learned cannot be loaded. Do not keep the state in variables: it is fed.",
    )


def _examine_network(maker: Constructor, **arguments: Any) -> List[str]:
    """Compare a network with the package's; return the names and shapes of its variables."""
    tf.reset_default_graph()
    network = maker.build(**arguments)
    is_sampling = "sampling" in arguments
    _examine_attributes(network, is_sampling)
    expected = in_own_thread(lambda: _measure(model.CharRNN(**arguments), **arguments))
    variables = _described(tf.trainable_variables())
    _examine_shapes(variables, expected.variables, arguments)

    actual = _measure(network, **arguments)
    _examine_results(actual, expected)
    # dynamic_rnn drops in one operation, a loop over the steps in each of them
    allowed = (expected.masks, arguments["num_steps"] * expected.masks)
    need(
        actual.masks in allowed or is_sampling,
        "There is more dropout than that of build_lstm, or less: it should act once, on the outputs of each layer. "
        "Give build_lstm self.keep_prob, and use the cell, the inputs and the outputs as they are.",
    )

    if actual.gradients is not None:
        compare(
            actual.learning_rate,
            expected.learning_rate,
            "Give build_optimizer the learning_rate of the constructor. Of Adam's learning rate",
        )
        compare(
            actual.gradients,
            expected.gradients,
            "The gradients that Adam gets are not those of the loss, clipped: give build_optimizer self.loss, as "
            "it is, and the grad_clip of the constructor.",
        )
    need(
        variables == expected.variables,
        f"The variables should be named {_name(expected.variables[0])} and so on, but they are named "
        f"{_name(variables[0])}. The rest of the notebook finds them by their names in the checkpoints: use "
        "dynamic_rnn, without a scope of your own.",
    )
    return _described(tf.global_variables())


def _described(variables: List[tf.Variable]) -> List[str]:
    return [f"{variable.op.name} {variable.shape.as_list()}" for variable in variables]


def _name(described: str) -> str:
    name, _, _ = described.partition(" ")
    return name


def _shape(described: str) -> str:
    _, _, shape = described.partition(" ")
    return shape


def _examine_shapes(variables: List[str], expected: List[str], arguments: Dict[str, Any]) -> None:
    """Check the shapes of what is trained; where the first layer reads something else, say so."""
    kernels = tf.trainable_variables()[:1]
    num_classes = arguments["num_classes"]
    if kernels and "cell_0" in kernels[0].name:
        n_rows = kernels[0].shape.as_list()[0]
        inputs = n_rows - arguments["lstm_size"]
        need(
            inputs == num_classes,
            f"At each step the first layer gets {plural(inputs, 'number')}, in place of C = {num_classes}: give "
            "dynamic_rnn the ids made one-hot, tf.one_hot(self.inputs, num_classes).",
        )
    need(
        list(map(_shape, variables)) == list(map(_shape, expected)),
        f"The variables should be {', '.join(expected)}, but they are {', '.join(variables) or 'none'}: call "
        "build_lstm, dynamic_rnn and build_output once each. tf.one_hot needs no variables, and the default graph is "
        "reset once, at the beginning.",
    )


def _examine_attributes(network: Any, sampling: bool) -> None:
    """Check that a network has its attributes, and of which kind they are. One that writes needs no optimizer."""
    wanted = [name for name in ATTRIBUTES if name != "optimizer" or not sampling]
    absent = [name for name in wanted if not hasattr(network, name)]
    none = [name for name in wanted if getattr(network, name, "absent") is None]
    others = [name for name in vars(network) if name not in ATTRIBUTES]

    for name in absent:
        similar = get_close_matches(name, others, n=1)
        need(
            not similar,
            f"The attribute {name} is missing. There is one named {''.join(similar)}: is that it?",
        )

    sentences = []
    if none:
        sentences.append(f"Still None: {', '.join(none)}.")
    if absent:
        sentences.append(f"Missing: {', '.join(absent)}.")
    if sentences:
        raise Unwritten(" ".join(sentences))

    for name in ("inputs", "targets", "keep_prob", "prediction", "logits", "loss"):
        value = getattr(network, name)
        need(
            isinstance(value, tf.Tensor),
            f"{name} should be a tensor, not {words.describe(value)}.",
        )

    optimizer = getattr(network, "optimizer", None)
    need(
        optimizer is None or isinstance(optimizer, (tf.Operation, tf.Tensor)),
        f"optimizer should be the operation that build_optimizer(...) returns, not {words.describe(optimizer)}.",
    )

    for name in ("inputs", "targets", "keep_prob"):
        name_in_graph = getattr(network, name).op.name
        need(
            name_in_graph == name,
            f"{name} is named {name_in_graph!r} in the graph: call build_inputs once, for all three.",
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
) -> Measured:
    """Run a network that is in the default graph, with weights so large that a mistake shows in every result."""
    n = 1 if sampling else batch_size
    m = 1 if sampling else num_steps
    random = np.random.RandomState(7)
    inputs, targets = random.randint(0, num_classes, size=[2, n, m]).astype(np.int32)
    state = random.normal(size=[num_layers, 2, n, lstm_size]).astype(np.float32)
    variables = tf.trainable_variables()
    names = [variable.op.name for variable in variables]
    optimizer = getattr(network, "optimizer", None)
    adams = {}
    if optimizer is not None:
        adams = adam_operations(optimizer)
        _examine_trained(names, adams)

    window = {network.inputs: inputs, network.targets: targets, network.keep_prob: 1.0}
    feed = {**window, network.initial_state: _state_tuples(state)}
    feed_of_zeros = {**window, network.initial_state: _state_tuples(0 * state)}
    fetches = [network.prediction, network.logits, network.loss, network.final_state]

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for variable in variables:
            variable.load(random.normal(size=variable.shape.as_list()).astype(np.float32), session)
        results = Results(*session.run(fetches, feed))
        from_zeros = Results(*session.run(fetches, feed_of_zeros))
        updates = run_updates(session, adams, feed)

    learning_rate = 0.0
    gradients = None
    if updates:
        learning_rate = updates[names[0]].learning_rate
        gradients = np.concatenate([updates[name].gradient.ravel() for name in names])
    return Measured(
        variables=_described(variables),
        results=results,
        from_zeros=from_zeros,
        masks=sum(operation.type.startswith("Random") for operation in reachable(network.logits)),
        learning_rate=learning_rate,
        gradients=gradients,
    )


def _state_tuples(values: np.ndarray) -> Any:
    """Return a state, [layers, 2, N, L], as a network is fed it."""
    return tuple(tf.nn.rnn_cell.LSTMStateTuple(c, h) for c, h in values)


def _examine_trained(names: List[str], adams: Dict[str, tf.Operation]) -> None:
    left = [name for name in names if name not in adams]
    need(
        not left,
        f"The optimizer does not train {', '.join(left)}: it should be what build_optimizer "
        "returns for self.loss. Or no gradient flows there: is there a tf.stop_gradient?",
    )


def _examine_results(actual: Measured, expected: Measured) -> None:
    results = actual.results
    right = expected.results
    is_same_state = _is_same_state(results.final_state, right.final_state)
    need(
        not same(results.logits, expected.from_zeros.logits),
        "Another initial state makes no difference: give dynamic_rnn initial_state=self.initial_state.",
    )

    if is_same_state:
        compare(
            results.logits,
            right.logits,
            "The outputs of dynamic_rnn or the logits are changed, or put into another order: pass on what dynamic_rnn "
            "and build_output return, as it is.",
        )
    compare(
        results.logits,
        right.logits,
        "The LSTM does not compute what it should: x_one_hot should be tf.one_hot(self.inputs, num_classes). Give "
        "dynamic_rnn the cell of build_lstm, x_one_hot, and initial_state=self.initial_state, and nothing else.",
    )
    compare(
        results.prediction,
        right.prediction,
        "prediction should be the probabilities, as build_output returns them.",
    )
    need(
        is_same_state,
        "final_state should be the state that dynamic_rnn returns, c and h for each layer.",
    )
    compare(
        results.loss,
        right.loss,
        "self.loss should be the result of build_loss, as it is: on a small example",
    )


def _is_same_state(actual: Any, expected: Any) -> bool:
    if np.shape(actual) != np.shape(expected):
        return False
    return close(np.array(actual), np.array(expected))


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
        close(weights[0], weights[1]),
        "Two networks with the same seed have different initial weights: call tf.set_random_seed(seed) after "
        "tf.reset_default_graph(), which forgets the seed, and before the first tensor is made.",
    )
    need(
        not close(weights[1], weights[2]),
        "Another seed makes no difference to the initial weights: give tf.set_random_seed the argument seed.",
    )
