"""Sequence to sequence: the letters of a word are sorted. The graph is read back from its file to answer."""

import sys

import numpy as np
import tensorflow as tf
from tensorflow.python.layers.core import Dense

np.random.seed(1)
tf.set_random_seed(1)
GO, EOS, n_ids, batch_size, length = 0, 1, 6, 16, 3
sources = np.random.randint(2, n_ids, [320, length])
targets = np.concatenate([np.sort(sources), np.full([320, 1], EOS)], axis=1)
checkpoint = sys.argv[1] + "/best.ckpt"

graph = tf.Graph()
with graph.as_default():
    input_data = tf.placeholder(tf.int32, [None, None], name="input")
    answers = tf.placeholder(tf.int32, [None, None], name="targets")
    lengths = tf.placeholder(tf.int32, (None,), name="lengths")
    longest = tf.reduce_max(lengths)

    embedded = tf.contrib.layers.embed_sequence(input_data, n_ids, 8)
    encoder = tf.contrib.rnn.MultiRNNCell([tf.contrib.rnn.LSTMCell(24) for _ in range(2)])
    _, state = tf.nn.dynamic_rnn(encoder, embedded, dtype=tf.float32)

    ending = tf.strided_slice(answers, [0, 0], [batch_size, -1], [1, 1])
    decoder_input = tf.concat([tf.fill([batch_size, 1], GO), ending], 1)
    embeddings = tf.Variable(tf.random_uniform([n_ids, 8]))
    embed_input = tf.nn.embedding_lookup(embeddings, decoder_input)
    cell = tf.contrib.rnn.MultiRNNCell([tf.contrib.rnn.LSTMCell(24) for _ in range(2)])
    output_layer = Dense(n_ids, kernel_initializer=tf.truncated_normal_initializer(stddev=0.1))

    with tf.variable_scope("decode"):
        helper = tf.contrib.seq2seq.TrainingHelper(inputs=embed_input, sequence_length=lengths)
        decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, state, output_layer)
        training, _, _ = tf.contrib.seq2seq.dynamic_decode(
            decoder, impute_finished=True, maximum_iterations=longest
        )
    with tf.variable_scope("decode", reuse=True):
        start = tf.tile(tf.constant([GO], dtype=tf.int32), [batch_size])
        helper = tf.contrib.seq2seq.GreedyEmbeddingHelper(embeddings, start, EOS)
        decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, state, output_layer)
        inference = tf.contrib.seq2seq.dynamic_decode(
            decoder, impute_finished=True, maximum_iterations=longest
        )[0]

    logits = tf.identity(training.rnn_output, "logits")
    tf.identity(inference.sample_id, name="predictions")
    masks = tf.sequence_mask(lengths, longest, dtype=tf.float32)
    cost = tf.contrib.seq2seq.sequence_loss(logits, answers, masks)
    optimizer = tf.train.AdamOptimizer(0.01)
    gradients = optimizer.compute_gradients(cost)
    capped = [(tf.clip_by_value(grad, -5.0, 5.0), var) for grad, var in gradients]
    train_op = optimizer.apply_gradients(capped)

losses = []
with tf.Session(graph=graph) as sess:
    sess.run(tf.global_variables_initializer())
    for step in range(160):
        rows = slice(step % 20 * batch_size, (step % 20 + 1) * batch_size)
        feed = {input_data: sources[rows], answers: targets[rows], lengths: [4] * batch_size}
        losses.append(sess.run([cost, train_op], feed)[0])
    tf.train.Saver().save(sess, checkpoint)
print("losses", losses[0], losses[-1])

loaded = tf.Graph()
with tf.Session(graph=loaded) as sess:
    tf.train.import_meta_graph(checkpoint + ".meta").restore(sess, checkpoint)
    feed = {
        loaded.get_tensor_by_name("input:0"): sources[:batch_size],
        loaded.get_tensor_by_name("lengths:0"): [4] * batch_size,
    }
    predictions = sess.run(loaded.get_tensor_by_name("predictions:0"), feed)
    print("right", np.mean(predictions[:, :3] == targets[:batch_size, :3]))
