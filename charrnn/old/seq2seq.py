"""``tf.contrib.seq2seq`` for TensorFlow 2: decoders in a loop of the graph, what feeds them, and their loss.

A helper says what a decoder reads in each step: the right sequence while a network is trained, or what it has written
itself.
"""

import collections

from charrnn.system.tensorflow import tf

__all__ = [
    "BasicDecoder",
    "BasicDecoderOutput",
    "CustomHelper",
    "GreedyEmbeddingHelper",
    "Helper",
    "SampleEmbeddingHelper",
    "TrainingHelper",
    "dynamic_decode",
    "sequence_loss",
]

BasicDecoderOutput = collections.namedtuple("BasicDecoderOutput", ["rnn_output", "sample_id"])


class Helper:
    """What feeds a BasicDecoder.

    Attributes:
        batch_size: the number of sequences, int32 [].
        sample_ids_shape: the shape of the id of a sequence in a step.
        sample_ids_dtype: the type of the ids.
    """

    batch_size = None
    sample_ids_shape = tf.TensorShape([])
    sample_ids_dtype = tf.int32

    def initialize(self, name=None):
        """Return which sequences are finished before the first step, bool [batch], and the first inputs."""
        raise NotImplementedError

    def sample(self, time, outputs, state, name=None):
        """Return the ids that follow from the outputs of a step."""
        raise NotImplementedError

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        """Return which sequences are finished, the inputs of the next step, and the state that it begins with."""
        raise NotImplementedError


class CustomHelper(Helper):
    """A helper that consists of three functions, which have the arguments of its methods."""

    def __init__(
        self,
        initialize_fn,
        sample_fn,
        next_inputs_fn,
        sample_ids_shape=None,
        sample_ids_dtype=None,
    ):
        self._initialize = initialize_fn
        self._sample = sample_fn
        self._next_inputs = next_inputs_fn
        self.sample_ids_shape = tf.TensorShape(sample_ids_shape or [])
        self.sample_ids_dtype = sample_ids_dtype or tf.int32

    def initialize(self, name=None):
        finished, inputs = self._initialize()
        self.batch_size = tf.size(finished)
        return finished, inputs

    def sample(self, time, outputs, state, name=None):
        return self._sample(time=time, outputs=outputs, state=state)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        return self._next_inputs(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


class TrainingHelper(Helper):
    """A helper that reads the right sequences. Its ids are those with the largest logits."""

    def __init__(self, inputs, sequence_length, time_major=False, name=None):
        """Read inputs [batch, time, size], each sequence up to its length; with ``time_major``, [time, batch, size]."""
        with tf.name_scope(name, "TrainingHelper", [inputs, sequence_length]):
            self.inputs = tf.convert_to_tensor(inputs)
            self.sequence_length = tf.convert_to_tensor(sequence_length)
            self.batch_size = tf.size(self.sequence_length)
            by_time = self.inputs
            if not time_major:
                by_time = _with_batch_and_time_swapped(self.inputs)
            self._steps = tf.TensorArray(
                by_time.dtype, tf.shape(by_time)[0], element_shape=by_time.shape[1:]
            )
            self._steps = self._steps.unstack(by_time)
            self._zeros = tf.zeros_like(by_time[0])

    def initialize(self, name=None):
        finished = tf.equal(0, self.sequence_length)
        return finished, self._inputs_of(0, finished)

    def sample(self, time, outputs, state=None, name=None):
        return tf.argmax(outputs, axis=-1, output_type=tf.int32)

    def next_inputs(self, time, outputs, state, sample_ids=None, name=None):
        finished = time + 1 >= self.sequence_length
        return finished, self._inputs_of(time + 1, finished), state

    def _inputs_of(self, step, finished):
        """Return the inputs of a step. There may be none after all sequences are finished."""
        return tf.cond(tf.reduce_all(finished), lambda: self._zeros, lambda: self._steps.read(step))


class GreedyEmbeddingHelper(Helper):
    """A helper that reads what the decoder has written: in each step the id with the largest logit."""

    def __init__(self, embedding, start_tokens, end_token):
        """Begin with ids [batch], and end a sequence at an id.

        Args:
            embedding: the matrix of the embedding [classes, size], or a function of ids.
            start_tokens: the ids that the sequences begin with.
            end_token: the id that ends a sequence.
        """
        self._embed = embedding
        if not callable(embedding):
            self._embed = lambda ids: tf.nn.embedding_lookup(embedding, ids)
        self._end_token = tf.convert_to_tensor(end_token, tf.int32)
        start_tokens = tf.convert_to_tensor(start_tokens, tf.int32)
        self.batch_size = tf.size(start_tokens)
        self._start_inputs = self._embed(start_tokens)

    def initialize(self, name=None):
        finished = tf.tile([False], [self.batch_size])
        return finished, self._start_inputs

    def sample(self, time, outputs, state=None, name=None):
        return tf.argmax(outputs, axis=-1, output_type=tf.int32)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        finished = tf.equal(sample_ids, self._end_token)
        return finished, self._embed(sample_ids), state


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """A helper that reads what the decoder has written: in each step an id that is drawn from the softmax."""

    def __init__(self, embedding, start_tokens, end_token, softmax_temperature=None, seed=None):
        super().__init__(embedding, start_tokens, end_token)
        self._temperature = softmax_temperature
        self._seed = seed

    def sample(self, time, outputs, state=None, name=None):
        logits = outputs
        if self._temperature is not None:
            logits = outputs / self._temperature
        ids = tf.random.categorical(logits, 1, seed=self._seed, dtype=tf.int32)  # [batch, 1]
        return tf.reshape(ids, [-1])


class BasicDecoder:
    """A cell, a helper that feeds it, and perhaps a layer for its outputs. :func:`dynamic_decode` runs it."""

    tracks_own_finished = False

    def __init__(self, cell, helper, initial_state, output_layer=None):
        self._cell = cell
        self._helper = helper
        self._initial_state = initial_state
        self._output_layer = output_layer

    @property
    def batch_size(self):
        """The number of sequences, int32 []."""
        return self._helper.batch_size

    @property
    def output_size(self):
        """The shapes of the outputs and ids of a sequence in a step."""
        size = tf.TensorShape(self._cell.output_size)
        if self._output_layer is not None:
            of_batch = tf.TensorShape([None]).concatenate(size)
            size = self._output_layer.compute_output_shape(of_batch)[1:]
        return BasicDecoderOutput(size, self._helper.sample_ids_shape)

    @property
    def output_dtype(self):
        """The types of the outputs and ids."""
        first, *_ = tf.nest.flatten(self._initial_state)
        return BasicDecoderOutput(first.dtype, self._helper.sample_ids_dtype)

    def initialize(self, name=None):
        """Return which sequences are finished, the first inputs, and the first state."""
        finished, inputs = self._helper.initialize()
        return finished, inputs, self._initial_state

    def step(self, time, inputs, state, name=None):
        """Return the outputs of a step, the next state, the next inputs, and which sequences are finished."""
        with tf.name_scope(name, "BasicDecoderStep"):
            outputs, state = self._cell(inputs, state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            ids = self._helper.sample(time=time, outputs=outputs, state=state)
            finished, inputs, state = self._helper.next_inputs(
                time=time, outputs=outputs, state=state, sample_ids=ids
            )
        return BasicDecoderOutput(outputs, ids), state, inputs, finished


def dynamic_decode(
    decoder,
    output_time_major=False,
    impute_finished=False,
    maximum_iterations=None,
    parallel_iterations=32,
    swap_memory=False,
    scope=None,
):
    """Let a decoder make steps until all sequences are finished.

    Args:
        decoder: a BasicDecoder, or what has its methods.
        output_time_major: whether the outputs are [time, batch, ...], not [batch, time, ...].
        impute_finished: whether a finished sequence keeps its state and has zeros as outputs.
        maximum_iterations: the most steps.
        parallel_iterations: how many steps may run at once.
        swap_memory: whether tensors may be moved from a GPU.
        scope: the name of the scope of the variables.

    Returns:
        The outputs, the final state, and the lengths of the sequences, int32 [batch].
    """
    with tf.variable_scope(scope, "decoder"):
        finished, inputs, state = decoder.initialize()
        batch_size = tf.get_static_value(tf.convert_to_tensor(decoder.batch_size))

        def array_of(size, dtype):
            shape = tf.TensorShape([batch_size]).concatenate(size)
            return tf.TensorArray(dtype, size=0, dynamic_size=True, element_shape=shape)

        arrays = tf.nest.map_structure(array_of, decoder.output_size, decoder.output_dtype)

        def goes_on(_time, _arrays, _state, _inputs, finished, _lengths):
            return tf.logical_not(tf.reduce_all(finished))

        def step(time, arrays, state, inputs, finished, lengths):
            outputs, next_state, next_inputs, now_finished = decoder.step(time, inputs, state)
            if not decoder.tracks_own_finished:
                now_finished = tf.logical_or(now_finished, finished)
            lengths = tf.where(finished, lengths, tf.fill(tf.shape(lengths), time + 1))

            if impute_finished:
                outputs = tf.nest.map_structure(
                    lambda output: tf.where(finished, tf.zeros_like(output), output), outputs
                )
                next_state = tf.nest.map_structure(
                    lambda new, old: _kept_where_finished(new, old, finished), next_state, state
                )

            arrays = tf.nest.map_structure(
                lambda array, output: array.write(time, output), arrays, outputs
            )
            return time + 1, arrays, next_state, next_inputs, now_finished, lengths

        _, arrays, state, _, _, lengths = tf.while_loop(
            goes_on,
            step,
            (0, arrays, state, inputs, finished, tf.zeros_like(finished, tf.int32)),
            parallel_iterations=parallel_iterations,
            maximum_iterations=maximum_iterations,
            swap_memory=swap_memory,
        )
        outputs = tf.nest.map_structure(lambda array: array.stack(), arrays)  # [time, batch, ...]
        if not output_time_major:
            outputs = tf.nest.map_structure(_with_batch_and_time_swapped, outputs)
        return outputs, state, lengths


def _kept_where_finished(new, old, finished):
    """Return a part of the new state, with the old one for finished sequences. A number has no sequences."""
    new.set_shape(old.shape)
    if new.shape.ndims == 0:
        return new
    return tf.where(finished, old, new)


def _with_batch_and_time_swapped(tensor):
    """Return [time, batch, ...] as [batch, time, ...], and the other way round."""
    others = range(2, tensor.shape.ndims)
    return tf.transpose(tensor, [1, 0, *others])


def sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    sum_over_timesteps=False,
    sum_over_batch=False,
    softmax_loss_function=None,
    name=None,
):
    """Return the weighted cross-entropy of sequences.

    An average is divided by the sum of the weights, and a sum by the number of weights that are not zero. An axis with
    neither is kept.

    Args:
        logits: [batch, time, classes].
        targets: the right classes, int [batch, time].
        weights: [batch, time].
        average_across_timesteps: whether the loss is averaged over time.
        average_across_batch: whether the loss is averaged over the batch.
        sum_over_timesteps: whether the loss is summed over time; only without the average.
        sum_over_batch: whether the loss is summed over the batch; only without the average.
        softmax_loss_function: function of ``labels`` and ``logits`` in place of the cross-entropy.
        name: the name of the operations.
    """
    with tf.name_scope(name, "sequence_loss", [logits, targets, weights]):
        num_classes = tf.shape(logits)[2]
        loss_function = softmax_loss_function or tf.nn.sparse_softmax_cross_entropy_with_logits
        losses = loss_function(
            labels=tf.reshape(targets, [-1]), logits=tf.reshape(logits, [-1, num_classes])
        )  # [batch * time]
        losses = losses * tf.reshape(weights, [-1])
        losses = tf.reshape(losses, tf.shape(logits)[:2])  # [batch, time]

        divisors = weights
        is_reduced = [average_across_batch, average_across_timesteps]
        if not any(is_reduced):
            divisors = tf.cast(tf.not_equal(weights, 0), losses.dtype)
            is_reduced = [sum_over_batch, sum_over_timesteps]
        axes = [axis for axis in (0, 1) if is_reduced[axis]]
        if not axes:
            return losses
        total = tf.reduce_sum(losses, axis=axes)
        return tf.div_no_nan(total, tf.reduce_sum(divisors, axis=axes))
