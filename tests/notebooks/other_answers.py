"""Wrong answers to the exercises besides those in the tables of the checks, and right ones that are not the solution.

A wrong answer is (old, new, words): the solution with a piece of it replaced, and words that its verdict must have;
where they are a tuple, all of them. Where old is "", new is all of the body, or for CharRNN all of __init__. A right
answer is (old, new); one with a third part is right with a remark that has those words.
"""
COUNT = "len(arr) // (batch_size * n_steps)"
ROWS = "rows = arr[:batch_size * n_steps * n_windows].reshape((batch_size, -1))"
LOOP = "range(0, n_windows * n_steps, n_steps)"
X = "x = rows[:, start:start + n_steps]"
ZEROS = "y = np.zeros_like(x)"
FOLLOWING = "following = rows[:, start + 1:start + n_steps + 1]"
Y = "y[:, :following.shape[1]] = following"

GET_BATCHES = [
    # how many windows, and which
    (COUNT, COUNT + " - 1", ("it yields 4 windows", "n_windows is 4, but K = 34 // (N·M) = 5")),
    (COUNT, "len(arr) // batch_size * n_steps", "n_windows is 51, but K"),
    (COUNT, "-(-len(arr) // (batch_size * n_steps))", "n_windows is 6, but K"),
    (LOOP, "range(n_steps, n_windows * n_steps, n_steps)", "it yields 4 windows"),
    (LOOP, "range((n_windows - 1) * n_steps, -1, -n_steps)", "In window 0 x begins with arr[12]"),
    (LOOP, "range(0, n_windows, n_steps)", "it yields 2 windows, but there are 34 // (N·M) = 5: too few"),
    ("        yield x, y", "    yield x, y", "it yields 1 window"),
    (X, "x = rows[:, :n_steps]", "In window 1 x begins with arr[0]"),
    ("yield x, y", "yield y, x", "x begins with arr[1]"),
    # x and the rows
    (X, "x = arr[start * batch_size:(start + n_steps) * batch_size].reshape((batch_size, n_steps))",
     "rows do not continue"),
    (ROWS, "rows = arr[:batch_size * n_steps * n_windows].reshape((-1, batch_size)).T", "run down the columns"),
    (ROWS, "rows = arr[:len(arr) // batch_size * batch_size].reshape((batch_size, -1))", "Row 0 is right, but another"),
    (X, X + "[:, ::-1]", "The first difference is x[0, 0]"),
    # y
    (Y, "y = x + 1", "y is x + 1"),
    (Y, "y = x - 1", "y is x + 1 (or x - 1)"),
    (Y, "y[:, 1:] = x[:, :-1]", "y is x 1 character EARLIER"),
    (Y, "y = np.roll(x, 1, axis=1)", "y is x 1 character EARLIER"),
    (Y, "y = np.roll(x, -1, axis=0)", "The first difference is y[0, 0]"),
    (FOLLOWING, FOLLOWING.replace("+ 1", "+ 2"), "y is x 2 characters later"),
    (FOLLOWING, "following = rows[:, 1:n_steps + 1]", "In window 1 y is x 2 characters EARLIER"),
    (FOLLOWING, "following = rows[:, start + n_steps:start + 2 * n_steps]", "y is x 3 characters later"),
    (Y, "y = following if following.shape == x.shape else y", "in window 4 y should be"),
    (Y, "y = np.roll(x, -1)", "the last column of y should be the first column of the NEXT window"),
    (Y, "y = np.roll(x, -1, axis=1)", "but it is the first column of the same x"),
    (Y, "y[:, :-1] = x[:, 1:]", "In window 0 the last column of y should be the first column of the NEXT window, but "
                                "it is 0"),
    (ZEROS, "y = x.copy()", "the last column of x again"),
    (FOLLOWING, "following = np.roll(rows, -1, axis=1)[:, start:start + n_steps]", "no column follows it"),
    (Y, "y = x + 1\n        if start == (n_windows - 1) * n_steps:\n            y[:, -1] = 0", "y is x + 1"),
    (Y, "y = x.copy()", "y is the same as x"),
    (ZEROS, "y = np.full_like(x, 7)", "In the last window the last column of y should be 0, but it is [7, 7]"),
    (ZEROS, "y = np.zeros(x.shape)", ("keep the dtype", "np.zeros makes floats")),
    (ZEROS, "y = np.zeros(x.shape, dtype=int)", "keep the dtype"),
    (ZEROS + "\n", "y = x\n", "It writes into x"),
    (ROWS, "arr.shape = (2, -1)\n" + "    " + ROWS, "changes the shape of arr"),
    (ROWS, "raise SystemExit", "ends the program with SystemExit"),
    (ROWS, "rows = arr[arr > 0]\n    n_windows = len(rows) // (batch_size * n_steps)\n"
           "    rows = rows[:batch_size * n_steps * n_windows].reshape((batch_size, -1))", "not by values"),
    ("yield x, y", "yield x.squeeze(), y.squeeze()", "where batch_size is 1"),
    ("range(0, n_windows * n_steps, n_steps)", "range(0, rows.shape[1] - 1, n_steps)", "where n_steps is 1"),
    (ZEROS, "y = x = x.copy()", "It writes into x"),
    (Y, "y = following", ("y should be [N, M]", "the last column of its y should be zeros")),
    # x and the rows
    (ROWS, "rows = arr[-batch_size * n_steps * n_windows:].reshape((batch_size, -1))", "x begins with arr[4]"),
    (ROWS, "rows = arr.reshape((batch_size, -1))", "Row 0 is right"),
    (ROWS, "rows = arr.reshape((batch_size, n_windows * n_steps))", ("cannot reshape", "N·M·K ids")),
    (ROWS, "rows = arr[1:batch_size * n_steps * n_windows + 1].reshape((batch_size, -1))", "x begins with arr[1]"),
    (ROWS, "rows = arr[:batch_size * n_steps * n_windows].reshape((n_steps, -1))", "should be [N, M]"),
    (ROWS, "rows = arr[:batch_size * n_steps * n_windows]", "raised IndexError"),
    ("yield x, y", "yield x.T, y.T", "the axes are swapped"),
    ("yield x, y", "yield x.astype(np.float32), y", "keep the dtype"),
    ("yield x, y", "yield x.tolist(), y.tolist()", "x should be an array, not a list"),
    # how many
    (LOOP, "range(0, n_windows)", "In window 1 x begins with arr[1], but it should begin with arr[3]"),
    (LOOP, "range(0, len(arr), n_steps)", "x should be [N, M]"),
    ("yield x, y", "while True:\n            yield x, y", "windows without end"),
    # how it returns them
    ("yield x, y", "return x, y", "in place of a return"),
    ("yield x, y", "pass", "returns None"),
    ("yield x, y", "yield x", "pairs x, y"),
    ("yield x, y", "yield x, y, start", "pairs x, y"),
    ("yield x, y", "yield x, z", ("NameError: name 'z' is not defined", "at line")),
    ("", "n = batch_size * n_steps\nk = len(arr) // n\nrows = arr[:k * n].reshape((batch_size, -1))\n"
         "ys = np.zeros_like(rows)\nys[:, :-1] = rows[:, 1:]\n"
         "return [(rows[:, i:i + n_steps], ys[:, i:i + n_steps]) for i in range(0, k * n_steps, n_steps)]",
     ("It returns a list", "generator")),
    ("", "n = batch_size * n_steps\nk = len(arr) // n\nrows = arr[:k * n].reshape((batch_size, -1))\n"
         "ys = np.roll(rows, -1, axis=1)\nys[:, -1] = 0\n"
         "for i in range(0, k * n_steps, n_steps):\n    yield rows[:, i:i + n_steps], ys[:, i:i + n_steps]",
     ("shorter than N·M", "IndexError")),
    # the names of others
    (COUNT, "len(encoded) // (batch_size * n_steps)", ("uses encoded", "the argument arr")),
    ("reshape((batch_size, -1))", "reshape((n_rows, -1))", ("uses n_rows", "the argument batch_size")),
    (LOOP, "range(0, n_windows * num_steps, num_steps)", ("uses num_steps", "the argument n_steps")),
    # fixed sizes
    ("", "for k in range(5):\n    rows = arr[:30].reshape((2, -1))\n    y = np.zeros((2, 3), arr.dtype)\n"
         "    part = rows[:, 3 * k + 1:3 * k + 4]\n    y[:, :part.shape[1]] = part\n"
         "    yield rows[:, 3 * k:3 * k + 3], y", "it is right, but not always"),
    # numbers that were never set, and steps of other widths
    (ZEROS, "y = np.empty_like(x)", "np.empty does not set them"),
    (Y, "y[:, :-1] = x[:, 1:]; y[:, -1] = rows[:, start + n_steps]", ("IndexError", "No column follows it")),
    (X, "x = rows[:, start:start + batch_size]", "x should be [N, M] = [2, 3], but in window 0 it is [2, 2]"),
    (X, "x = rows[start:start + n_steps]", "x is rows[:, start:start + n_steps]"),
    ("yield x, y", "yield np.eye(99)[x], y", "in window 0 it is [2, 3, 99]"),
    ("", "n = batch_size * n_steps\nk = -(-len(arr) // n)\n"
         "rows = np.pad(arr, (0, k * n - len(arr)), 'constant').reshape((batch_size, -1))\n"
         "ys = np.hstack([rows[:, 1:], np.zeros((batch_size, 1), arr.dtype)])\n"
         "for i in range(0, k * n_steps, n_steps):\n    yield rows[:, i:i + n_steps], ys[:, i:i + n_steps]",
     "do not fill a window are dropped"),
    # slices and reshapes
    (X, "x = rows[:, start * n_steps:(start + 1) * n_steps]", "the slice begins beyond the end"),
    (X, "x = arr[start:start + n_steps]", "x should be [N, M] = [2, 3], but in window 0 it is [3]"),
    (ROWS, "arr = arr[:batch_size * n_steps * n_windows]\n    rows = arr.reshape((batch_size, n_windows))",
     ("cannot reshape", "cut arr to those")),
    # another order, one buffer, the numbers of the example, and what is no window
    (LOOP, "np.random.permutation(n_windows) * n_steps", "in the order of the text"),
    (LOOP, "np.random.randint(n_windows, size=n_windows) * n_steps", "in the order of the text"),
    (ROWS, ROWS + "\n    rows = rows[::-1]", "The rows come in another order"),
    ("", "n = batch_size * n_steps\nk = len(arr) // n\nrows = arr[:k * n].reshape((batch_size, -1))\n"
         "y = np.zeros((batch_size, n_steps), arr.dtype)\nfor i in range(0, k * n_steps, n_steps):\n    y[:] = 0\n"
         "    part = rows[:, i + 1:i + n_steps + 1]\n    y[:, :part.shape[1]] = part\n"
         "    yield rows[:, i:i + n_steps], y",
     "It yields the same array each time"),
    (COUNT, "13 // 6", "n_windows is 2, but K"),
    (ROWS, "rows = arr[:12].reshape((2, -1))", "in window 2 it is [2, 0]"),
    (X, "x = rows[:, start:start + 3]", "it is right, but not always"),
    ("yield x, y", "yield np.eye(arr.max() + 1)[x], y", "made one-hot later"),
    (ROWS, "rows = arr[:batch_size * n_steps * n_windows].reshape((batch_size, n_steps, n_windows))",
     "rows should be [N, M·K]"),
    (X, "x = rows[:, start:start + n_steps + 1]", "but in window 0 it is [2, 4]"),
    (X, "x = rows[:, start + n_steps]", "x is rows[:, start:start + n_steps]"),
    (Y, "y = np.append(following, 0)", "y should be [N, M] = [2, 3], but in window 0 it is [7]"),
    (LOOP, "range(1, n_windows * n_steps, n_steps)", "but in window 4 it is [2, 2]"),
    (X, X + "\n        x = x[:, [1, 0, 2]]",
     ("The first difference is x[0, 0]: it should be arr[0], which is", "but it is arr[1], which is",
      'checks.hint("get_batches")')),
    # exceptions
    (COUNT, "len(arr) / (batch_size * n_steps)", ("raised TypeError", "// divides whole numbers")),
    (COUNT, "arr.shape // (batch_size * n_steps)", "len(arr) is the number of ids"),
    (ROWS, "rows = tf.constant(arr)[:12]\n    rows = tf.reshape(rows, [2, -1])", "NumPy and TensorFlow do not mix"),
    (Y, "y[:] = following", ("could not broadcast", "This happens in the last window")),
    ("def get_batches(arr, batch_size, n_steps)", "def get_batches(arr, batch_size)", "was the line with def changed?"),
    # not written
    (COUNT, "None", "Still None: n_windows"),
    (ROWS, "rows = None", "Still None: rows"),
    (ZEROS + "\n", "y = None\n        following = rows\n        yield x, y\n        continue\n", "Still None: y"),
]

INPUTS = 'inputs = tf.placeholder(tf.int32, [batch_size, num_steps], name="inputs")'
TARGETS = 'targets = tf.placeholder(tf.int32, [batch_size, num_steps], name="targets")'
KEEP = 'tf.placeholder(tf.float32, name="keep_prob")'
RETURN = "return inputs, targets, keep_prob"

BUILD_INPUTS = [
    (INPUTS, "inputs = tf.keras.Input((num_steps,), batch_size, name='inputs', dtype=tf.int32)",
     "made with tf.placeholder"),
    (TARGETS, TARGETS + "\n    tf.reset_default_graph()", "is in another graph"),
    (', name="inputs"', "", "inputs is named 'Placeholder'"),
    (KEEP, "tf.placeholder(tf.float32)", "keep_prob is named"),
    (TARGETS, TARGETS.replace("int32", "float32"), "targets should be int32, but it is float32"),
    (INPUTS, INPUTS.replace("int32", "int64"), "inputs should be int32, but it is int64"),
    (KEEP, KEEP.replace("float32", "int32"), "keep_prob should be float32"),
    (TARGETS, TARGETS.replace("[batch_size, num_steps]", "[num_steps, batch_size]"), "the axes are swapped"),
    (TARGETS, TARGETS.replace("[batch_size, num_steps]", "[None, None]"), "but it is [None, None]"),
    (INPUTS, INPUTS.replace(" [batch_size, num_steps],", ""), "but it is of unknown shape"),
    (INPUTS, INPUTS.replace("[batch_size, num_steps]", "[2, 3]"), "not fixed numbers"),
    (KEEP, 'tf.constant(0.5, name="keep_prob")', "made with tf.placeholder, not a float32 tensor []"),
    (KEEP, "0.5", "made with tf.placeholder, not 0.5"),
    (KEEP, 'tf.Variable(0.5, name="keep_prob")', "made with tf.placeholder, not a float32 variable []"),
    (KEEP, 'tf.placeholder(tf.float32, [batch_size], name="keep_prob")', "a single number"),
    (RETURN, "return targets, inputs, keep_prob", ("the order should be", "targets, inputs, keep_prob")),
    (RETURN, "return keep_prob, inputs, targets", "the three are keep_prob, inputs, targets"),
    ("", 'inputs = tf.placeholder(tf.int32, [batch_size, num_steps], name="targets")\n'
         'targets = tf.placeholder(tf.int32, [batch_size, num_steps], name="inputs")\n'
         'keep_prob = tf.placeholder(tf.float32, name="keep_prob")\n' + RETURN, "Exchange what is returned, or name="),
    (RETURN, "return inputs, targets", "should return 3 things"),
    (RETURN, 'return {"inputs": inputs, "targets": targets, "keep_prob": keep_prob}', "not a dict"),
    (RETURN, "return inputs, None, keep_prob", "Still None: targets"),
    (RETURN, "pass", "end with return inputs, targets, keep_prob"),
    (INPUTS, "with tf.name_scope('inputs'):\n        " + INPUTS, "named 'inputs/inputs'"),
    (INPUTS, INPUTS + "\n    " + INPUTS, ("named 'inputs_1'", "gets a number")),
    (TARGETS, "targets = inputs", "the same placeholder"),
    (KEEP, KEEP.replace("float32", "float64"), "keep_prob should be float32"),
    (INPUTS, INPUTS.replace("num_steps", "n_steps"), ("uses n_steps", "the argument num_steps")),
    (INPUTS, INPUTS.replace("tf.int32, [batch_size, num_steps]", "[batch_size, num_steps], tf.int32"), "TypeError"),
    (TARGETS, "targets = tf.identity(inputs, name='targets')", "the same placeholder"),
    (INPUTS, INPUTS.replace("[batch_size, num_steps]", "[batch_size * num_steps]"),
     ("but it is [6]", "without a product")),
    (INPUTS, INPUTS.replace("tf.int32", "tf.int"), "do you mean tf.int32?"),
    (INPUTS, INPUTS.replace("tf.placeholder", "tf.placholder"), "do you mean tf.placeholder?"),
    (INPUTS, INPUTS.replace("tf.int32", "int"), "a type of TensorFlow"),
    (INPUTS, INPUTS.replace("[batch_size, num_steps]", "[batch_size], num_steps"), "is a bracket closed too early"),
    (KEEP, KEEP + ",", "not a tuple of 1 (is there a comma at the end of the line?)"),
    # the name from outside is not why it fails
    (INPUTS, "print(n_steps)\n    " + INPUTS.replace("tf.placeholder", "tf.Placeholder"),
     ("uses n_steps", "NameError: name 'n_steps' is not defined")),
    (INPUTS, INPUTS.replace("tf.placeholder", "tf.Placeholder") + "\n    print(n_steps)",
     ("uses n_steps", "has no attribute 'Placeholder'")),
]

WRAPPED = "tf.nn.rnn_cell.DropoutWrapper(lstm, output_keep_prob=keep_prob)"
LIST = "[build_layer() for _ in range(num_layers)]"
STACK = f"tf.nn.rnn_cell.MultiRNNCell({LIST})"
BASIC = "tf.nn.rnn_cell.BasicLSTMCell(lstm_size)"
ZERO = "cell.zero_state(batch_size, tf.float32)"

BUILD_LSTM = [
    ("BasicLSTMCell(lstm_size)", "BasicLSTMCell(lstm_size, keep_prob)", "tensor of unknown shape as its forget_bias"),
    (LIST, "[build_layer()] * num_layers", "The same BasicLSTMCell is in the stack more than once"),
    ("return " + WRAPPED, "return lstm", "Layer 1 should be a DropoutWrapper around a BasicLSTMCell"),
    (WRAPPED, WRAPPED.replace("=keep_prob", "=0.5"), "the probability 0.5 where keep_prob is 0.25"),
    (WRAPPED, "tf.nn.rnn_cell.DropoutWrapper(lstm)", "the probability 1 where keep_prob is 0.25"),
    (WRAPPED, WRAPPED.replace("output_keep_prob=", "input_keep_prob="), "without a name is input_keep_prob"),
    (WRAPPED, WRAPPED.replace("output_keep_prob=", "state_keep_prob="), "on a layer's output, and nowhere else"),
    (WRAPPED, WRAPPED[:-1] + ", input_keep_prob=keep_prob)", "on a layer's output, and nowhere else"),
    (WRAPPED, WRAPPED.replace("=keep_prob", "=1 - keep_prob"), "the probability to KEEP a unit"),
    (WRAPPED, f"tf.nn.rnn_cell.DropoutWrapper({WRAPPED}, output_keep_prob=keep_prob)", "not a DropoutWrapper"),
    ("cell = " + STACK, f"lstm = {STACK}\n    cell = {WRAPPED}", "around the whole stack"),
    ("cell = " + STACK, "cell = build_layer()", "not a DropoutWrapper"),
    ("cell = " + STACK, "cell = build_layer().cell", "not a BasicLSTMCell"),
    ("cell = " + STACK, "cell = " + LIST, ("'list' object has no attribute 'zero_state'", "at line")),
    (STACK, f"tf.nn.rnn_cell.MultiRNNCell({LIST}, state_is_tuple=False)", "state_is_tuple"),
    ("range(num_layers)", "range(num_layers - 1)", "it has 2 layers"),
    ("range(num_layers)", "range(1)", "it has 1 layer"),
    (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(lstm_size + 1)", "a layer has 5"),
    (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(4)", "a layer has 4"),
    (BASIC, "tf.nn.rnn_cell.GRUCell(lstm_size)", "should be a BasicLSTMCell, not a GRUCell"),
    (BASIC, "tf.nn.rnn_cell.LSTMCell(lstm_size)", "should be a BasicLSTMCell, not an LSTMCell"),
    (BASIC, "tf.nn.rnn_cell.BasicRNNCell(lstm_size)", "not a BasicRNNCell"),
    (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(lstm_size, forget_bias=0.0)", "0.0 as its forget_bias"),
    (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(lstm_size, activation=tf.nn.relu)", "give them lstm_size only"),
    (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(lstm_size, name='lstm')", "leave out name="),
    (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(lstm_size, state_is_tuple=False)", "state_is_tuple=False"),
    (ZERO, "cell.zero_state(num_layers, tf.float32)", "but it is a tuple of 3: a float32 tensor [3, 4],"),
    (ZERO, "tf.zeros([batch_size, 4])", ("c and h for each of 3 layers", "but it is a float32 tensor")),
    (ZERO, "tuple(cell.zero_state(batch_size, tf.float32)[:1])", "but it is a tuple of 1"),
    (ZERO, "build_layer().zero_state(batch_size, tf.float32)", "but it is an LSTMStateTuple"),
    (ZERO, "list(cell.zero_state(batch_size, tf.float32))", "it is a list of 3"),
    (ZERO, "cell.zero_state(n_rows, tf.float32)", ("uses n_rows", "the argument batch_size")),
    (ZERO, "cell.zero_state(batch_size)", ("raised TypeError", "at line")),
    (ZERO, "cell.zero_state", "returns, c and h for each of 3 layers, a float32 tensor [2, 4], but it is a "
                              "method"),
    (ZERO, "tuple(tf.nn.rnn_cell.LSTMStateTuple(*[tf.ones([batch_size, lstm_size])] * 2) for _ in range(num_layers))",
     "should be all zeros"),
    (ZERO, "tuple(tf.nn.rnn_cell.LSTMStateTuple(*[tf.placeholder(tf.float32, [batch_size, lstm_size])] * 2) "
           "for _ in range(num_layers))", "You must feed a value for placeholder"),
    ("", f"lstm_size, num_layers = num_layers, lstm_size\ncell = tf.nn.rnn_cell.MultiRNNCell([\n    "
         f"{WRAPPED.replace('lstm,', BASIC + ',')} for _ in range(num_layers)])\nreturn cell, {ZERO}",
     "lstm_size and num_layers are swapped"),
    (WRAPPED, WRAPPED.replace("=keep_prob", "=tf.minimum(keep_prob, 0.5)"), "0.5 where keep_prob is 0.875"),
    (WRAPPED, f"tf.nn.rnn_cell.ResidualWrapper({WRAPPED})", "but it is a ResidualWrapper"),
    ("return cell, initial_state", "return initial_state, cell", "returns the state first"),
    ("return cell, initial_state", "return cell", "should return 2 things"),
    ("return cell, initial_state", "return cell, None", "Still None: initial_state"),
    (LIST, "[build_layer for _ in range(num_layers)]", "call it, with brackets"),
    ("        return " + WRAPPED, "        " + WRAPPED, "does one of your functions lack its return?"),
    (WRAPPED, "tf.nn.dropout(lstm, keep_prob)", "a cell is not a tensor"),
    ("def build_layer():\n        lstm = " + BASIC, f"lstm = {BASIC}\n\n    def build_layer():",
     "a cell that is made outside the function"),
    (ZERO, "(lambda z: ((tf.nn.rnn_cell.LSTMStateTuple(z, z),) * num_layers))(tf.zeros([batch_size, lstm_size]))",
     "The same tensor of zeros stands in several places"),
    (BASIC, "tf.nn.BasicLSTMCell(lstm_size)", "do you mean tf.nn.rnn_cell.BasicLSTMCell?"),
    (BASIC, "tf.keras.layers.LSTMCell(lstm_size)", "cells of Keras do not fit here"),
    (BASIC, "tf.keras.layers.LSTM(lstm_size)", "LSTM is a layer of Keras"),
    (LIST, "*" + LIST, "MultiRNNCell takes one list of cells"),
    (LIST, "build_layer() * num_layers", "MultiRNNCell takes one list of cells"),
    (LIST, "[build_layer() for _ in num_layers]", "'int' object is not iterable"),
    (WRAPPED, "tf.nn.rnn_cell.DropoutWrapper(lstm_size, output_keep_prob=keep_prob)", "DropoutWrapper takes a cell"),
    (WRAPPED, "tf.nn.rnn_cell.DropoutWrapper(lstm, output_keep_prob)", "do you mean keep_prob?"),
    (ZERO, "cell.initial_state(batch_size)", "the zero state comes from zero_state"),
    ("", "import torch.nn as nn\nreturn nn.LSTM(lstm_size, lstm_size, num_layers), None", "belongs to PyTorch"),
    (BASIC, BASIC.replace("nn.rnn_cell", "contrib.rnn"), "tf.nn.rnn_cell has the same classes of cells"),
]

WEIGHTS = "weights = tf.Variable(tf.truncated_normal([in_size, out_size], stddev=0.1))"
BIAS = "bias = tf.Variable(tf.zeros(out_size))"
LOGITS = "logits = tf.matmul(rows, weights) + bias"
SOFTMAX = 'predictions = tf.nn.softmax(logits, name="predictions")'
FLAT = "rows = tf.reshape(joined, [-1, in_size])"

BUILD_OUTPUT = [
    (LOGITS, "logits = tf.tensordot(joined, weights, 1) + bias", "reshape the outputs of all steps to [N·M, L]"),
    ("joined = tf.concat(lstm_output, axis=1)", "joined = tf.convert_to_tensor(lstm_output)",
     ("a list of M tensors", "in another order")),
    (BIAS, "bias = tf.Variable(tf.zeros(out_size), name='b')", "without names of their own"),
    (BIAS, "bias = tf.zeros(out_size)", "but they are softmax/Variable [4, 5]."),
    (WEIGHTS, WEIGHTS.replace("tf.Variable(", "(", 1), "but they are softmax/Variable [5]."),
    (WEIGHTS + "\n        " + BIAS, BIAS + "\n        " + WEIGHTS, "Make the weights, then the bias"),
    (WEIGHTS, WEIGHTS.replace("[in_size, out_size]", "[out_size, in_size]"), "multiply [N·M, L]"),
    (WEIGHTS, WEIGHTS.replace(", stddev=0.1", ""), "stddev=0.1"),
    (WEIGHTS, WEIGHTS.replace("tf.truncated_normal", "tf.random_normal"), "given by name"),
    (WEIGHTS, "weights = tf.Variable(tf.zeros([in_size, out_size]))", "stddev=0.1"),
    (WEIGHTS, WEIGHTS[:-1] + ", trainable=False)", "The weights cannot be learned"),
    (SOFTMAX, SOFTMAX.replace(', name="predictions"', ""), "name='predictions'"),
    (SOFTMAX, 'with tf.variable_scope("softmax"):\n        ' + SOFTMAX, "make it after the scope"),
    (SOFTMAX, 'predictions = tf.argmax(logits, axis=1, name="predictions")', "predictions should be a float32 tensor"),
    ("return predictions, logits", "return logits, predictions", "the order is predictions, logits"),
    ("return predictions, logits", "return predictions", "should return 2 things"),
    (LOGITS, "logits = tf.matmul(tf.nn.dropout(rows, rate=0.5), weights) + bias", "Dropout belongs in build_lstm"),
    (FLAT, "rows = joined[:, -1]", "they are [2, 5] (as of one step only"),
    (FLAT, "rows = joined[-1]", "they are [3, 5] (as of one sequence only: x[-1] is the last row of the batch"),
    (BIAS, "bias = tf.Variable(tf.zeros(in_size))", "the bias has C numbers"),
    (FLAT, "rows = tf.reshape(joined, [-1, lstm_size])", ("uses lstm_size", "the argument in_size")),
    (WEIGHTS, WEIGHTS.replace("out_size", "num_classes"), ("uses num_classes", "the argument out_size")),
    (WEIGHTS, WEIGHTS.replace("out_size", "len(vocab)"), ("uses vocab", "the argument out_size")),
    # which part of x·W + b is wrong
    (LOGITS, "logits = (tf.matmul(rows, weights) + bias) / 2", "The logits are not x·W + b"),
    (LOGITS, LOGITS + "\n    logits -= tf.reduce_max(logits, axis=1, keepdims=True)", "change nothing before"),
    (LOGITS, LOGITS.replace("weights", "tf.reshape(tf.transpose(weights), [in_size, out_size])"),
     "change nothing before or after the product"),
    (LOGITS, LOGITS.replace("weights", "tf.transpose(weights)"), "multiply [N·M, L] by [L, C]"),
    (LOGITS, "logits = rows * weights + bias", "the product of matrices is tf.matmul"),
    ("joined = tf.concat(", "joined = tf.stack(", "also takes a single tensor"),
    (WEIGHTS, WEIGHTS.replace("stddev=", ""), "given by name"),
    (BIAS, "bias = tf.Variable(np.zeros(out_size))", "make numbers of the type float64"),
    (WEIGHTS, "weights = tf.Variable(tf.truncated_normal([in_size, out_size]), stddev=0.1)", "stddev=0.1"),
    (WEIGHTS, WEIGHTS.replace("[in_size, out_size]", "in_size, out_size"), "a shape is a list"),
    (FLAT, "rows = tf.reshape(joined, [batch_size * num_steps, in_size])", ("It uses batch_size", "-1 stands for")),
    (FLAT, "rows = tf.reshape(joined, [-1, out_size])", "L = in_size numbers for each step"),
    (LOGITS, "logits = np.dot(rows, weights) + bias", "NumPy and TensorFlow do not mix"),
    (SOFTMAX, 'predictions = tf.softmax(logits, name="predictions")', "do you mean tf.nn.softmax?"),
    (SOFTMAX, 'predictions = tf.nn.softmax(rows, name="predictions")', "take the softmax of the logits"),
    (SOFTMAX, 'predictions = tf.nn.softmax(logits / 0.5, name="predictions")',
     ("not the softmax of the logits. The first difference is at [0, 0]: 0.0002519 was expected, and 1.58",
      'checks.hint("build_output")')),
    (BIAS, "bias = tf.Variable(tf.truncated_normal([out_size], stddev=0.1))", "The bias should begin as zeros"),
]

MEAN = "loss = tf.reduce_mean(losses)"
CROSS = "tf.nn.softmax_cross_entropy_with_logits_v2("
PROBABILITY = "loss = -tf.reduce_mean(tf.reduce_sum(labels * tf.log({}), axis=1))"

BUILD_LOSS = [
    (MEAN, MEAN + "\n    loss = tf.cast(loss, tf.float64)", "should be float32, but it is float64"),
    (MEAN, "loss = tf.reduce_mean(losses, keepdims=True)", "should be a single number"),
    (MEAN, "loss = tf.reduce_mean(tf.stop_gradient(losses))", "No gradient flows"),
    ("tf.one_hot(targets, num_classes)", "tf.one_hot(targets, lstm_size)",
     ("raised ValueError", "at line", "tf.one_hot(targets, num_classes) makes C numbers of each id")),
    ("tf.one_hot(targets, num_classes)", "tf.cast(targets, tf.float32)", ("raised ValueError", "at line")),
    ("return loss", "return tf.argmax(logits, 1)", "should be float32, but it is int64"),
    ("return loss", "return None", "should end with return loss"),
    (MEAN, "loss = None", "Still None: loss"),
    ("return loss", "return [loss]", "should be a tensor, not a list of 1"),
    ("return loss", "return 1.5", "should be a tensor, not 1.5"),
    ("tf.one_hot(targets, num_classes)", "tf.one_hot(targets, vocab_size)",
     ("uses vocab_size", "the argument num_classes")),
    # right for usual logits only
    (MEAN, PROBABILITY.format("tf.clip_by_value(tf.nn.softmax(logits), 1e-10, 1.0)"), "but it is -0 and 23.03"),
    (MEAN, PROBABILITY.format("tf.nn.softmax(logits) + 1e-8"), "but it is -0 and 18.42"),
    (MEAN, PROBABILITY.format("tf.nn.softmax(logits)"), "come from the logarithm of 0"),
    (MEAN, "loss = tf.losses.softmax_cross_entropy(labels, logits, label_smoothing=1e-4)", "smoothed or added?"),
    (MEAN, "loss = tf.losses.softmax_cross_entropy(labels, logits, label_smoothing=0.1)", "the mean softmax"),
    # more than the cross-entropy
    (MEAN, MEAN + " + 1e-4 * sum(tf.nn.l2_loss(v) for v in tf.trainable_variables())", "L2 regularization"),
    (MEAN, PROBABILITY.format("tf.clip_by_value(tf.nn.softmax(logits), 1e-2, 1.0)"),
     "without anything clipped or added"),
    (MEAN, PROBABILITY.format("logits"), "take the logarithm of the softmax"),
    (MEAN, MEAN + " + 1.0", ("3.9567 was expected, and 4.9567 came", 'checks.hint("build_loss")')),
    (MEAN, "loss = tf.reduce_mean(losses) ** 3", "3.9567 was expected, and 61.9"),
    (MEAN, "loss = tf.reduce_sum(losses)", "The loss is 6 times what it should be"),
    (MEAN, "loss = tf.reduce_mean(losses) / lstm_size", "The loss is 1/4 times what it should be"),
    (MEAN, "loss = tf.reduce_sum(losses) / int(targets.shape[0])", "The loss is 3 times what it should be"),
    (MEAN, "loss = -tf.reduce_mean(losses)", ("The loss is -1 times", "MINUS the logarithm")),
    (MEAN, "loss = losses", "its shape is [6]: take the mean over all N·M steps"),
    (MEAN, "loss = losses[-1]", "was expected, and "),
    (MEAN, "loss = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), tf.argmax(labels, 1)), tf.float32))",
     "No gradient flows"),
    # other libraries, misspelt names, and tensors that are taken for arrays
    ("", "return F.cross_entropy(logits, targets.view(-1))", "F belongs to PyTorch"),
    (CROSS, "tf.nn.softmax_cross_entropy(", "do you mean tf.nn.softmax_cross_entropy_with_logits_v2?"),
    (MEAN, "loss = tf.mean(losses)", "do you mean tf.reduce_mean?"),
    (MEAN, "loss = losses.mean()", "the function is tf.reduce_mean"),
    (MEAN, "loss = tf.reduce_mean(loss)", "do you mean losses?"),
    (MEAN, "loss = tf.reduce_sum(losses) / tf.size(losses)", "tf.cast changes a type"),
    (MEAN, "loss = sum(losses) / len(losses)", "there are tf.reduce_sum and tf.reduce_mean"),
    (MEAN, PROBABILITY.format("tf.nn.softmax(logits)[:, tf.reshape(targets, [-1])]"), "as in NumPy"),
    ("tf.one_hot(targets, num_classes)", "np.eye(num_classes)[targets]", "NumPy and TensorFlow do not mix"),
    ("tf.one_hot(targets, num_classes)", "tf.one_hot(num_classes, targets)", "tf.one_hot takes the ids, then"),
    # others
    ("labels = tf.reshape(one_hot, logits.shape)", "labels = tf.reshape(targets, [-1])",
     ("raised ValueError", "should be one-hot")),
    ("tf.one_hot(targets, num_classes)", "targets", ("Cannot reshape", "makes C numbers of each id")),
]

CLIPPED = "gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)"
ADAM = "adam = tf.train.AdamOptimizer(learning_rate)"
APPLY = "optimizer = adam.apply_gradients(zip(gradients, variables))"

BUILD_OPTIMIZER = [
    (APPLY, "optimizer = adam.minimize(loss)", "The gradients are not clipped"),
    (CLIPPED, CLIPPED.replace("grad_clip)", "4)"), "grad_clip = 200"),
    (CLIPPED, CLIPPED.replace("gradients, _", "gradients"), "the first of the two things that clip_by"),
    (CLIPPED, CLIPPED.replace("tf.gradients(loss,", "tf.gradients(-loss,"), "WITH their gradients"),
    (ADAM, "adam = tf.train.AdamOptimizer()", "give the optimizer learning_rate"),
    (ADAM, "adam = tf.train.AdamOptimizer(0.01)", "give the optimizer learning_rate"),
    (ADAM, "adam = tf.train.AdamOptimizer(grad_clip)", "learning_rate is grad_clip, but should be 0.01"),
    (ADAM, "adam = tf.train.AdamOptimizer(learning_rate, beta1=0.0)", "beta1 is 0"),
    (ADAM, "adam = tf.train.AdamOptimizer(learning_rate, epsilon=0.1)", "epsilon is 0.1"),
    (ADAM, "adam = tf.train.GradientDescentOptimizer(learning_rate)", "with Adam: it has ApplyGradientDescent"),
    (ADAM, "adam = tf.train.RMSPropOptimizer(learning_rate)", "does no update with Adam: it has ApplyRMSProp"),
    ("", "variables = tf.trainable_variables()\n"
         "gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), learning_rate)\n"
         "return tf.train.AdamOptimizer(grad_clip).apply_gradients(zip(gradients, variables))",
     ("should get gradients of the norm 4", "but theirs is 0.01:")),
    ("tf.trainable_variables()", "tf.trainable_variables()[:1]", "It trains w, but should train v and w"),
    ("tf.trainable_variables()", "tf.global_variables()", "but no variable made with trainable=False"),
    (APPLY, "optimizer = adam.apply_gradients(zip(variables, gradients))", "takes pairs (gradient, variable)"),
    (APPLY, "optimizer = adam.apply_gradients([gradients, variables])", "takes pairs (gradient, variable)"),
    (APPLY, "optimizer = adam.apply_gradients(zip(gradients[::-1], variables))", "keep the order of the variables"),
    (APPLY, "optimizer = adam.apply_gradients(zip(gradients, tf.global_variables()))",
     "a gradient does not fit its variable"),
    ("tf.trainable_variables()", "tf.trainable_variables", "call it, with brackets"),
    (ADAM, "adam = tf.train.AdamOptimizer", "an optimizer is needed, not its class"),
    (ADAM, "adam = tf.keras.optimizers.Adam(learning_rate)", "not an optimizer of Keras"),
    (ADAM, ADAM.replace("train.", "contrib.opt."), "tf.train has AdamOptimizer"),
    (CLIPPED, CLIPPED.replace("grad_clip)", "2 * grad_clip)"), ("grad_clip = 4", "but theirs is 8:")),
    (CLIPPED, "gradients = [tf.clip_by_value(g, 0, grad_clip) for g in tf.gradients(loss, variables)]",
     "The first difference is at [0, 1]: 1.92 was expected, and 4 came"),
    ("variables = tf.trainable_variables()", "variables = tf.trainable_variables()\n    "
     "loss += 1e-4 * sum(tf.nn.l2_loss(v) for v in variables)", "clip those of the loss alone"),
    ("return optimizer", "with tf.Session() as session:\n        session.run(tf.global_variables_initializer())\n"
                         "    return optimizer", "It runs a session"),
    (CLIPPED, "with tf.GradientTape() as tape:\n        pass\n    gradients = tape.gradient(loss, variables)",
     "GradientTape is for eager execution"),
    (CLIPPED, CLIPPED.replace("variables), grad_clip)", "variables, grad_clip))"), "is a bracket closed too early"),
    (ADAM, "adam = tf.train.Adam(learning_rate)", "do you mean tf.train.AdamOptimizer?"),
    (ADAM, "adam = tf.train.AdamOptimizer(lr=learning_rate)", "the argument is learning_rate"),
    (APPLY, "optimizer = adam.minimize(gradients)", "minimize takes a loss"),
    (CLIPPED, CLIPPED.replace("grad_clip)", "1 / grad_clip)"),
     ("The first difference is at [0, 1]: 1.92 was expected, and 0.12 came", 'checks.hint("build_optimizer")')),
    # right at the first step only
    (ADAM, ADAM.replace("learning_rate", "tf.train.exponential_decay(learning_rate, "
                                         "tf.train.get_or_create_global_step(), 1000, 0.9)"),
     "learning_rate is 0, but should be 0.01: give the optimizer learning_rate itself, without a decay"),
    (ADAM, "step = tf.Variable(0, trainable=False)\n    adam = tf.train.AdamOptimizer("
           "tf.train.piecewise_constant(step, [500], [learning_rate, learning_rate / 10]))",
     "learning_rate is 0.001, but should be 0.01"),
    ("", "rate, variables = tf.Variable(learning_rate, trainable=False), tf.trainable_variables()\n"
         "gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)\n"
         "update = tf.train.AdamOptimizer(rate).apply_gradients(zip(gradients, variables))\n"
         "with tf.control_dependencies([update]):\n    return rate.assign(rate * 0.9)",
     ("After 3 updates the weights should be", "with a constant learning rate")),
    (ADAM, "from tensorflow.contrib import opt\n    adam = opt.NadamOptimizer(learning_rate)", "one update with Adam"),
    (ADAM, "from tensorflow.contrib import opt\n    adam = opt.AdamWOptimizer(1e-6, learning_rate)", "weight decay"),
    ("return optimizer", "return tf.group(optimizer, *[v.assign(0.999 * v) for v in variables])", "weight decay"),
    (APPLY, "with tf.control_dependencies([v.assign_sub(1e-6 * v) for v in variables]):\n        " + APPLY,
     "weight decay"),
    (CLIPPED, "_, gradients = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)",
     "cannot be iterated over"),
    (ADAM, "adam = tf.train.AdamOptimizer(learning_rate, grad_clip)", "beta1 is grad_clip"),
    (APPLY, APPLY + "\n    optimizer = tf.group(optimizer, tf.train.AdamOptimizer(learning_rate).minimize(loss))",
     "updated more than once"),
    ("", "loss = tf.clip_by_value(loss, -grad_clip, grad_clip)\n"
         "return tf.train.AdamOptimizer(learning_rate).minimize(loss)", "clip the gradients, not the loss"),
    ("return optimizer", "return adam", "not an AdamOptimizer"),
    ("return optimizer", "return adam.apply_gradients", "should return the operation"),
    ("return optimizer", "return optimizer, gradients", "should return the operation"),
    ("return optimizer", "return loss", "does no update with Adam"),
    ("return optimizer", "pass", "should end with return optimizer"),
    (APPLY, "optimizer = None", "Still None: optimizer"),
    (CLIPPED, CLIPPED.replace("grad_clip)", "clip)"), ("uses clip", "the argument grad_clip")),
]

ROWS_STEPS = "n_rows, n_steps = (1, 1) if sampling else (batch_size, num_steps)"
LSTM = "lstm_size, num_layers, n_rows, self.keep_prob)"
RNN = "outputs, self.final_state = tf.nn.dynamic_rnn("
OUTPUT = "self.prediction, self.logits = build_output(outputs, lstm_size, num_classes)"
LOSS = "self.loss = build_loss(self.logits, self.targets, lstm_size, num_classes)"
OPTIMIZER = "self.optimizer = build_optimizer(self.loss, learning_rate, grad_clip)"

UNROLLED = RNN + "  # [N, M, L]\n            cell, x_one_hot, initial_state=self.initial_state)"
HOT = "tf.one_hot(self.inputs, num_classes)"

CHAR_RNN = [
    (ROWS_STEPS, "n_rows, n_steps = batch_size, num_steps", "With sampling=True"),
    (ROWS_STEPS, "n_rows, n_steps = (1 if sampling else batch_size), num_steps", "With sampling=True"),
    (ROWS_STEPS, "n_rows, n_steps = (batch_size, num_steps) if sampling else (1, 1)",
     "build_inputs is called with batch_size = 1"),
    ("build_inputs(n_rows, n_steps)", "build_inputs(n_steps, n_rows)", "they are swapped"),
    (LSTM, "lstm_size, num_layers, batch_size, self.keep_prob)", "With sampling=True: build_lstm"),
    ("tf.set_random_seed(seed)", "pass", "have different initial weights"),
    ("tf.reset_default_graph()\n        tf.set_random_seed(seed)",
     "tf.set_random_seed(seed)\n        tf.reset_default_graph()", "which forgets the seed"),
    ("tf.set_random_seed(seed)", "tf.set_random_seed(42)", "Another seed makes no difference"),
    (HOT, "tf.one_hot(self.inputs + 1, num_classes)", "x_one_hot should be tf.one_hot(self.inputs, num_classes)"),
    (HOT, "tf.one_hot(self.inputs, num_classes, axis=1)", "but it is a float32 tensor [3, 5, 6]"),
    (HOT, "tf.cast(self.inputs, tf.float32)", "but it is a float32 tensor [3, 6]"),
    (OUTPUT, "outputs = tf.nn.relu(outputs)\n        " + OUTPUT, "changed, or put into another order"),
    (OUTPUT, "outputs = tf.transpose(outputs, [1, 0, 2])\n        " + OUTPUT, "a float32 tensor [6, 3, 4], but"),
    (OUTPUT, "outputs = tf.stop_gradient(outputs)\n        " + OUTPUT, "no gradient flows there"),
    (OUTPUT, OUTPUT + "\n        self.logits = tf.nn.relu(self.logits)",
     "self.logits is a float32 tensor [18, 5], but it should be the "
                                                                          "logits of build_output, as it is"),
    (OUTPUT, OUTPUT + "\n        _, self.logits = build_output(outputs, lstm_size, num_classes)",
     "build_output is called more than once"),
    ("initial_state=self.initial_state", "initial_state=self.initial_state, sequence_length=[1] * n_rows",
     "and nothing else"),
    ("initial_state=self.initial_state", "initial_state=self.initial_state, time_major=True", "without time"),
    (RNN, "outputs = tf.nn.dynamic_rnn(", "dynamic_rnn returns two things"),
    (RNN, "outputs, self.final_state = (lambda cell, x, initial_state: cell(x, initial_state))(",
     "a cell computes a single step"),
    (LOSS, LOSS.replace("build_loss", "n_steps * build_loss"), "but it should be the loss of build_loss, as it is"),
    (LSTM, "num_layers, lstm_size, n_rows, self.keep_prob)", "they are swapped"),
    (LSTM, "lstm_size, num_layers, n_rows, keep_prob)", ("uses keep_prob", "self.keep_prob")),
    (LSTM, "lstm_size, num_layers, n_rows, 0.5)", "with the keep_prob of build_inputs"),
    (LSTM, "num_classes, num_layers, n_rows, self.keep_prob)", "build_lstm is called with lstm_size = 5"),
    ("tf.one_hot(self.inputs, num_classes)", "tf.one_hot(self.targets, num_classes)",
     "x_one_hot should be tf.one_hot(self.inputs, num_classes)"),
    ("tf.one_hot(self.inputs, num_classes)", "self.inputs", "but it is an int32 tensor [3, 6]"),
    ("initial_state=self.initial_state", "dtype=tf.float32", "Another initial state makes no difference"),
    (RNN, "self.final_state = self.initial_state\n        outputs, _ = tf.nn.dynamic_rnn(",
     "final_state should be the state that dynamic_rnn returns"),
    (RNN, "self.final_state, outputs = tf.nn.dynamic_rnn(", "the outputs first, then the state"),
    (OUTPUT, OUTPUT.replace("outputs", "outputs[:, -1]"), ("a float32 tensor [3, 4], but", "of one step only")),
    (OUTPUT, OUTPUT.replace("outputs", "outputs[-1]"),
     ("a float32 tensor [6, 4], but", "outputs[-1] is the last row of the batch, not the last step")),
    (UNROLLED, "outputs = tf.keras.layers.RNN(cell, return_sequences=True)(\n"
               "            x_one_hot, initial_state=self.initial_state)", "RNN is a layer of Keras"),
    (UNROLLED, "outputs = tf.keras.layers.RNN(cell)(x_one_hot)\n        self.final_state = self.initial_state",
     "RNN is a layer of Keras"),
    (OUTPUT, "self.logits, self.prediction = build_output(outputs, lstm_size, num_classes)",
     "self.prediction is the logits of build_output"),
    (OUTPUT, OUTPUT.replace("lstm_size, num_classes", "num_classes, lstm_size"), "they are swapped"),
    (LOSS, LOSS.replace("self.logits", "self.prediction"), "logits = the predictions of build_output, but"),
    (LOSS, LOSS.replace("self.logits, self.targets", "self.targets, self.logits"), "they are swapped"),
    (LOSS, LOSS.replace("num_classes", "lstm_size"), "build_loss is called with num_classes = 4"),
    (OPTIMIZER, OPTIMIZER.replace("learning_rate,", "0.001,"), "build_optimizer is called with learning_rate = "
                                                               "0.001"),
    (OPTIMIZER, OPTIMIZER.replace("learning_rate, grad_clip", "grad_clip, learning_rate"), "they are swapped"),
    (OPTIMIZER, OPTIMIZER.replace("self.optimizer", "self.update"), "Missing: optimizer"),
    (OPTIMIZER, "self.optimizer = build_optimizer", "call it, with brackets"),
    (OPTIMIZER, "self.optimizer = tf.train.AdamOptimizer(learning_rate).minimize(self.loss)",
     "not those of the loss, clipped"),
    (OPTIMIZER, OPTIMIZER.replace("self.loss", "-self.loss"), "should be called with the loss of build_loss"),
    (OPTIMIZER, OPTIMIZER.replace("self.loss", "self.loss * num_steps"),
     "should be called with the loss of build_loss"),
    (OPTIMIZER, OPTIMIZER.replace("self.loss", "tf.reduce_sum(self.logits)"),
     "should be called with the loss of build_loss"),
    (OPTIMIZER, OPTIMIZER.replace("self.loss", "build_loss(self.logits, self.inputs, lstm_size, num_classes)"),
     "build_loss is called more than once"),
    (OPTIMIZER, OPTIMIZER + "\n        return self", "__init__ returns something"),
    ("initial_state=self.initial_state", "initial_state=initial_state", "(write self.initial_state)"),
    ("tf.nn.dynamic_rnn(", "tf.contrib.rnn.static_rnn(", "tf.nn.rnn_cell has the same classes"),
    (OUTPUT, "outputs = tf.nn.dropout(outputs, rate=1 - self.keep_prob)\n        " + OUTPUT, "more dropout"),
    (RNN, "x_one_hot = tf.nn.dropout(x_one_hot, rate=1 - self.keep_prob)\n        " + RNN, "more dropout"),
    (RNN, "cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=self.keep_prob)\n        " + RNN,
     "more dropout"),
    ("self.prediction, self.logits = build", "self.predictions, self.logits = build",
     "prediction is missing. There is one named predictions"),
    (OPTIMIZER, OPTIMIZER + "\n        tf.reset_default_graph()", "but they are none"),
    ("self.inputs, self.targets, self.keep_prob = build", "self.targets, self.inputs, self.keep_prob = build",
     "self.inputs is the targets of build_inputs"),
    (RNN, "outputs, final_state = tf.nn.dynamic_rnn(", "write self.final_state"),
    ("cell, self.initial_state = build_lstm", "self.initial_state, cell = build_lstm", "is the cell of"),
    (OUTPUT, OUTPUT.replace("outputs", "x_one_hot"), "a float32 tensor [3, 6, 5], but"),
    (OUTPUT, "self.prediction = self.logits = build_output(outputs, lstm_size, num_classes)",
     "self.prediction is a tuple of 2"),
    (OUTPUT, OUTPUT + "\n        self.prediction = tf.nn.softmax(self.prediction)",
     "self.prediction is a float32 tensor [18, 5], but"),
    (OUTPUT, OUTPUT + "\n        self.prediction = tf.argmax(self.prediction, 1)",
     "but it should be the predictions of build_output"),
    ("tf.reset_default_graph()", "pass", "reset the default graph first"),
    (LOSS + "\n        " + OPTIMIZER, "self.loss = self.optimizer = None", "Still None: loss, optimizer"),
    (OPTIMIZER, "self.optimizer = build_optimizer(loss, learning_rate, grad_clip)", "NameError: name 'loss'"),
    ("", "pass", "Missing: inputs"),
    # the state in variables, other names, two runs, the future, and other classes
    ("n_rows, self.keep_prob)", "n_rows, self.keep_prob)\n        self.initial_state = tuple("
     "tf.nn.rnn_cell.LSTMStateTuple(*[tf.Variable(tf.zeros([n_rows, lstm_size]), trainable=False) for _ in 'ch'])"
     " for _ in range(num_layers))", "self.initial_state is a tuple of 2, but it should be"),
    (UNROLLED, "outputs, state = [], self.initial_state\n        for step in range(n_steps):\n"
               "            out, state = cell(x_one_hot[:, step], state)\n            outputs.append(out)\n"
               "        self.final_state = state", "but they are named multi_rnn_cell"),
    (UNROLLED, "with tf.variable_scope('mine'):\n            outputs, self.final_state = tf.nn.dynamic_rnn(\n"
               "                cell, x_one_hot, initial_state=self.initial_state)", "but they are named mine/rnn"),
    ("self.inputs, self.targets, self.keep_prob = build_inputs(n_rows, n_steps)",
     "self.inputs, self.targets, self.keep_prob = (build_inputs(n_rows, n_steps)[i] for i in range(3))",
     "build_inputs is called more than once"),
    (UNROLLED, "outputs, self.final_state = tf.nn.dynamic_rnn(cell, tf.transpose(x_one_hot, [1, 0, 2]), "
               "initial_state=self.initial_state, time_major=True)", "leave out time_major=True"),
    (UNROLLED, "other, _ = build_lstm(lstm_size, num_layers, n_rows, self.keep_prob)\n        (there, back), "
               "(self.final_state, _) = tf.nn.bidirectional_dynamic_rnn(cell, other, x_one_hot, "
               "initial_state_fw=self.initial_state, dtype=tf.float32)\n        outputs = there + back",
     "build_lstm is called more than once"),
    (HOT, HOT.replace("self.inputs", "self.inputs[:, ::-1]"),
     "x_one_hot should be tf.one_hot(self.inputs, num_classes)"),
    (OPTIMIZER, OPTIMIZER + "\n        self.optimizer = tf.train.AdamOptimizer(learning_rate).minimize(self.loss)",
     "but it should be the optimizer of build_optimizer"),
    ("n_rows, self.keep_prob)", "n_rows, 0.5 if sampling else self.keep_prob)", "called with keep_prob = 0.5, but"),
    ("build_inputs(n_rows", "self.build_inputs(n_rows", "not a method: leave self. out"),
    ("def __init__(", "def __init_(", "the class has no __init__"),
    ("def __init__(self, num_classes", "def __init__(num_classes", "the first argument of __init__ is self"),
    (RNN, "outputs, self.final_state = tf.nn.dynamic_RNN(", "do you mean tf.nn.dynamic_rnn?"),
    (OUTPUT, "outputs += tf.reduce_mean(outputs)\n        " + OUTPUT, ("The first difference is at [0, 0]",
                                                                       'checks.hint("CharRNN")')),
]

WRONG = {"get_batches": GET_BATCHES, "build_inputs": BUILD_INPUTS, "build_lstm": BUILD_LSTM,
         "build_output": BUILD_OUTPUT, "build_loss": BUILD_LOSS, "build_optimizer": BUILD_OPTIMIZER,
         "CharRNN": CHAR_RNN}

_START = ("n = batch_size * n_steps\nk = len(arr) // n\nif not k:\n    return\n"
          "rows = arr[:k * n].reshape((batch_size, -1))\n")

RIGHT = {
    "get_batches": [
        ("yield x, y", "yield np.array([x, y])"),
        (COUNT, "divmod(arr.size, batch_size * n_steps)[0]"),
        ("", _START.replace("    return\n", "    return iter([])\n")
             + "z = np.c_[rows, np.zeros(batch_size, arr.dtype)]\nreturn map(lambda i: "
               "(z[:, i:i + n_steps], z[:, i + 1:i + n_steps + 1]), range(0, k * n_steps, n_steps))"),
        ("", _START + "n_windows = len(arr) // batch_size\nz = np.c_[rows, np.zeros(batch_size, arr.dtype)]\n"
             "for i in range(0, n_windows // n_steps * n_steps, n_steps):\n"
             "    yield z[:, i:i + n_steps], z[:, i + 1:i + n_steps + 1]"),
        ("yield x, y", "yield [x, y]"),
        ("yield x, y", "yield (x, y)"),
        (X, X + ".copy()"),
        (ZEROS, "y = np.zeros(x.shape, dtype=x.dtype)"),
        (ZEROS, "y = np.zeros((batch_size, n_steps), arr.dtype)"),
        (ZEROS, "y = x * 0"),
        (ZEROS, "y = np.zeros(x.shape, np.int32)", "the dtype is fixed"),
        (COUNT, "int(len(arr) / (batch_size * n_steps))"),
        (COUNT, "len(arr) // batch_size // n_steps"),
        (ROWS, "rows = np.reshape(arr[:n_windows * batch_size * n_steps], (batch_size, n_windows * n_steps))"),
        (ROWS, "rows = np.array(np.split(arr[:batch_size * n_steps * n_windows], batch_size))"),
        (LOOP, "range(0, rows.shape[1], n_steps)"),
        (Y, "y[:, :-1] = x[:, 1:]\n        if start + n_steps < rows.shape[1]:\n"
            "            y[:, -1] = rows[:, start + n_steps]"),
        (Y, "y[:, :-1] = x[:, 1:]\n        try:\n            y[:, -1] = rows[:, start + n_steps]\n"
            "        except IndexError:\n            y[:, -1] = 0"),
        (Y, "y = np.concatenate([x[:, 1:], following[:, -1:] if following.shape[1] == n_steps else x[:, :1] * 0], "
            "1)"),
        ("", _START + "ys = np.zeros_like(rows)\nys[:, :-1] = rows[:, 1:]\n"
             "for i in range(0, k * n_steps, n_steps):\n    yield rows[:, i:i + n_steps], ys[:, i:i + n_steps]"),
        ("", _START + "ys = np.roll(rows, -1, axis=1)\nys[:, -1] = 0\n"
             "for i in range(k):\n    part = slice(i * n_steps, (i + 1) * n_steps)\n    yield rows[:, part], "
             "ys[:, part]"),
        ("", _START + "padded = np.pad(rows, ((0, 0), (0, 1)), 'constant')\n"
             "for i in range(0, k * n_steps, n_steps):\n"
             "    yield padded[:, i:i + n_steps], padded[:, i + 1:i + n_steps + 1]"),
        ("", _START + "ys = np.zeros_like(rows)\nys[:, :-1] = rows[:, 1:]\n"
             "yield from zip(np.split(rows, k, axis=1), np.split(ys, k, axis=1))"),
        ("", _START.replace("    return\n", "    return iter(())\n") + "ys = np.zeros_like(rows)\nys[:, :-1] = "
                                                                       "rows[:, 1:]\n"
             "return zip(np.split(rows, k, axis=1), np.split(ys, k, axis=1))"),
        ("", _START + "start = 0\nwhile start < k * n_steps:\n    x = rows[:, start:start + n_steps]\n"
             "    y = np.zeros_like(x)\n    for r in range(batch_size):\n        for c in range(n_steps):\n"
             "            if start + c + 1 < k * n_steps:\n                y[r, c] = rows[r, start + c + 1]\n"
             "    yield x, y\n    start += n_steps"),
        ("", "if len(arr) < batch_size * n_steps:\n    return\n" + _START + "ys = np.hstack([rows[:, 1:], "
             "np.zeros((batch_size, 1), arr.dtype)])\n"
             "for x, y in zip(np.hsplit(rows, k), np.hsplit(ys, k)):\n    yield x, y"),
    ],
    "build_inputs": [
        ("", "shape = (batch_size, num_steps)\nreturn tuple([tf.placeholder(tf.int32, shape, 'inputs'), "
             "tf.placeholder(tf.int32, shape, 'targets'), tf.placeholder('float', None, 'keep_prob')])"),
        (KEEP, 'tf.placeholder(tf.float32, [], name="keep_prob")'),
        (KEEP, 'tf.placeholder_with_default(1.0, [], name="keep_prob")'),
        (KEEP, 'tf.identity(tf.placeholder(tf.float32, []), name="keep_prob")'),
        (INPUTS, INPUTS.replace("[batch_size, num_steps]", "shape=(batch_size, num_steps)")),
        (INPUTS, INPUTS.replace("tf.int32", "np.int32")),
        (RETURN, "return [inputs, targets, keep_prob]"),
        ("", 'targets, inputs = (tf.placeholder(tf.int32, [batch_size, num_steps], name=name)\n'
             '                   for name in ("targets", "inputs"))\n'
             'return inputs, targets, tf.placeholder(tf.float32, name="keep_prob")'),
    ],
    "build_lstm": [
        (STACK, "tf.nn.rnn_cell.MultiRNNCell(tuple(build_layer() for _ in range(num_layers)))"),
        (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(lstm_size, activation='tanh')"),
        (WRAPPED, WRAPPED.replace("=keep_prob", "=tf.identity(keep_prob)")),
        (WRAPPED, WRAPPED.replace("=keep_prob", "=1 - (1 - keep_prob)")),
        (WRAPPED, "tf.nn.rnn_cell.DropoutWrapper(lstm, 1.0, keep_prob)"),
        (WRAPPED, WRAPPED[:-1] + ", input_keep_prob=1.0)"),
        (WRAPPED, WRAPPED[:-1] + ", seed=3)"),
        (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(num_units=lstm_size, forget_bias=1.0)"),
        (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(lstm_size, activation=tf.tanh)"),
        ("cell = " + STACK, "layers = []\n    for _ in range(num_layers):\n        layers.append(build_layer())\n"
                            "    cell = tf.nn.rnn_cell.MultiRNNCell(layers)"),
        (LIST, "[build_layer() for _ in range(num_layers)], state_is_tuple=True"),
        (ZERO, "cell.zero_state(batch_size, dtype='float32')"),
        (ZERO, "tuple(tf.nn.rnn_cell.LSTMStateTuple(tf.zeros([batch_size, lstm_size]), "
               "tf.zeros([batch_size, lstm_size])) for _ in range(num_layers))"),
        ("return cell, initial_state", "return [cell, initial_state]"),
    ],
    "build_output": [
        (LOGITS, "logits = tf.einsum('ij,jk->ik', rows, weights) + bias"),
        (SOFTMAX, "powers = tf.exp(logits - tf.reduce_max(logits, axis=1, keepdims=True))\n    predictions = "
                  "tf.divide(powers, tf.reduce_sum(powers, axis=1, keepdims=True), name='predictions')"),
        (LOGITS, "logits = tf.nn.xw_plus_b(rows, weights, bias)"),
        (LOGITS, "logits = tf.add(tf.matmul(rows, weights), bias)"),
        (LOGITS, "logits = tf.nn.bias_add(tf.matmul(rows, weights), bias)"),
        (LOGITS, "logits = rows @ weights + bias"),
        (LOGITS, 'with tf.variable_scope("softmax"):\n        ' + LOGITS),
        (BIAS, "bias = tf.Variable(tf.constant(0.0, shape=[out_size]))"),
        (BIAS, "bias = tf.Variable(np.zeros(out_size, np.float32))"),
        (WEIGHTS, "weights = tf.Variable(tf.truncated_normal((in_size, out_size), 0.0, 0.1))"),
        (WEIGHTS, "weights = tf.Variable(0.1 * tf.truncated_normal([in_size, out_size]))"),
        (SOFTMAX, 'predictions = tf.identity(tf.nn.softmax(logits), name="predictions")'),
        (SOFTMAX, 'predictions = tf.nn.softmax(logits, axis=-1, name="predictions")'),
        ("joined = tf.concat(lstm_output, axis=1)",
         "joined = tf.stack(lstm_output, axis=1) if isinstance(lstm_output, list) else lstm_output"),
        ('tf.variable_scope("softmax")', 'tf.name_scope("softmax")'),
    ],
    "build_loss": [
        ("", "labels = tf.one_hot(tf.reshape(targets, [-1]), num_classes)\nreturn tf.reduce_mean("
             "tf.reduce_logsumexp(logits, axis=1) - tf.reduce_sum(labels * logits, axis=1))"),
        (MEAN, "loss = tf.add_n(tf.unstack(losses)) / losses.shape.as_list()[0]"),
        ("labels = tf.reshape(one_hot, logits.shape)", "labels = tf.reshape(one_hot, [-1, num_classes])"),
        ("labels = tf.reshape(one_hot, logits.shape)", "labels = one_hot"),
        ("labels = tf.reshape(one_hot, logits.shape)", "labels = tf.reshape(one_hot, tf.shape(logits))"),
        ("tf.one_hot(targets, num_classes)", "tf.one_hot(tf.reshape(targets, [-1]), num_classes)"),
        (CROSS, "tf.nn.softmax_cross_entropy_with_logits("),
        (MEAN, "loss = tf.reduce_sum(losses) / tf.cast(tf.size(targets), tf.float32)"),
        (MEAN, "loss = tf.reduce_mean(tf.reduce_mean(tf.reshape(losses, targets.shape), axis=1))"),
        ("", "return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(\n"
             "    labels=tf.reshape(targets, [-1]), logits=logits))"),
        ("", "labels = tf.one_hot(tf.reshape(targets, [-1]), num_classes)\n"
             "return -tf.reduce_mean(tf.reduce_sum(labels * tf.nn.log_softmax(logits), axis=1))"),
        ("", "labels = tf.reshape(tf.one_hot(targets, num_classes), logits.shape)\n"
             "return tf.losses.softmax_cross_entropy(labels, logits)"),
        ("", "return tf.losses.sparse_softmax_cross_entropy(tf.reshape(targets, [-1]), logits)"),
        ("logits=logits)", "logits=tf.nn.log_softmax(logits))"),
        ("", "return tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy(\n"
             "    tf.reshape(targets, [-1]), logits, from_logits=True))"),
    ],
    "build_optimizer": [
        ("return optimizer", "with tf.control_dependencies([optimizer]):\n        return tf.identity(loss)"),
        ("", "v = tf.trainable_variables()\ng = tf.gradients(loss, v)\n"
             "n = tf.sqrt(sum(tf.reduce_sum(x ** 2) for x in g))\n"
             "s = tf.cond(n > grad_clip, lambda: grad_clip / n, lambda: 1.0)\n"
             "return tf.train.AdamOptimizer(learning_rate).apply_gradients(zip([x * s for x in g], v))"),
        (CLIPPED, "gradients = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)[0]"),
        (CLIPPED, "gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), clip_norm=grad_clip)"),
        (ADAM, "adam = tf.train.AdamOptimizer(learning_rate, name='mine')"),
        (ADAM, "adam = tf.train.AdamOptimizer(tf.constant(learning_rate))"),
        (APPLY, "with tf.variable_scope('training'):\n        " + APPLY),
        (APPLY, "optimizer = adam.apply_gradients(zip(gradients, variables), name='update')"),
        (APPLY, "optimizer = adam.apply_gradients(list(zip(gradients, variables)),\n"
                "                                     global_step=tf.train.get_or_create_global_step())"),
        ("return optimizer", "return tf.group(optimizer)"),
        ("return optimizer", "average = tf.train.ExponentialMovingAverage(0.99)\n    with tf.control_dependencies("
                             "[optimizer]):\n        return average.apply(variables)"),
        (ADAM, "adam = tf.train.AdamOptimizer(tf.Variable(learning_rate, trainable=False))"),
        (ADAM, "adam = tf.train.AdamOptimizer(learning_rate, use_locking=True)"),
        ("", "adam = tf.train.AdamOptimizer(learning_rate)\n"
             "gradients, variables = zip(*adam.compute_gradients(loss))\n"
             "gradients, _ = tf.clip_by_global_norm(gradients, grad_clip)\n"
             "return adam.apply_gradients(zip(gradients, variables))"),
        ("", "adam = tf.train.AdamOptimizer(learning_rate)\nvariables = tf.trainable_variables()\n"
             "gradients = tf.gradients(loss, variables)\nnorm = tf.global_norm(gradients)\n"
             "scale = grad_clip / tf.maximum(norm, grad_clip)\n"
             "return adam.apply_gradients([(g * scale, v) for g, v in zip(gradients, variables)])"),
    ],
    "CharRNN": [
        ("n_rows, self.keep_prob)", "n_rows, 1.0 if sampling else self.keep_prob)"),
        ("tf.one_hot(self.inputs, num_classes)", "tf.gather(tf.eye(num_classes), self.inputs)"),
        ("tf.set_random_seed(seed)", "if seed is not None:\n            tf.set_random_seed(seed)"),
        (ROWS_STEPS, "if sampling:\n            batch_size, num_steps = 1, 1\n"
                     "        n_rows, n_steps = batch_size, num_steps"),
        (RNN, "cells = cell\n        outputs, state = tf.nn.dynamic_rnn(cells, tf.one_hot(self.inputs, "
              "num_classes), initial_state=self.initial_state)\n        self.final_state = state\n        _ = "
              "(lambda *a, **k: a)("),
        ("tf.one_hot(self.inputs, num_classes)", "tf.one_hot(tf.identity(self.inputs), depth=num_classes)"),
        ("n_rows, self.keep_prob)", "n_rows, tf.identity(self.keep_prob))"),
        (OUTPUT, "predictions, logits = build_output(outputs, lstm_size, num_classes)\n"
                 "        self.prediction, self.logits = predictions, logits"),
        (LOSS + "\n        " + OPTIMIZER,
         "loss = build_loss(self.logits, self.targets, lstm_size, num_classes)\n"
         "        self.loss, self.optimizer = loss, build_optimizer(loss, learning_rate, grad_clip)"),
        (LOSS, LOSS.replace("lstm_size", "num_classes")),
        (UNROLLED, "outputs, self.final_state = tf.nn.static_rnn(\n"
         "            cell, tf.unstack(x_one_hot, axis=1), initial_state=self.initial_state)"),
    ],
}
