"""Right answers to the exercises that differ from the solution, as (old, new) like the wrong ones.

One with a third part is right with a remark that has those words.
"""
from wrong_answers import (
    ADAM,
    APPLY,
    BASIC,
    BIAS,
    CLIPPED,
    COUNT,
    CROSS,
    FLAT,
    INPUTS,
    KEEP,
    LIST,
    LOGITS,
    LOOP,
    LOSS,
    MEAN,
    OPTIMIZER,
    OUTPUT,
    RETURN,
    RNN,
    ROWS,
    ROWS_STEPS,
    SOFTMAX,
    STACK,
    WEIGHTS,
    WRAPPED,
    ZERO,
    ZEROS,
    X,
    Y,
)

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
        (KEEP, 'tf.placeholder(tf.float32, shape=(), name="keep_prob")'),
        (KEEP, 'tf.placeholder_with_default(1.0, [], name="keep_prob")'),
        (KEEP, 'tf.identity(tf.placeholder(tf.float32, []), name="keep_prob")'),
        (INPUTS, INPUTS.replace("[batch_size, num_steps]", "shape=(batch_size, num_steps)")),
        (INPUTS, INPUTS.replace("tf.int32", "np.int32")),
        (INPUTS, INPUTS.replace("tf.int32", "'int32'")),
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
        (BASIC, "tf.nn.rnn_cell.BasicLSTMCell(lstm_size, state_is_tuple=True)"),
        ("cell = " + STACK, "layers = []\n    for _ in range(num_layers):\n        layers.append(build_layer())\n"
                            "    cell = tf.nn.rnn_cell.MultiRNNCell(layers)"),
        (LIST, "[build_layer() for _ in range(num_layers)], state_is_tuple=True"),
        (ZERO, "cell.zero_state(batch_size, dtype='float32')"),
        (ZERO, "cell.zero_state(tf.constant(1) * 0 + batch_size, tf.float32) if False else " + ZERO),
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
        (FLAT, "rows = tf.reshape(joined, (-1, in_size))"),
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
        (MEAN, "loss = tf.reduce_mean(losses, axis=0)"),
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
        (CLIPPED, CLIPPED.replace("gradients, _", "gradients, norm")),
        (CLIPPED, "gradients = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)[0]"),
        (CLIPPED, "gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), clip_norm=grad_clip)"),
        (ADAM, "adam = tf.train.AdamOptimizer(learning_rate=learning_rate)"),
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
        (RNN + "  # [N, M, L]\n            cell, x_one_hot, initial_state=self.initial_state)",
         "outputs, state = [], self.initial_state\n        for step in range(n_steps):\n"
         "            out, state = cell(x_one_hot[:, step], state)\n            outputs.append(out)\n"
         "        self.final_state = state", "the variables are named multi_rnn_cell"),
        (RNN + "  # [N, M, L]\n            cell, x_one_hot, initial_state=self.initial_state)",
         "with tf.variable_scope('mine'):\n            outputs, self.final_state = tf.nn.dynamic_rnn(\n"
         "                cell, x_one_hot, initial_state=self.initial_state)", "the variables are named mine/rnn"),
        (RNN + "  # [N, M, L]\n            cell, x_one_hot, initial_state=self.initial_state)",
         "outputs, self.final_state = tf.nn.static_rnn(\n"
         "            cell, tf.unstack(x_one_hot, axis=1), initial_state=self.initial_state)"),
    ],
}
