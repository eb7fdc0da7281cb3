"""``tf.contrib.legacy_seq2seq`` for TensorFlow 2: decoders over lists of inputs, and their losses."""

import copy

from charrnn.old.rnn import EmbeddingWrapper, OutputProjectionWrapper, linear
from charrnn.system.tensorflow import tf

__all__ = [
    "attention_decoder",
    "basic_rnn_seq2seq",
    "embedding_attention_decoder",
    "embedding_attention_seq2seq",
    "embedding_rnn_decoder",
    "embedding_rnn_seq2seq",
    "model_with_buckets",
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


def attention_decoder(
    decoder_inputs,
    initial_state,
    attention_states,
    cell,
    output_size=None,
    num_heads=1,
    loop_function=None,
    dtype=None,
    scope=None,
    initial_state_attention=False,
):
    """Unroll a cell over a list of inputs [batch, size]. In each step it also reads from states, by attention.

    Args:
        decoder_inputs: the inputs.
        initial_state: the state before the first step.
        attention_states: what is read from, [batch, time, size].
        cell: the cell.
        output_size: the size of the outputs; None for that of the cell.
        num_heads: how many times a step reads.
        loop_function: as in :func:`rnn_decoder`.
        dtype: the type of the variables.
        scope: the name of their scope.
        initial_state_attention: whether the first step reads; else it has zeros.

    Returns:
        The outputs, a list, and the final state.
    """
    with tf.variable_scope(scope or "attention_decoder", dtype=dtype):
        attend = _attention(attention_states, num_heads)
        state = initial_state
        reads = [tf.zeros_like(attention_states[:, 0]) for _ in range(num_heads)]
        if initial_state_attention:
            reads = attend(state)

        outputs = []
        for step, inputs in enumerate(decoder_inputs):
            if step > 0:
                tf.get_variable_scope().reuse_variables()
                if loop_function is not None:
                    with tf.variable_scope("loop_function", reuse=True):
                        inputs = loop_function(outputs[-1], step)
            size = int(inputs.shape[1])
            output, state = cell(linear(tf.concat([inputs, *reads], 1), size), state)

            # The variables are there if the initial state was attended to.
            is_reused = True if step > 0 or initial_state_attention else None
            with tf.variable_scope(tf.get_variable_scope(), reuse=is_reused):
                reads = attend(state)
            with tf.variable_scope("AttnOutputProjection"):
                read = tf.concat([output, *reads], 1)
                outputs.append(linear(read, output_size or cell.output_size))
        return outputs, state


def _attention(states, num_heads):
    """Return a function that reads from states [batch, time, size], for each head [batch, size]."""
    size = int(states.shape[2])
    heads = []
    for head in range(num_heads):
        kernel = tf.get_variable(f"AttnW_{head}", [1, 1, size, size])
        features = tf.nn.conv2d(tf.expand_dims(states, 2), kernel, [1, 1, 1, 1], "SAME")
        heads.append((features, tf.get_variable(f"AttnV_{head}", [size])))

    def attend(state):
        query = tf.concat(tf.nest.flatten(state), 1)
        reads = []
        for head, (features, vector) in enumerate(heads):
            with tf.variable_scope(f"Attention_{head}"):
                asked = tf.reshape(linear(query, size), [-1, 1, 1, size])
            scores = tf.reduce_sum(vector * tf.tanh(features + asked), [2, 3])  # [batch, time]
            weights = tf.expand_dims(tf.nn.softmax(scores), 2)  # [batch, time, 1]
            reads.append(tf.reduce_sum(weights * states, 1))
        return reads

    return attend


def embedding_attention_decoder(
    decoder_inputs,
    initial_state,
    attention_states,
    cell,
    num_symbols,
    embedding_size,
    num_heads=1,
    output_size=None,
    output_projection=None,
    feed_previous=False,
    update_embedding_for_previous=True,
    dtype=None,
    scope=None,
    initial_state_attention=False,
):
    """Unroll a cell over a list of ids [batch], which are embedded.

    Args:
        decoder_inputs: the ids.
        initial_state: as in :func:`attention_decoder`, like all others that are not here.
        attention_states: the same.
        cell: the same.
        num_symbols: how many ids there are.
        embedding_size: the size of the embeddings.
        num_heads: as in :func:`attention_decoder`; 0 for :func:`rnn_decoder`.
        output_size: the same.
        output_projection: weights and biases that make logits from an output; None if the outputs are logits.
        feed_previous: whether all steps but the first read the id with the largest logit of the step before.
        update_embedding_for_previous: whether the embedding of such an id is trained.
        dtype: the same.
        scope: the same.
        initial_state_attention: the same.
    """

    def previous(output, _):
        if output_projection is not None:
            output = tf.nn.xw_plus_b(output, *output_projection)
        embedded = tf.nn.embedding_lookup(embedding, tf.argmax(output, 1))
        return embedded if update_embedding_for_previous else tf.stop_gradient(embedded)

    with tf.variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size])
        inputs = [tf.nn.embedding_lookup(embedding, ids) for ids in decoder_inputs]
        loop = previous if feed_previous else None
        if num_heads == 0:
            return rnn_decoder(inputs, initial_state, cell, loop)
        return attention_decoder(
            inputs,
            initial_state,
            attention_states,
            cell,
            output_size=output_size,
            num_heads=num_heads,
            loop_function=loop,
            initial_state_attention=initial_state_attention,
        )


def embedding_attention_seq2seq(
    encoder_inputs,
    decoder_inputs,
    cell,
    num_encoder_symbols,
    num_decoder_symbols,
    embedding_size,
    num_heads=1,
    output_projection=None,
    feed_previous=False,
    dtype=None,
    scope=None,
    initial_state_attention=False,
):
    """Encode a list of ids [batch], and decode another with :func:`embedding_attention_decoder`.

    It reads from the outputs of the encoder. ``feed_previous`` may be a tensor; then the graph has both ways.
    """
    with tf.variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as scope:
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        encoded, state = tf.nn.static_rnn(encoder, encoder_inputs, dtype=scope.dtype)
        output_size = None
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)
            output_size = num_decoder_symbols

        def decode(feeds, has_gradient):
            return embedding_attention_decoder(
                decoder_inputs,
                state,
                tf.stack(encoded, 1),  # [batch, time, size]
                cell,
                num_symbols=num_decoder_symbols,
                embedding_size=embedding_size,
                num_heads=num_heads,
                output_size=output_size,
                output_projection=output_projection,
                feed_previous=feeds,
                update_embedding_for_previous=has_gradient,
                scope=None if num_heads else "embedding_rnn_decoder",
                initial_state_attention=initial_state_attention,
            )

        if isinstance(feed_previous, bool):
            return decode(feed_previous, True)

        def branch(feeds):
            # Both have the same variables.
            with tf.variable_scope(tf.get_variable_scope(), reuse=None if feeds else True):
                return decode(feeds, False)

        return tf.cond(feed_previous, lambda: branch(True), lambda: branch(False))


def embedding_rnn_decoder(
    decoder_inputs,
    initial_state,
    cell,
    num_symbols,
    embedding_size,
    output_projection=None,
    feed_previous=False,
    update_embedding_for_previous=True,
    scope=None,
):
    """Unroll a cell over a list of ids [batch] as :func:`embedding_attention_decoder` does, without attention."""
    return embedding_attention_decoder(
        decoder_inputs,
        initial_state,
        None,
        cell,
        num_symbols=num_symbols,
        embedding_size=embedding_size,
        num_heads=0,
        output_projection=output_projection,
        feed_previous=feed_previous,
        update_embedding_for_previous=update_embedding_for_previous,
        scope=scope or "embedding_rnn_decoder",
    )


def embedding_rnn_seq2seq(
    encoder_inputs,
    decoder_inputs,
    cell,
    num_encoder_symbols,
    num_decoder_symbols,
    embedding_size,
    output_projection=None,
    feed_previous=False,
    dtype=None,
    scope=None,
):
    """Do what :func:`embedding_attention_seq2seq` does, without attention."""
    return embedding_attention_seq2seq(
        encoder_inputs,
        decoder_inputs,
        cell,
        num_encoder_symbols=num_encoder_symbols,
        num_decoder_symbols=num_decoder_symbols,
        embedding_size=embedding_size,
        num_heads=0,
        output_projection=output_projection,
        feed_previous=feed_previous,
        dtype=dtype,
        scope=scope or "embedding_rnn_seq2seq",
    )


def model_with_buckets(
    encoder_inputs,
    decoder_inputs,
    targets,
    weights,
    buckets,
    seq2seq,
    softmax_loss_function=None,
    per_example_loss=False,
    name=None,
):
    """Build a model for each of some lengths, with the same variables.

    Args:
        encoder_inputs: a list for the longest.
        decoder_inputs: the same.
        targets: the right ids, [batch] each.
        weights: [batch] each.
        buckets: pairs of lengths of what is encoded and decoded.
        seq2seq: function of the first inputs of both lists, which returns outputs and a state.
        softmax_loss_function: as in :func:`sequence_loss_by_example`.
        per_example_loss: whether each sequence has a loss.
        name: the name of the operations.

    Returns:
        The outputs and the losses, lists with an element for each length.
    """
    loss = sequence_loss_by_example if per_example_loss else sequence_loss
    all_outputs = []
    losses = []
    inputs = [*encoder_inputs, *decoder_inputs, *targets, *weights]
    with tf.name_scope(name, "model_with_buckets", inputs):
        for number, (encoded, decoded) in enumerate(buckets):
            reuse = True if number > 0 else None
            with tf.variable_scope(tf.get_variable_scope(), reuse=reuse):
                outputs, _ = seq2seq(encoder_inputs[:encoded], decoder_inputs[:decoded])
                all_outputs.append(outputs)
                losses.append(
                    loss(
                        outputs,
                        targets[:decoded],
                        weights[:decoded],
                        softmax_loss_function=softmax_loss_function,
                    )
                )
    return all_outputs, losses


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
