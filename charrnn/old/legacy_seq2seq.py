"""``tf.contrib.legacy_seq2seq`` for TensorFlow 2: decoders over lists of inputs, and their losses."""

import copy

from charrnn.system.tensorflow import tf

__all__ = [
    "basic_rnn_seq2seq",
    "rnn_decoder",
    "sequence_loss",
    "sequence_loss_by_example",
    "tied_rnn_seq2seq",
]


def rnn_decoder(decoder_inputs, initial_state, cell, loop_function=None, scope=None):
    """Unroll a cell over a list of inputs [batch, size].

    Args:
        decoder_inputs: the inputs.
        initial_state: the state before the first step.
        cell: the cell.
        loop_function: function of the last output and the number of the step. What it returns is the input of all
            steps but the first.
        scope: the name of the scope of the variables.

    Returns:
        The outputs, a list, and the final state.
    """
    outputs = []
    state = initial_state
    with tf.variable_scope(scope or "rnn_decoder"):
        for step, inputs in enumerate(decoder_inputs):
            if step > 0:
                if loop_function is not None:
                    with tf.variable_scope("loop_function", reuse=True):
                        inputs = loop_function(outputs[-1], step)
                tf.get_variable_scope().reuse_variables()
            output, state = cell(inputs, state)
            outputs.append(output)
    return outputs, state


def basic_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, dtype=tf.float32, scope=None):
    """Encode a list of inputs [batch, size], and decode another from the final state, with other variables."""
    with tf.variable_scope(scope or "basic_rnn_seq2seq"):
        encoder = copy.deepcopy(cell)
        _, state = tf.nn.static_rnn(encoder, encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def tied_rnn_seq2seq(
    encoder_inputs, decoder_inputs, cell, loop_function=None, dtype=tf.float32, scope=None
):
    """Encode a list of inputs [batch, size], and decode another from the final state, with the same variables."""
    name = scope or "tied_rnn_seq2seq"
    with tf.variable_scope("combined_tied_rnn_seq2seq"):
        _, state = tf.nn.static_rnn(cell, encoder_inputs, dtype=dtype, scope=name)
        tf.get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function, name)


def sequence_loss_by_example(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    softmax_loss_function=None,
    name=None,
):
    """Return the weighted cross-entropy of each sequence [batch], for lists with a tensor for each step.

    Args:
        logits: [batch, classes] each.
        targets: the right classes, [batch] each.
        weights: [batch] each.
        average_across_timesteps: whether the sum over the steps is divided by the sum of the weights.
        softmax_loss_function: function of ``labels`` and ``logits`` in place of the cross-entropy.
        name: the name of the operations.
    """
    with tf.name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        weighted = []
        for logits_of_step, labels, weight in zip(logits, targets, weights):
            if softmax_loss_function is None:
                loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
                    labels=tf.reshape(labels, [-1]), logits=logits_of_step
                )
            else:
                loss = softmax_loss_function(labels=labels, logits=logits_of_step)
            weighted.append(loss * weight)

        total = tf.add_n(weighted)
        if average_across_timesteps:
            total_weight = tf.add_n(weights) + 1e-12
            total = total / total_weight
        return total


def sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    softmax_loss_function=None,
    name=None,
):
    """Return the sum of :func:`sequence_loss_by_example` over the batch, or the mean."""
    with tf.name_scope(name, "sequence_loss", [*logits, *targets, *weights]):
        losses = sequence_loss_by_example(
            logits,
            targets,
            weights,
            average_across_timesteps=average_across_timesteps,
            softmax_loss_function=softmax_loss_function,
        )
        loss = tf.reduce_sum(losses)
        if average_across_batch:
            batch_size = tf.shape(targets[0])[0]
            loss = loss / tf.cast(batch_size, loss.dtype)
        return loss
