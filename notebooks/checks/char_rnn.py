"""The check of CharRNN: its results and its update against the package's network of the same weights."""
from difflib import get_close_matches
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from charrnn import model
from charrnn.system.tensorflow import tf

from . import words
from .answer import ATTRIBUTES, Unwritten, Wrong, exception, need
from .build_optimizer import adam_operations, run_updates
from .constructor import Constructor
from .tensors import close, cross_entropies, softmax
from .verdict import in_own_thread

HINTS = (
    "Every stub is one or two calls of a function that you wrote, or of tf.one_hot and tf.nn.dynamic_rnn. What "
    "one returns is what the next one takes; the architecture picture shows the order.",
    "n_rows and n_steps are 1 for sampling, and the arguments otherwise; from there on use n_rows and n_steps. "
    "build_lstm takes self.keep_prob, and dynamic_rnn takes initial_state=self.initial_state and returns the "
    "outputs first, then the final state.",
    "The first and the fourth stub:\n"
    "    n_rows, n_steps = (1, 1) if sampling else (batch_size, num_steps)\n"
    "    x_one_hot = tf.one_hot(self.inputs, num_classes)\n"
    "    outputs, self.final_state = tf.nn.dynamic_rnn(\n"
    "        cell, x_one_hot, initial_state=self.initial_state)\n"
    "build_loss takes self.logits, and build_optimizer takes self.loss.",
)
N, M, L, C, LAYERS = 3, 6, 4, 5, 2  # all different, so that exchanged sizes show
SIZES = dict(batch_size=N, num_steps=M, lstm_size=L, num_layers=LAYERS)
OTHERS = dict(batch_size=2, num_steps=4, lstm_size=6, num_layers=1)  # for 3 characters


class Reference(NamedTuple):
    """What the package's network has and gives, with the weights and the state of the check."""

    names: List[str]
    shapes: List[List[int]]
    results: List[Any]  # prediction, logits, loss and final state for a window
    exchanged: List[Any]  # the same where inputs and targets are exchanged
    gradients: List[np.ndarray]  # of the loss, for each variable


def examine(answer: Any) -> Optional[str]:
    """Build the network in two sizes, twice, and for sampling; return a remark on a right answer, or None."""
    maker = Constructor(answer)
    try:
        names = _examine_size(maker, C, SIZES, learning_rate=0.01, grad_clip=0.002)
        _examine_second_build(maker)
        _examine_size(maker, 3, OTHERS, learning_rate=0.0625, grad_clip=1000)  # nothing to clip
        _examine_dropout(maker)
        _examine_seed(maker)
        _examine_sampling(maker, names)
    except Wrong as wrong:
        raise maker.cause(wrong)
    except Exception as error:  # what the class made can fail in any way when it is used
        raise maker.cause(Wrong(f"What it made cannot be used: {exception(error, answer)}"))
    expected = "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel"
    if names[0] != expected:
        return (f"(One remark: the variables are named {names[0]} and so on, but {expected} and so on in the "
                "solution. The network works, but the package cannot load its checkpoints.)")
    return None


def _examine_size(maker: Constructor, num_classes: int, sizes: Dict[str, int], **rates: float) -> List[str]:
    """Check a network for training; return the names of its variables."""
    tf.reset_default_graph()
    network = _checked(maker.build(num_classes, **sizes, **rates))
    reference = in_own_thread(_reference, num_classes, sizes)
    _examine_variables(reference, num_classes, sizes)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        _load_weights(session)
        _examine_results(maker, session, num_classes, sizes, reference)
        _examine_keep_prob(network, session, num_classes, sizes)
        _examine_update(network, session, num_classes, sizes, reference, **rates)
    return [variable.op.name for variable in tf.trainable_variables()]


def _checked(network: Any) -> Any:
    """Check that a network has its attributes; return it."""
    absent = [name for name in ATTRIBUTES if not hasattr(network, name)]
    none = [name for name in ATTRIBUTES if name not in absent and getattr(network, name) is None]
    for name in absent:
        similar = get_close_matches(name, [one for one in vars(network) if one not in ATTRIBUTES], 1)
        need(not similar, f"The attribute {name} is missing. There is one named {''.join(similar)}: is that it?")
    if absent or none:
        message = f"Still None: {', '.join(none)}." if none else ""
        raise Unwritten(message + f"{' ' if none else ''}Missing: {', '.join(absent)}." if absent else message)
    need(isinstance(network.optimizer, (tf.Operation, tf.Tensor)),
         f"optimizer should be the operation of one update, not {words.describe(network.optimizer)}.")
    for name in ("inputs", "targets", "keep_prob", "prediction", "logits", "loss"):
        need(isinstance(getattr(network, name), tf.Tensor),
             f"{name} should be a tensor, not {words.describe(getattr(network, name))}.")
    for name, other in [("inputs", "targets"), ("targets", "inputs")]:
        need(getattr(network, name).op.name != other,
             f"{name} is the placeholder named {other!r}: build_inputs returns inputs, targets, keep_prob in this "
             "order.")
    need(network.prediction.dtype == tf.float32,
         f"prediction should be float32, the probabilities, but it is {network.prediction.dtype.name}.")
    return network


def _reference(num_classes: int, sizes: Dict[str, int]) -> Reference:
    network = model.CharRNN(num_classes, **sizes)
    variables, window, state = tf.trainable_variables(), _window(num_classes, sizes), _states(sizes)[1]
    gradients = tf.gradients(network.loss, variables)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        _load_weights(session)
        return Reference([one.op.name for one in variables], [one.shape.as_list() for one in variables],
                         _results(network, session, window, state),
                         _results(network, session, window[::-1], state),
                         session.run(gradients, _feed(network, window, state)))


def _examine_variables(reference: Reference, num_classes: int, sizes: Dict[str, int]) -> None:
    variables, size, layers = tf.trainable_variables(), sizes["lstm_size"], sizes["num_layers"]
    names, shapes = [one.op.name for one in variables], [one.shape.as_list() for one in variables]
    if shapes == reference.shapes:
        return
    need(names, "There are no variables in the default graph: reset it once, at the beginning.")
    more = [name for name, shape in zip(names, shapes) if shape not in reference.shapes] or [
        name for name in names if name not in reference.names]
    if len(names) > len(reference.names) and more:
        raise Wrong(f"The network has {words.count(len(more), 'variable')} more than it should: {words.listing(more)}. "
                    "tf.one_hot needs no variables. All variables should come from the LSTM layers and from one "
                    "call of build_output.")
    kernels = [shape for shape in shapes if len(shape) == 2 and shape[1] == 4 * size]
    need(not kernels or len(kernels) == layers,
         f"With num_layers = {layers} the network has {words.count(len(kernels), 'LSTM layer')}: give build_lstm "
         "num_layers.")
    if kernels and kernels[0] != reference.shapes[0]:
        raise Wrong(f"The LSTM reads vectors of {words.count(kernels[0][0] - size, 'number')}, but a one-hot "
                    f"character has C = {num_classes}: give tf.one_hot the depth num_classes.")
    have, right = (", ".join(f"{name} {shape}" for name, shape in zip(*each))
                   for each in ((names, shapes), reference[:2]))
    raise Wrong(f"The trainable variables should be {right}, but they are {have or 'none'}.")


def _load_weights(session: tf.Session) -> None:
    """Set the trainable variables to numbers large enough that a mistake shows in every result."""
    random = np.random.RandomState(2)
    for variable in tf.trainable_variables():
        variable.load(random.normal(size=variable.shape.as_list()).astype(np.float32), session)


def _window(num_classes: int, sizes: Dict[str, int]) -> Tuple[np.ndarray, np.ndarray]:
    ids = np.random.RandomState(7).randint(0, num_classes, size=[2, sizes["batch_size"], sizes["num_steps"]])
    return ids[0].astype(np.int32), ids[1].astype(np.int32)


def _states(sizes: Dict[str, int]) -> Tuple[Any, Any]:
    """Return a state of zeros and another."""
    shape = [sizes["num_layers"], 2, sizes["batch_size"], sizes["lstm_size"]]
    values = np.random.RandomState(1).normal(size=shape).astype(np.float32)
    wrap = tf.nn.rnn_cell.LSTMStateTuple
    zeros, other = (tuple(wrap(*layer) for layer in array) for array in (np.zeros_like(values), values))
    return zeros, other


def _feed(network: Any, window: Tuple[np.ndarray, np.ndarray], state: Any, keep_prob: float = 1.0) -> Dict:
    return {network.inputs: window[0], network.targets: window[1], network.keep_prob: keep_prob,
            network.initial_state: state}


def _results(network: Any, session: tf.Session, window: Any, state: Any) -> List[Any]:
    fetches = [network.prediction, network.logits, network.loss, network.final_state]
    return session.run(fetches, _feed(network, window, state))


def _examine_results(maker: Constructor, session: tf.Session, num_classes: int, sizes: Dict[str, int],
                     reference: Reference) -> None:
    network = maker.network
    window, (zeros, other), expected = _window(num_classes, sizes), _states(sizes), reference.results
    prediction, logits, loss, final_state = _results(network, session, window, other)
    need(not (close(prediction, expected[1]) and close(logits, expected[0])),
         "prediction and logits are swapped: build_output returns the predictions first, then the logits.")
    need(not close(logits, _results(network, session, window, zeros)[1]),
         "Another initial state makes no difference: give dynamic_rnn initial_state=self.initial_state.")
    need(not close(logits, reference.exchanged[1]), "The network reads the targets: it should read the inputs.")
    if not close(logits, expected[1]):
        raise Wrong(_explain_logits(maker, session, np.eye(num_classes)[window[0]], _feed(network, window, other),
                                    close(np.array(final_state), np.array(expected[3]))))
    need(not close(prediction, logits), "prediction holds the logits: it should be the first result of "
                                        "build_output.")
    need(not close(prediction, softmax(expected[0])), "prediction has been through the softmax a second time: "
                                                      "build_output does it once.")
    need(close(prediction, expected[0]), "prediction is not the softmax of the logits.")
    _examine_final_state(final_state, expected[3], other)
    _examine_loss(loss, expected[2], prediction, logits, window)


def _explain_logits(maker: Constructor, session: tf.Session, one_hot: np.ndarray, feed: Dict,
                    right_state: bool) -> str:
    """Say where the logits become wrong: before, in or after dynamic_rnn, whose final state is right or not."""
    given, returned = maker.local.get("x_one_hot"), maker.results_of("build_output")
    if isinstance(given, tf.Tensor) and not close(session.run(given, feed), one_hot):
        return "x_one_hot should be the inputs made one-hot, as tf.one_hot(self.inputs, num_classes) makes them."
    if returned and maker.network.logits is not returned[1]:
        return "self.logits should be the second result of build_output, as it is."
    if right_state:
        return ("The outputs are changed, or put into another order, between dynamic_rnn and build_output: pass "
                "them on as they are.")
    return ("The LSTM does not compute what it should: give dynamic_rnn the cell of build_lstm, x_one_hot, and "
            "initial_state=self.initial_state, and nothing else.")


def _examine_keep_prob(network: Any, session: tf.Session, num_classes: int, sizes: Dict[str, int]) -> None:
    window, state = _window(num_classes, sizes), _states(sizes)[1]
    kept, dropped = (session.run(network.logits, _feed(network, window, state, keep_prob=keep_prob))
                     for keep_prob in (1.0, 0.3))
    need(not close(dropped, kept), "Feeding keep_prob makes no difference: give build_lstm self.keep_prob.")


def _examine_dropout(maker: Constructor) -> None:
    """Check that dropout acts on the outputs of a layer only, and once: the logits of this network are its outputs."""
    keep_prob, num_classes, sizes = 0.75, 9, dict(batch_size=8, num_steps=6, lstm_size=7, num_layers=1)
    tf.reset_default_graph()
    network = _checked(maker.build(num_classes, **sizes))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        _load_weights(session)
        for variable in tf.trainable_variables():
            if variable.shape.as_list() in ([7, 9], [9]):  # of the softmax layer
                variable.load(np.eye(7, 9) if variable.shape.ndims == 2 else np.zeros(9), session)
        kept, dropped = (session.run(network.logits, _feed(
            network, _window(num_classes, sizes), _states(sizes)[1], share))[:, :7] for share in (1.0, keep_prob))
    zero = dropped == 0
    need(np.allclose(dropped[~zero], kept[~zero] / keep_prob, rtol=1e-3, atol=1e-5)
         and abs(1 - keep_prob - zero.mean()) < 0.12,  # of 336 numbers: five standard deviations
         "There is more dropout than that of build_lstm: it should act once, on the outputs of each layer. Use the "
         "cell, the inputs and the outputs as they are.")


def _examine_final_state(found: Any, expected: Any, before: Any) -> None:
    need(isinstance(found, tuple) and np.shape(found) == np.shape(expected),
         f"final_state should have c and h for each layer, like initial_state, but it is {words.describe(found)}.")
    need(not close(np.array(found), np.array(before)),
         "final_state is the state before the window: it should be the one that dynamic_rnn returns.")
    need(close(np.array(found), np.array(expected)), "final_state is not the state that dynamic_rnn returns.")


def _examine_loss(loss: np.ndarray, expected: float, prediction: np.ndarray, logits: np.ndarray,
                  window: Any) -> None:
    if close(loss, expected):
        return
    inputs, targets = window
    need(not close(loss, cross_entropies(prediction, targets).mean()),
         "The loss is made from the predictions: build_loss takes the logits.")
    need(not close(loss, cross_entropies(softmax(prediction), targets).mean()),
         "The loss is made from the predictions, with an extra softmax: build_loss takes the logits.")
    need(not close(loss, cross_entropies(logits, inputs).mean()),
         "The loss compares the predictions with the inputs: it should compare them with the targets.")
    raise Wrong(f"On a small example the loss should be {expected:.4f}, but it is {np.mean(loss):.4f}: self.loss "
                "should be the result of build_loss, as it is.")


def _examine_update(network: Any, session: tf.Session, num_classes: int, sizes: Dict[str, int],
                    reference: Reference, learning_rate: float, grad_clip: float) -> None:
    """Check that the loss, learning_rate and grad_clip reach the optimizer, and that every variable is trained."""
    operations = adam_operations(network.optimizer)
    need(operations, "optimizer does not do an update with Adam: it should be what build_optimizer returns.")
    left = [one.op.name for one in tf.trainable_variables() if one.op.name not in operations]
    if left:
        gradients = tf.gradients(network.loss, [one for one in tf.trainable_variables() if one.op.name in left])
        raise Wrong(f"The optimizer does not train {words.listing(left)}"
                    + (": no gradient flows there from the loss. Is there a tf.stop_gradient?"
                       if any(one is None for one in gradients) else "."))
    updates = run_updates(session, operations, _feed(network, _window(num_classes, sizes), _states(sizes)[1]))
    rate = next(iter(updates.values())).learning_rate
    gradients = [updates[one.op.name].gradient for one in tf.trainable_variables()]
    norm, usual = (np.sqrt(sum((one ** 2).sum() for one in each)) for each in (gradients, reference.gradients))
    need(not (close(rate, grad_clip) and close(norm, learning_rate)),
         "learning_rate and grad_clip are swapped: build_optimizer takes loss, learning_rate, grad_clip.")
    need(usual < grad_clip or abs(norm - grad_clip) < 0.05 * grad_clip,
         f"With grad_clip = {grad_clip:g} the gradients should have that global norm, but they have {norm:.4f}: "
         "give build_optimizer the grad_clip of the constructor.")
    need(close(rate, learning_rate),
         f"With learning_rate = {learning_rate:g} Adam's learning rate is {rate:.4g}: give build_optimizer the "
         "learning_rate of the constructor.")
    scale = min(1, grad_clip / usual)
    need(not all(close(one, -scale * right) for one, right in zip(gradients, reference.gradients)),
         "The optimizer makes the loss larger: give build_optimizer self.loss, without a minus.")
    need(all(close(one, scale * right) for one, right in zip(gradients, reference.gradients)),
         "The gradients are not those of the loss: give build_optimizer self.loss itself.")


def _examine_seed(maker: Constructor) -> None:
    """Check that the initial weights follow from the seed."""
    first, again, other = (_initial_weights(maker, seed) for seed in (1, 1, 2))
    need(close(first, again),
         "Two networks with the same seed have different initial weights: call tf.set_random_seed(seed) after "
         "tf.reset_default_graph(), which forgets the seed, and before the first tensor is made.")
    need(not close(first, other),
         "Another seed makes no difference to the initial weights: give tf.set_random_seed the argument seed.")


def _initial_weights(maker: Constructor, seed: int) -> np.ndarray:
    maker.build(3, seed=seed, **OTHERS)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(tf.trainable_variables()[0])


def _examine_second_build(maker: Constructor) -> None:
    """Build into the graph that has the first network."""
    try:
        again = maker.build(C, **SIZES)
    except Wrong as wrong:
        raise Wrong(f"It cannot be built a second time: reset the default graph first. {wrong}")
    need(again.inputs.op.name == "inputs" or again.inputs.op.name[-2:] != "_1",
         f"Built a second time, inputs is named {again.inputs.op.name!r}: reset the default graph first.")


def _examine_sampling(maker: Constructor, names: List[str]) -> None:
    """Check the network for one character of one sequence."""
    tf.reset_default_graph()
    try:
        _checked(maker.build(C, sampling=True, **SIZES))
    except Unwritten as unwritten:
        raise Unwritten(f"With sampling=True: {unwritten}")
    _examine_single(maker)
    found = [one.op.name for one in tf.trainable_variables()]
    need(found == names, "With sampling=True the variables have other names, so what the other network has "
                         "learned cannot be loaded.")


def _examine_single(maker: Constructor) -> None:
    network = maker.network
    need(words.brackets(network.inputs.shape) == "[1, 1]",
         "With sampling=True N and M should both be 1, whatever batch_size and num_steps are, but inputs is "
         f"{words.brackets(network.inputs.shape)}.")
    shapes = [words.brackets(network.initial_state[0][0].shape), words.brackets(network.prediction.shape)]
    need(shapes == [str([1, L]), str([1, C])],
         f"With sampling=True the state should be [1, L] = [1, {L}] and the prediction [1, C] = [1, {C}], but "
         f"they are {words.listing(shapes)}.")
    one = dict(SIZES, batch_size=1, num_steps=1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        _load_weights(session)
        _examine_results(maker, session, C, one, in_own_thread(_reference, C, one))
