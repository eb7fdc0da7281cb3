"""The network: the notebook's build functions, in the notebook's order, and the CharRNN graph made of them.

Letters for shapes as in :mod:`charrnn.data`: N sequences, M steps, C characters, L units.
"""
from charrnn.fused import softmax
from charrnn.fused.product import product
from charrnn.fused.unroll import unroll
from charrnn.system.tensorflow import CONTRIB_CELLS, OPTIMIZERS, contrib_cell, tf

LARGE_VARIABLE = 2 ** 22  # elements from which _Adam avoids constants; no variable of the recipe has as many


def build_inputs(batch_size, num_steps):
    """Create the placeholders for a window of text.

    Args:
        batch_size: N, sequences in a batch.
        num_steps: M, steps in a window.

    Returns:
        (inputs, targets, keep_prob): int32 [N, M], int32 [N, M] and a float32 scalar, the probability
        of keeping a unit in dropout, in (0, 1]. They have these names in the graph.

    Source: notebook, "inputs".
    """
    inputs = tf.placeholder(tf.int32, [batch_size, num_steps], name="inputs")
    targets = tf.placeholder(tf.int32, [batch_size, num_steps], name="targets")
    keep_prob = tf.placeholder(tf.float32, name="keep_prob")
    return inputs, targets, keep_prob


def build_lstm(lstm_size, num_layers, batch_size, keep_prob, *, cell="lstm", input_keep_prob=1.0):
    """Stack LSTM cells, each with dropout on its output.

    Args:
        lstm_size: L, units in a layer.
        num_layers: number of layers; each has its own cell.
        batch_size: N, sequences in a batch.
        keep_prob: float32 scalar tensor, the probability of keeping a unit, in (0, 1].
        cell: ``lstm``, or another kind of cell: ``gru``, ``rnn``, ``layer-norm-lstm`` or ``nas``.
        input_keep_prob: probability of keeping a unit of a cell's input, in (0, 1].

    Returns:
        (cell, initial_state): a ``MultiRNNCell`` and its zero state: for each layer an ``LSTMStateTuple``
        of c and h, float32 [N, L]; for ``gru`` and ``rnn`` h alone.

    Raises:
        ValueError: there is no such kind of cell.

    Source: notebook, "LSTM cell". The classes come from ``tf.nn.rnn_cell``. They are the same as those in
    ``tf.contrib.rnn``, which is slow to import. The other kinds of cell: Cho et al. 2014 (arXiv:1406.1078),
    Elman 1990, Ba et al. 2016 (arXiv:1607.06450) and Zoph and Le 2017 (arXiv:1611.01578).
    """
    layers = [
        tf.nn.rnn_cell.DropoutWrapper(_new_cell(cell, lstm_size), input_keep_prob=input_keep_prob,
                                      output_keep_prob=keep_prob)
        for _ in range(num_layers)]
    stack = tf.nn.rnn_cell.MultiRNNCell(layers)
    return stack, stack.zero_state(batch_size, tf.float32)


def _new_cell(kind, size):
    if kind == "lstm":
        return tf.nn.rnn_cell.BasicLSTMCell(size)
    if kind == "gru":
        return tf.nn.rnn_cell.GRUCell(size)
    if kind == "rnn":
        return tf.nn.rnn_cell.BasicRNNCell(size)
    if kind in CONTRIB_CELLS:
        return contrib_cell(kind)(size)
    raise ValueError(f"there is no cell {kind!r}")


def build_output(lstm_output, in_size, out_size, *, seed=None, precision="float32"):
    """Map the LSTM output of each step to a distribution over the characters.

    Args:
        lstm_output: float32 [N, M, L], or a list of float32 tensors to join along axis 1.
        in_size: L, units in the last layer.
        out_size: C, distinct characters.
        seed: seed of the initial weights; None for the one that TensorFlow derives.
        precision: as for :func:`charrnn.fused.product.product`.

    Returns:
        (predictions, logits): float32 [N·M, C] each, row by row, step by step. ``predictions`` is
        the softmax of ``logits`` and has this name in the graph.

    Source: notebook, "output".
    """
    joined = tf.concat(lstm_output, axis=1)  # [N, M, L]
    flat = tf.reshape(joined, [-1, in_size])  # [N·M, L]
    with tf.variable_scope("softmax"):
        weights = tf.Variable(tf.truncated_normal([in_size, out_size], stddev=0.1, seed=seed))
        bias = tf.Variable(tf.zeros(out_size))
    logits = product(flat, weights, precision) + bias  # [N·M, C]
    return tf.nn.softmax(logits, name="predictions"), logits


def build_loss(logits, targets, lstm_size, num_classes):
    """Average the softmax cross-entropy over all steps of all sequences.

    Args:
        logits: float32 [N·M, C].
        targets: int32 [N, M], ids in [0, C).
        lstm_size: L, not used, as in the notebook.
        num_classes: C, distinct characters.

    Returns:
        float32 scalar, in nats per character.

    Source: notebook, "loss".
    """
    one_hot = tf.one_hot(targets, num_classes)  # [N, M, C]
    labels = tf.reshape(one_hot, logits.shape)  # [N·M, C]
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(
        labels=tf.stop_gradient(labels), logits=logits))


def build_optimizer(loss, learning_rate, grad_clip, *, optimizer="adam", average_decay=0.0, average=list):
    """Clip the gradients of all trainable variables by their global norm and apply them with Adam.

    Args:
        loss: float32 scalar.
        learning_rate: step size, a number. The optimizer makes a tensor of it, which CharRNN has as
            ``learning_rate`` and to which each step feeds the rate of the schedule.
        grad_clip: largest global norm of the gradients.
        optimizer: ``adam``, or ``rmsprop`` with the settings of older char-RNN programs (decay 0.95).
        average_decay: decay of the running averages of the variables (Polyak and Juditsky 1992), which
            checkpoints then contain as well; 0 for none.
        average: function that is applied to the list of gradients before they are clipped. Several processes average
            their gradients with it; the default changes nothing.

    Returns:
        The operation that does one update.

    Raises:
        ValueError: there is no such optimizer.

    Source: notebook, "optimizer".
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"there is no optimizer {optimizer!r}")
    variables = tf.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(average(tf.gradients(loss, variables)), grad_clip)
    name = OPTIMIZERS[optimizer]
    chosen = _Adam(learning_rate, name=name) if optimizer == "adam" else tf.train.RMSPropOptimizer(
        learning_rate, decay=0.95, name=name)
    update = chosen.apply_gradients(zip(gradients, variables))
    if not average_decay:
        return update
    with tf.control_dependencies([update]):
        return tf.train.ExponentialMovingAverage(average_decay).apply(variables)


class _Adam(tf.train.AdamOptimizer):
    """Adam whose averages of large variables do not start from a constant.

    TensorFlow would keep a constant of that size in memory as long as the session lives.
    """

    def _zeros_slot(self, var, slot_name, op_name):  # TensorFlow calls it to create each average
        if var.shape.num_elements() < LARGE_VARIABLE:
            return super()._zeros_slot(var, slot_name, op_name)

        def zeros(shape, dtype, partition_info=None):
            return tf.raw_ops.Empty(shape=shape, dtype=dtype, init=True)  # zeros, made when the operation runs

        return self._get_or_make_slot_with_initializer(
            var, zeros, var.shape, var.dtype.base_dtype, slot_name, op_name)


def build_rnn(inputs, num_classes, cell, initial_state, mask_seed=None, *, fused=False, threads=None,
              mask_rows=None, recurrent_keep_prob=1.0, precision="float32"):
    """Run the stack of cells over a window of ids.

    Args:
        inputs: int32 [N, M], ids in [0, C).
        num_classes: C.
        cell: the stack from :func:`build_lstm`.
        initial_state: the state before the window.
        mask_seed: for fused, an integer scalar, the seed of the dropout masks.
        fused: unroll with :mod:`charrnn.fused` instead of ``dynamic_rnn`` over the one-hot inputs.
        threads: for fused, the number of threads to build the graph for; None for one for each core.
        mask_rows, recurrent_keep_prob, precision: for fused, as for :func:`charrnn.fused.unroll.unroll`.

    Returns:
        (outputs, final_state): float32 [N, M, L], and the state after the window.

    Source: notebook, "the network".
    """
    if fused:
        return unroll(cell, inputs, num_classes, initial_state, mask_seed, threads, mask_rows, recurrent_keep_prob,
                      precision)
    x_one_hot = tf.one_hot(inputs, num_classes)  # [N, M, C]
    return tf.nn.dynamic_rnn(cell, x_one_hot, initial_state=initial_state)


class CharRNN:
    """The graph for training, or with ``sampling=True`` for one character at a time.

    Attributes:
        inputs: int32 placeholder [N, M], ids of a window.
        targets: int32 placeholder [N, M], ids one character later.
        keep_prob: float32 scalar placeholder, probability of keeping a unit in dropout.
        initial_state: for each layer an LSTMStateTuple of float32 [N, L]; zeros unless fed.
        final_state: the state after the window, with the same structure.
        prediction: float32 [N·M, C], distribution over the next character.
        logits: float32 [N·M, C].
        loss: float32 scalar, nats per character, of the whole batch.
        optimizer: the operation that does one update.
        learning_rate: float32 scalar constant of the optimizer; feed it to change the step size.
        gradient_norm: float32 scalar, the global norm of the gradients before clipping.

    Source: notebook, "the network".
    """

    def __init__(self, num_classes, batch_size=64, num_steps=50, lstm_size=128, num_layers=2,
                 learning_rate=0.001, grad_clip=5, sampling=False, *, seed=None, fused=False,
                 threads=None, cell="lstm", optimizer="adam", input_keep_prob=1.0,
                 recurrent_keep_prob=1.0, average_decay=0.0, rows=None, average=list, precision="float32"):
        """Reset the default graph and build the network in it.

        Args:
            num_classes: C, distinct characters, at least 1.
            batch_size: N, sequences in a batch, at least 1.
            num_steps: M, steps in a window, at least 1.
            lstm_size: L, units in a layer, at least 1.
            num_layers: number of LSTM layers, at least 1.
            learning_rate: step size of the optimizer, above 0.
            grad_clip: largest global norm of the gradients, above 0.
            sampling: build for one sequence of one step (N = M = 1), whatever batch_size and num_steps are.
            seed: seed of the graph, set after the reset. The same seed gives the same initial weights, on TensorFlow
                1.15 and 2 and for any number of threads, and with fused the same dropout masks. None draws new ones.
            fused: unroll with :mod:`charrnn.fused` instead of ``dynamic_rnn``: the same network, faster, with other
                dropout masks.
            threads: for fused, the number of threads to build the graph for; None for one for each core.
            cell, input_keep_prob: as for :func:`build_lstm`. fused needs ``lstm`` without dropout on inputs.
            recurrent_keep_prob: for fused, the probability of keeping a recurrent weight; 1 for no such dropout.
            optimizer, average_decay: as for :func:`build_optimizer`.
            rows: where several processes share a batch, the first of its rows that this graph trains on and the row
                after the last; None for all rows. In the shapes, N is then the number of these rows.
            average: as for :func:`build_optimizer`; also applied to the loss.
            precision: type of the operands of matrix products, ``float32`` or, for fused, ``bfloat16``. Without fused,
                the session sets it: :func:`charrnn.fused.session.session_config`.

        Raises:
            ValueError: an argument is out of range.
        """
        for name, value in [("num_classes", num_classes), ("batch_size", batch_size),
                            ("num_steps", num_steps), ("lstm_size", lstm_size), ("num_layers", num_layers)]:
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        for name, value in [("learning_rate", learning_rate), ("grad_clip", grad_clip)]:
            if not value > 0:
                raise ValueError(f"{name} must be above 0, not {value}")
        if fused and (cell != "lstm" or input_keep_prob != 1):
            raise ValueError(f"fused needs the cell lstm with input_keep_prob 1, not {cell} with {input_keep_prob}")
        first, end = rows or (0, batch_size)
        n_rows, n_steps = (1, 1) if sampling else (end - first, num_steps)

        tf.reset_default_graph()
        tf.set_random_seed(seed)
        self.inputs, self.targets, self.keep_prob = build_inputs(n_rows, n_steps)
        stack, self.initial_state = build_lstm(
            lstm_size, num_layers, n_rows, self.keep_prob, cell=cell, input_keep_prob=input_keep_prob)
        self._mask_seed = _build_mask_seed() if fused else None
        seeds = [] if seed is None else initial_seeds(
            cell, lstm_size, num_layers, fused, input_keep_prob != 1, fused and recurrent_keep_prob != 1)
        with tf.variable_scope(tf.get_variable_scope(), initializer=_seeded(seeds[:-1])):
            outputs, self.final_state = build_rnn(  # [N, M, L]
                self.inputs, num_classes, stack, self.initial_state, self._mask_seed, fused=fused, threads=threads,
                mask_rows=(first, batch_size) if rows else None, recurrent_keep_prob=recurrent_keep_prob,
                precision=precision)
        self.prediction, self.logits = build_output(
            outputs, lstm_size, num_classes, seed=seeds[-1] if seeds else None,
            precision=precision if fused else "float32")
        if fused and n_rows * n_steps > softmax.rows_of_slice(num_classes):  # with thousands of characters
            loss = _build_sliced_loss(outputs, self.targets, lstm_size, threads, precision)
        else:
            loss = build_loss(self.logits, self.targets, lstm_size, num_classes)
        averaged = []  # the gradients and the loss, which processes exchange at once
        self.optimizer = build_optimizer(
            loss, learning_rate, grad_clip, optimizer=optimizer, average_decay=average_decay,
            average=lambda gradients: averaged.extend(average([*gradients, loss])) or averaged[:-1])
        self.loss = averaged[-1]
        graph = tf.get_default_graph()  # build_optimizer returns only the operation, as in the notebook
        self.learning_rate = graph.get_tensor_by_name(f"{OPTIMIZERS[optimizer]}/learning_rate:0")
        self.gradient_norm = graph.get_tensor_by_name("global_norm/global_norm:0")

    def mask_feed(self, step):
        """Return a feed_dict with which the dropout masks depend on the graph's seed and the step only.

        Without fused it is empty, because the generator of ``DropoutWrapper`` cannot be set to a step.

        Args:
            step: number of training steps done before this one.
        """
        return {} if self._mask_seed is None else {self._mask_seed: step}


def initial_seeds(cell, lstm_size, num_layers, fused, has_input_dropout, has_recurrent_dropout):
    """List the seeds of the initial weights: of the kernels of each layer in turn, then of the softmax weights.

    If none is given, TensorFlow takes the number of operations that the graph has so far as the seed. This function
    returns what TensorFlow 1.15 takes in the notebook's graph or, for fused, fixed ones, which made the known models.
    So the initial weights do not depend on TensorFlow's version, on the number of threads or on changes to the unroll.

    Returns:
        A list of int. It is empty for the cells of ``tf.contrib``, which only TensorFlow 1.15 has.

    >>> initial_seeds("lstm", 512, 2, False, False, False), initial_seeds("lstm", 512, 2, True, False, False)
    ([120, 174, 264], [50, 101, 566])
    """
    layers = range(num_layers)
    for_bias = 2 * (4 * lstm_size >= 1000)  # tf.zeros makes two more operations for 1,000 numbers or more
    if fused:
        kernels = [14 + 18 * num_layers + (49 + for_bias) * layer for layer in layers]
        return kernels + [58 + (252 + for_bias + 25 * has_recurrent_dropout) * num_layers]
    if cell in CONTRIB_CELLS:
        return []
    in_state = 2 if cell == "lstm" else 1  # arrays in the state of a layer
    in_layer = {"lstm": 51 + for_bias, "gru": 68, "rnn": 38}[cell] + 16 * has_input_dropout  # operations of a layer
    first = 68 + (2 + 12 * in_state) * num_layers + 16 * has_input_dropout
    kernels = [first + in_layer * layer + (layer > 0) + more for layer in layers
               for more in ([0, 14] if cell == "gru" else [0])]
    return kernels + [98 + (2 + 14 * in_state + in_layer) * num_layers]


def _seeded(seeds):
    """Return an initializer of variables that uses the next seed for each; None if there are no seeds."""
    following = iter(seeds)

    def initialize(shape, dtype=tf.float32, partition_info=None):
        return tf.glorot_uniform_initializer(next(following))(shape, dtype)
    return initialize if seeds else None


def _build_sliced_loss(outputs, targets, lstm_size, threads, precision):
    """Build the loss of :func:`build_loss` from the LSTM output, for a slice of the steps at a time to save memory."""
    return softmax.mean_surprisal(tf.reshape(outputs, [-1, lstm_size]), *tf.trainable_variables("softmax/"),
                                  tf.reshape(targets, [-1]), threads, precision)


def _build_mask_seed():
    """Create the seed of the dropout masks, an int64 scalar. It is random in each session call unless it is fed."""
    drawn = tf.random_uniform([], maxval=tf.int64.max, dtype=tf.int64)
    return tf.placeholder_with_default(drawn, [], name="mask_seed")
