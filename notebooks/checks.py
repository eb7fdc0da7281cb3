"""The checks at the end of the exercises: they say in words whether an answer is right, and what is wrong.

Each ``check_…`` takes the reader's function, tries it on small inputs whose sizes all differ, compares with
what the solution does, prints the verdict and returns True or False. An exception in the reader's code
is reported, not raised. Each runs in a thread of its own: TensorFlow keeps a default graph for each thread,
so that the reader's is left alone even by a class that resets "the" default graph.

The sizes: N = 2 sequences, M = 3 steps, L = 4 units, C = 5 characters, unless a check says otherwise.
"""
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import tensorflow.compat.v1 as tf

from charrnn import data, model

N, M, L, C = 2, 3, 4, 5
EXERCISES = ("get_batches", "build_inputs", "build_lstm", "build_output", "build_loss", "build_optimizer",
             "CharRNN")
_right = {}  # exercise -> whether its last check found it right


class Wrong(Exception):
    """What is wrong with an answer, in words."""


def ready(*exercises):
    """Say whether the checks have found the exercises right; where not, print which come first.

    Args:
        exercises: names; without any, all seven.

    Returns:
        True or False.
    """
    missing = [name for name in exercises or EXERCISES if not _right.get(name)]
    if missing:
        print("The exercises come first: this cell waits for", ", ".join(missing) + ".")
    return not missing


def _report(name, examine, answer):
    """Examine an answer in a thread of its own, print the verdict, note it, and return it."""
    words = _in_own_thread(_verdict, examine, answer)
    _right[name] = not words
    print(f"{name}: not right yet. {words}" if words else f"{name}: right.")
    return not words


def _in_own_thread(function, *args):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


def _verdict(examine, answer):
    """Return what is wrong, or an empty string."""
    try:
        examine(answer)
    except Wrong as wrong:
        return str(wrong)
    except Exception as error:  # the reader's objects can fail in any way when they are used
        return f"What it made cannot be used: {_said(error)}"
    return ""


def _need(condition, words):
    if not condition:
        raise Wrong(words)


def _said(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return type(error).__name__ + (": " + lines[0] if lines else "")


def _show(value):
    """Return a short description of an argument or a result."""
    if isinstance(value, tf.Tensor):
        return f"a {value.dtype.name} tensor {_brackets(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"an {value.dtype} array {_brackets(value.shape)}"
    if isinstance(value, (bool, int, float, str, type(None))):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def _brackets(shape):
    try:
        return str([None if size is None else int(size) for size in tf.TensorShape(shape).as_list()])
    except ValueError:
        return "of unknown shape"


def _call(answer, *args, **kwargs):
    """Call the reader's code; an exception becomes a sentence."""
    try:
        return answer(*args, **kwargs)
    except Exception as error:
        given = [_show(arg) for arg in args] + [f"{key}={_show(arg)}" for key, arg in kwargs.items()]
        raise Wrong(f"Called with ({', '.join(given)}) it raised {_said(error)}.")


def _items(result, names):
    """Check that a function returned as many things as it has names, none of them None; return them."""
    expected = ", ".join(names)
    _need(result is not None, f"It returns None: it should return {expected}.")
    _need(isinstance(result, (tuple, list)) and len(result) == len(names),
          f"It should return {len(names)} things ({expected}), not {_show(result)}.")
    missing = [name for name, value in zip(names, result) if value is None]
    _need(not missing, f"Still None: {', '.join(missing)}.")
    return result


def _close(a, b):
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-3, atol=1e-5)


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _cross_entropies(logits, ids):
    """Return the loss of each step, [N·M], in nats."""
    return -np.log(_softmax(logits)[np.arange(ids.size), ids.ravel()])


# get_batches ------------------------------------------------------------------------------------------

def check_get_batches(get_batches):
    """Check the generator of mini-batches on 34 ids, of which 5 windows of 2 x 3 can be made."""
    return _report("get_batches", _examine_get_batches, get_batches)


def _examine_get_batches(answer):
    arr = np.arange(1, 35, dtype=np.int32)
    batches = _collect(answer, arr)
    expected = list(data.get_batches(np.arange(1, 35, dtype=np.int32), N, M))
    _need(batches, "It yields nothing: 34 ids make 34 // (N·M) = 5 windows of N = 2 rows and M = 3 columns.")
    _need((arr == np.arange(1, 35)).all(), "It changes the array it was given: make y an array of its own.")
    for x, y in batches:
        _examine_shape("x", x)
        _examine_shape("y", y)
    _examine_count(len(batches), [x for x, _ in batches], expected)
    _examine_x(np.array([x for x, _ in batches]), np.array([x for x, _ in expected]), arr)
    _examine_y(np.array([x for x, _ in batches]), np.array([y for _, y in batches]),
               np.array([y for _, y in expected]))
    _need(not _collect(answer, arr[:N * M - 1]), "A text shorter than N·M should yield nothing.")


def _collect(answer, arr):
    """Return up to 99 pairs that the reader's generator yields."""
    result = _call(answer, arr, N, M)
    _need(result is not None, "It returns None: it should be a generator, with yield x, y.")
    batches = _call(lambda ids, n, m: list(islice(iter(result), 99)), arr, N, M)
    for batch in batches:
        _need(isinstance(batch, tuple) and len(batch) == 2,
              f"It should yield pairs x, y, not {_show(batch)}.")
    return batches


def _examine_shape(name, array):
    _need(isinstance(array, np.ndarray), f"{name} should be an array, not {_show(array)}.")
    hint = ": the axes are swapped" if array.shape == (M, N) else ""
    _need(array.shape == (N, M),
          f"{name} should be [N, M] = [2, 3], and one of them is {_brackets(array.shape)}{hint}.")
    _need(array.dtype == np.int32, f"{name} should keep the dtype of arr, int32, and it is {array.dtype}.")


def _examine_count(count, xs, expected):
    words = f"It yields {count} windows, where 34 ids make 34 // (N·M) = 5"
    if count > 1 and (xs[1][:, :-1] == xs[0][:, 1:]).all():
        words += ": the window moves on by one column at a time, and should by M"
    elif count == len(expected) - 1:
        words += ": the last window is missing; it counts too, though it has no next column"
    _need(count == len(expected), words + ".")


def _examine_x(xs, expected, arr):
    if (xs == expected).all():
        return
    _need(not (xs == arr[:xs.size].reshape(xs.shape)).all(),
          "The rows do not go on from window to window: each window takes the next N·M ids. Lay the whole "
          "text out as N rows first, then slide a window of M columns over them, so that row r of one window "
          "continues in row r of the next.")
    first = next(place for place in range(len(xs)) if not (xs[place] == expected[place]).all())
    raise Wrong(f"x of window {first} should be {expected[first].tolist()} for the ids 1 to 34, and it is "
                f"{xs[first].tolist()}.")


def _examine_y(xs, ys, expected):
    if (ys == expected).all():
        return
    _need(not (ys == xs).all(), "y is the same as x: it should be shifted, x one character later.")
    _need(not (ys == np.roll(xs, -1, axis=2)).all(),
          "The last column of y is the first column of the same x: the character that follows is the first "
          "of the NEXT window, in the same row.")
    _need(not (ys[:, :, 1:] == xs[:, :, :-1]).all(), "y is shifted the wrong way: it should be x one LATER.")
    if (ys[:-1] == expected[:-1]).all():
        raise Wrong("The last column of y in the last window must be 0, since no column follows it, and it "
                    f"is {ys[-1][:, -1].tolist()}.")
    _need(not (ys[:, :, -1] == 0).all(),
          "The last column of y is 0 in every window: only the last window has no next column; in the others "
          "the next window's first column follows.")
    first = next(place for place in range(len(ys)) if not (ys[place] == expected[place]).all())
    raise Wrong(f"y of window {first} should be {expected[first].tolist()} for the ids 1 to 34, and it is "
                f"{ys[first].tolist()}.")


# build_inputs -----------------------------------------------------------------------------------------

def check_build_inputs(build_inputs):
    """Check the three placeholders: kind, name, type, shape and order."""
    return _report("build_inputs", _examine_build_inputs, build_inputs)


def _examine_build_inputs(answer):
    names = ["inputs", "targets", "keep_prob"]
    made = _items(_call(answer, N, M), names)
    for name, tensor in zip(names, made):
        _need(isinstance(tensor, tf.Tensor) and tensor.op.type in ("Placeholder", "PlaceholderWithDefault"),
              f"{name} should be a placeholder, not {_show(tensor)}.")
    found = [tensor.op.name for tensor in made]
    _need(found == names or sorted(found) != sorted(names),
          f"The order should be inputs, targets, keep_prob, and it is {', '.join(found)}.")
    for name, tensor in zip(names, made):
        _need(tensor.op.name == name,
              f"{name} is named {tensor.op.name!r} in the graph: give it name={name!r}, by which a restored "
              "graph finds it.")
        kind = tf.float32 if name == "keep_prob" else tf.int32
        _need(tensor.dtype == kind, f"{name} should be {kind.name}, and it is {tensor.dtype.name}.")
    for name, tensor in zip(names[:2], made):
        hint = ": the axes are swapped" if _brackets(tensor.shape) == str([M, N]) else ""
        _need(_brackets(tensor.shape) == str([N, M]),
              f"{name} should have the shape [N, M] = [2, 3], and it is {_show(tensor)}{hint}.")
    _need(made[2].shape.ndims in (None, 0), f"keep_prob should be a scalar, and it is {_show(made[2])}.")


# build_lstm -------------------------------------------------------------------------------------------

def check_build_lstm(build_lstm):
    """Check a stack of 3 layers of L = 4 units for N = 2 sequences."""
    return _report("build_lstm", _examine_build_lstm, build_lstm)


def _examine_build_lstm(answer, n_layers=3):
    keep_prob = tf.placeholder(tf.float32, name="keep_prob")
    cell, state = _items(_call(answer, L, n_layers, N, keep_prob), ["cell", "initial_state"])
    _need(not isinstance(cell, tf.nn.rnn_cell.DropoutWrapper),
          "The dropout is around the whole stack: wrap each layer in a DropoutWrapper of its own.")
    _need(isinstance(cell, tf.nn.rnn_cell.MultiRNNCell),
          f"The cell should be a MultiRNNCell of the layers, not {_show(cell)}.")
    layers = list(cell._cells)
    _need(len(layers) == n_layers, f"num_layers = 3 should give 3 layers, and there are {len(layers)}.")
    inner = [_examine_layer(layer, keep_prob) for layer in layers]
    _need(len({id(layer) for layer in layers}) == len({id(one) for one in inner}) == n_layers,
          "The same cell object stands in the stack more than once: [cell] * num_layers repeats ONE cell, "
          "whose weights the layers would have to share. Make a new cell for each layer.")
    _examine_zero_state(state, n_layers)


def _examine_layer(layer, keep_prob):
    """Check one layer's dropout and cell; return the cell."""
    _need(isinstance(layer, tf.nn.rnn_cell.DropoutWrapper),
          f"A layer has no dropout: it is {_show(layer)}, and should be a DropoutWrapper around one.")
    kept = layer._output_keep_prob
    if kept is not keep_prob:
        _need(keep_prob not in (layer._input_keep_prob, layer._state_keep_prob) or kept != 1.0,
              "The dropout is not on the layer's output: give the wrapper output_keep_prob=keep_prob.")
        raise Wrong("The dropout's output_keep_prob is fixed, at "
                    f"{_show(kept)}: it should be the tensor keep_prob, so that sampling can feed 1.")
    cell = layer.cell
    _need(isinstance(cell, tf.nn.rnn_cell.BasicLSTMCell),
          f"Inside the dropout there should be a BasicLSTMCell, not {_show(cell)}.")
    _need(cell.output_size == L, f"lstm_size = 4 should give 4 units, and a layer has {cell.output_size}.")
    return cell


def _examine_zero_state(state, n_layers):
    _need(isinstance(state, tuple) and len(state) == n_layers and all(len(part) == 2 for part in state),
          "initial_state should be cell.zero_state(batch_size, tf.float32), a tuple with c and h for each "
          f"layer, not {_show(state)}.")
    with tf.Session() as session:
        values = np.array(session.run(state))  # [layers, 2, N, L]
    _need(values.shape[2:] == (N, L),
          "c and h should be [N, L] = [2, 4] for batch_size = 2, and they are "
          f"{_brackets(values.shape[2:])}.")
    _need(not values.any(), "initial_state should be all zeros, and it is not.")


# build_output -----------------------------------------------------------------------------------------

def check_build_output(build_output):
    """Check the output layer: the variables and how they begin, shapes, numbers, names."""
    return _report("build_output", _examine_build_output, build_output)


def _examine_build_output(answer):
    values = np.random.RandomState(0).normal(size=[N, M, L]).astype(np.float32)
    made = _items(_call(answer, tf.constant(values), L, C), ["predictions", "logits"])
    for name, tensor in zip(["predictions", "logits"], made):
        _need(isinstance(tensor, tf.Tensor), f"{name} should be a tensor, not {_show(tensor)}.")
    _examine_output_variables(tf.global_variables())
    _examine_output_numbers(made, values)
    _need(made[0].op.name == "predictions",
          f"The softmax is named {made[0].op.name!r} in the graph: give it name='predictions'.")
    _examine_initial_weights(answer)
    tf.reset_default_graph()
    steps = [tf.constant(values[:, step]) for step in range(M)]  # M of [N, L]
    try:
        listed = _items(_call(answer, steps, L, C), ["predictions", "logits"])
        _examine_output_numbers(listed, values)
    except Wrong as wrong:
        raise Wrong(f"Right for one tensor, but not for a list of M tensors [N, L]: {wrong}")


def _examine_output_variables(variables):
    names = [variable.op.name for variable in variables]
    _need(len(names) == 2, f"There should be two variables, the weights and the bias, and there are "
                           f"{len(names)}{': ' if names else ''}{', '.join(names)}.")
    _need(all(name.startswith("softmax/") for name in names),
          f"The variables should be made inside tf.variable_scope('softmax'), and they are named "
          f"{' and '.join(names)}.")
    _need(names == ["softmax/Variable", "softmax/Variable_1"],
          f"The variables are named {' and '.join(names)}: made with tf.Variable, weights first and without "
          "a name of their own, they are softmax/Variable and softmax/Variable_1, as in every checkpoint.")
    shapes = [_brackets(variable.shape) for variable in variables]
    _need(shapes == [str([L, C]), str([C])],
          "The weights should be [L, C] = [4, 5] and the bias [C] = [5], and they are "
          f"{' and '.join(shapes)}.")


def _examine_output_numbers(made, values):
    """Compare with NumPy, after setting the bias to something other than zeros."""
    weights, bias = tf.global_variables()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        bias.load(np.arange(C, dtype=np.float32), session)
        matrix = session.run(weights)
        predictions, logits = session.run(list(made))
    _need(logits.shape == (N * M, C),
          "logits should be [N·M, C] = [6, 5], one row for each step, and they are "
          f"{_brackets(logits.shape)}: reshape the LSTM output to [N·M, L] before the product.")
    expected = values.reshape([N * M, L]) @ matrix + np.arange(C)
    _need(not _close(logits, _softmax(expected)),
          "The second result is the softmax: the order is predictions, logits.")
    _need(not _close(logits, expected - np.arange(C)), "The bias is not added to the logits.")
    _need(_close(logits, expected),
          "The logits are not x·W + b with the rows in order (row 0 step by step, then row 1).")
    _need(_close(predictions, _softmax(expected)), "predictions are not the softmax of the logits.")


def _examine_initial_weights(answer):
    """Look at the distribution of 60 x 70 weights."""
    tf.reset_default_graph()
    _call(answer, tf.zeros([N, M, 60]), 60, 70)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        weights, bias = session.run(tf.global_variables())
    _need(not bias.any(), "The bias should begin as zeros, and it does not.")
    _need(np.abs(weights).max() <= 0.2 and 0.08 < weights.std() < 0.096 and abs(weights.mean()) < 0.01,
          "The weights should begin as tf.truncated_normal with stddev=0.1 (none beyond 0.2 either way), and "
          f"they have a standard deviation of {weights.std():.3f} and go up to {np.abs(weights).max():.2f}.")


# build_loss -------------------------------------------------------------------------------------------

def check_build_loss(build_loss):
    """Check the loss of six steps against NumPy."""
    return _report("build_loss", _examine_build_loss, build_loss)


def _examine_build_loss(answer):
    values = np.random.RandomState(0).normal(size=[N * M, C]).astype(np.float32)
    ids = np.array([[4, 0, 3], [1, 1, 2]], np.int32)
    loss = _call(answer, tf.constant(values), tf.constant(ids), L, C)
    _need(loss is not None, "It returns None: it should return the loss, a scalar tensor.")
    _need(isinstance(loss, tf.Tensor), f"The loss should be a tensor, not {_show(loss)}.")
    with tf.Session() as session:
        number = session.run(loss)
    each = _cross_entropies(values, ids)
    _need(number.size != N * M or number.shape == (),
          f"The loss is {_brackets(number.shape)}, one number for each step: take the mean of them.")
    _need(number.shape == (), f"The loss should be a scalar, and it is {_brackets(number.shape)}.")
    _need(not _close(number, each.sum()), "The loss is the sum over the steps: it should be their mean.")
    _need(not _close(number, -each.mean()), "The loss has the wrong sign.")
    _need(not _close(number, each.mean() / np.log(2)), "The loss is in bits: it should be in nats.")
    _need(not _close(number, _cross_entropies(_softmax(values), ids).mean()),
          "A softmax is taken twice: the cross-entropy takes the logits as they are, with its own softmax.")
    _need(not _close(number, _cross_entropies(values, ids.T).mean()),
          "The targets are transposed: reshape them row by row, like the logits.")
    _need(_close(number, each.mean()),
          f"On a small example the loss should be {each.mean():.4f}, the mean softmax cross-entropy with the "
          f"one-hot targets, and it is {number:.4f}.")


# build_optimizer --------------------------------------------------------------------------------------

# gradients of two variables: norms 30 and 40, and 50 together
_W_GRADIENT, _V_GRADIENT = np.array([0., 24., 18.]), np.array([32., -24.])


def check_build_optimizer(build_optimizer):
    """Check one update of two variables whose gradients are known, with and without need to clip."""
    return _report("build_optimizer", _examine_build_optimizer, build_optimizer)


def _examine_build_optimizer(answer):
    moves, seen = _one_update(answer, grad_clip=5.0)
    _examine_clipping(seen)
    _need(np.allclose(np.abs(moves[moves != 0]), 0.01, rtol=0.01),
          "The first step of Adam moves each weight by the learning rate, here 0.01, and this one moves them "
          f"by {np.abs(moves).max():.4g}: give the optimizer learning_rate.")
    gradients = np.concatenate([_W_GRADIENT, _V_GRADIENT])
    _need((np.sign(moves) == -np.sign(gradients)).all(),
          "The weights should move against their gradients, and they do not.")
    _, seen = _one_update(answer, grad_clip=100.0)
    _need(_close(seen, gradients),
          "Gradients with a global norm of 50 should stay as they are where grad_clip is 100, and do not.")


def _one_update(answer, grad_clip):
    """Return how far the weights moved in one update, and the gradients that Adam saw, [5] both."""
    tf.reset_default_graph()
    variables = [tf.Variable(tf.ones(3), name="w"), tf.Variable(tf.ones(2), name="v")]
    loss = tf.reduce_sum(variables[0] * _W_GRADIENT.astype(np.float32))
    loss += tf.reduce_sum(variables[1] * _V_GRADIENT.astype(np.float32))
    update = _call(answer, loss, 0.01, grad_clip)
    _need(update is not None, "It returns None: it should return the operation that does one update.")
    _need(isinstance(update, tf.Operation),
          f"It should return the operation that apply_gradients gives, not {_show(update)}.")
    slots = {variable.op.name: variable for variable in tf.global_variables()}
    _need("w/Adam" in slots or "v/Adam" in slots, "The optimizer is not Adam: use tf.train.AdamOptimizer.")
    _need("w/Adam" in slots and "v/Adam" in slots,
          "Not all variables are trained: take tf.trainable_variables(), every one.")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(update)
        after = np.concatenate(session.run(variables))
        # Adam's first moment begins at 0: after one update it is a tenth of the gradient
        seen = 10 * np.concatenate(session.run([slots["w/Adam"], slots["v/Adam"]]))
    return after - 1, seen


def _examine_clipping(seen):
    """Judge the gradients that Adam saw when the limit was 5."""
    gradients = np.concatenate([_W_GRADIENT, _V_GRADIENT])
    _need(not _close(seen, gradients),
          "The gradients are not clipped: with a global norm of 50 and grad_clip = 5, Adam got them as they "
          "were. Give apply_gradients the list that clip_by_global_norm returns.")
    _need(not _close(seen, np.clip(gradients, -5, 5)),
          "Each number of the gradients is clipped by itself, which turns their direction: clip by the "
          "global norm, which scales them all alike.")
    each = np.concatenate([_W_GRADIENT / 6, _V_GRADIENT / 8])
    _need(not _close(seen, each),
          "Each variable's gradient is clipped by its own norm: clip by the norm of all of them together, "
          "tf.clip_by_global_norm.")
    _need(_close(seen, gradients / 10),
          "With a global norm of 50 and grad_clip = 5 the gradients should shrink to a tenth, "
          f"{(gradients / 10).tolist()}, and Adam got {np.round(seen, 4).tolist()}.")


# CharRNN ----------------------------------------------------------------------------------------------

_ATTRIBUTES = ["inputs", "targets", "keep_prob", "initial_state", "final_state", "prediction", "logits",
               "loss", "optimizer"]
_SIZES = dict(batch_size=N, num_steps=M, lstm_size=L, num_layers=2)
_X = np.array([[4, 0, 3], [1, 1, 2]], np.int32)
_Y = np.array([[0, 3, 2], [1, 2, 4]], np.int32)


def check_char_rnn(CharRNN):
    """Check the whole network against the package's, with the same weights, and once for sampling."""
    return _report("CharRNN", _examine_char_rnn_after_the_others, CharRNN)


def _examine_char_rnn_after_the_others(answer):
    try:
        _examine_char_rnn(answer)
    except Wrong as wrong:
        earlier = [name for name in EXERCISES[1:-1] if not _right.get(name)]
        hint = f" It uses {', '.join(earlier)}, not right yet: begin there." if earlier else ""
        raise Wrong(str(wrong) + hint)


def _examine_char_rnn(answer):
    network = _built(answer, C, learning_rate=0.01, grad_clip=0.002, **_SIZES)
    names = [variable.op.name for variable in tf.trainable_variables()]
    shapes = [_brackets(variable.shape) for variable in tf.trainable_variables()]
    expected_names, expected_shapes = _in_own_thread(_reference_variables)
    _need(names == expected_names, f"The trainable variables should be {', '.join(expected_names)}, and they "
                                   f"are {', '.join(names) or 'none'}.")
    _need(shapes == expected_shapes,
          f"The shapes of {', '.join(names)} should be {' '.join(expected_shapes)}, and they are "
          f"{' '.join(shapes)}.")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        _load_weights(session)
        _examine_results(network, session)
        _examine_update(network, session)
    try:
        again = _built(answer, C, **_SIZES)
    except Wrong as wrong:
        raise Wrong(f"It cannot be built a second time: reset the default graph first. {wrong}")
    _need(again.inputs.op.name == "inputs",
          f"Built a second time, inputs is named {again.inputs.op.name!r}: reset the default graph first.")
    _examine_sampling(answer)


def _built(answer, *args, **kwargs):
    network = _call(answer, *args, **kwargs)
    missing = [name for name in _ATTRIBUTES if getattr(network, name, None) is None]
    _need(not missing, f"Missing, or still None: {', '.join(missing)}.")
    _need(isinstance(network.optimizer, tf.Operation),
          f"optimizer should be the operation of one update, not {_show(network.optimizer)}.")
    return network


def _reference_variables():
    model.CharRNN(C, **_SIZES)
    variables = tf.trainable_variables()
    return [variable.op.name for variable in variables], [_brackets(variable.shape) for variable in variables]


def _feed(network, state, keep_prob=1.0):
    return {network.inputs: _X, network.targets: _Y, network.keep_prob: keep_prob,
            network.initial_state: state}


def _states():
    """Return a state of zeros and another, each (c, h) of [N, L] for two layers."""
    values = np.random.RandomState(1).normal(size=[2, 2, N, L]).astype(np.float32)
    wrap = tf.nn.rnn_cell.LSTMStateTuple
    return [tuple(wrap(*layer) for layer in array) for array in (np.zeros_like(values), values)]


def _results(network, session, state):
    fetches = [network.prediction, network.logits, network.loss, network.final_state]
    return session.run(fetches, _feed(network, state))


def _load_weights(session):
    """Set the trainable variables to numbers large enough that a mistake shows in every result."""
    random = np.random.RandomState(2)
    for variable in tf.trainable_variables():
        variable.load(random.normal(size=variable.shape.as_list()).astype(np.float32), session)


def _reference_results(state):
    """Return what the package's network gives with the same weights."""
    network = model.CharRNN(C, **_SIZES)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        _load_weights(session)
        return _results(network, session, state)


def _examine_results(network, session):
    zeros, other = _states()
    expected = _in_own_thread(_reference_results, other)
    prediction, logits, loss, final_state = _results(network, session, other)
    _need(not _close(logits, _results(network, session, zeros)[1]),
          "Another initial state makes no difference: give dynamic_rnn initial_state=self.initial_state.")
    _need(not _close(np.array(final_state), np.array(other)),
          "final_state is the state before the window: it should be the one that dynamic_rnn returns.")
    _need(_close(logits, expected[1]),
          "The logits are not those of the one-hot inputs, through the stack of LSTM cells, and then through "
          "build_output.")
    _need(_close(prediction, expected[0]), "prediction is not the softmax of the logits.")
    _need(_close(np.array(final_state), np.array(expected[3])),
          "final_state is not the state that dynamic_rnn returns.")
    if not _close(loss, expected[2]):
        _explain_loss(loss, expected[2], prediction, logits)
    dropped = session.run(network.logits, _feed(network, other, keep_prob=0.3))
    _need(not _close(dropped, logits), "Feeding keep_prob makes no difference: give it to build_lstm.")


def _explain_loss(loss, expected, prediction, logits):
    _need(not _close(loss, _cross_entropies(prediction, _Y).mean()),
          "The loss is made from the predictions: build_loss takes the logits.")
    _need(not _close(loss, _cross_entropies(logits, _X).mean()),
          "The loss compares with the inputs: it should compare with the targets.")
    raise Wrong(f"On a small example the loss should be {expected:.4f}, and it is {np.mean(loss):.4f}.")


def _examine_update(network, session):
    """Check that learning_rate = 0.01 and grad_clip = 0.002 reached the optimizer."""
    variables = tf.trainable_variables()
    before = session.run(variables)
    session.run(network.optimizer, _feed(network, _states()[1]))
    moved = max(np.abs(new - old).max() for new, old in zip(session.run(variables), before))
    moments = [one for one in tf.global_variables() if one.op.name.endswith("/Adam")]
    norm = 10 * np.sqrt(sum((value ** 2).sum() for value in session.run(moments)))
    _need(abs(norm - 0.002) < 1e-4,
          f"With grad_clip = 0.002 the gradients should have that global norm, and they have {norm:.4f}: "
          "give build_optimizer the grad_clip of the constructor.")
    _need(abs(moved - 0.01) < 5e-4,
          "With learning_rate = 0.01 the first update should move the weights by up to 0.01, and it moves "
          f"them by up to {moved:.4f}: give build_optimizer the learning_rate of the constructor.")


def _examine_sampling(answer):
    network = _built(answer, C, sampling=True, **_SIZES)
    shapes = [_brackets(network.inputs.shape), _brackets(network.initial_state[0][0].shape),
              _brackets(network.prediction.shape)]
    _need(shapes[0] == "[1, 1]",
          "With sampling=True N and M should both be 1, whatever batch_size and num_steps say, and inputs "
          f"is {shapes[0]}.")
    _need(shapes[1:] == ["[1, 4]", "[1, 5]"],
          "With sampling=True the state should be [1, L] = [1, 4] and the prediction [1, C] = [1, 5], and "
          f"they are {' and '.join(shapes[1:])}.")
