"""Sentiment: an LSTM over the words of a review says whether it is positive."""

import numpy as np
import tensorflow as tf

np.random.seed(1)
tf.set_random_seed(1)
n_words, length, batch_size = 30, 7, 20
features = np.random.randint(3, n_words, [200, length])
labels = np.random.randint(0, 2, [200, 1])
features[np.arange(200), np.random.randint(0, length, 200)] = 1 + labels[:, 0]

graph = tf.Graph()
with graph.as_default():
    inputs_ = tf.placeholder(tf.int32, [None, None], name="inputs")
    labels_ = tf.placeholder(tf.int32, [None, None], name="labels")
    keep_prob = tf.placeholder(tf.float32, name="keep_prob")
    embedding = tf.Variable(tf.random_uniform((n_words, 12), -1, 1))
    embed = tf.nn.embedding_lookup(embedding, inputs_)

    lstm = tf.contrib.rnn.BasicLSTMCell(16)
    drop = tf.contrib.rnn.DropoutWrapper(lstm, output_keep_prob=keep_prob)
    cell = tf.contrib.rnn.MultiRNNCell([drop])
    initial_state = cell.zero_state(batch_size, tf.float32)
    outputs, final_state = tf.nn.dynamic_rnn(cell, embed, initial_state=initial_state)

    predictions = tf.contrib.layers.fully_connected(outputs[:, -1], 1, activation_fn=tf.sigmoid)
    cost = tf.losses.mean_squared_error(labels_, predictions)
    optimizer = tf.train.AdamOptimizer(0.02).minimize(cost)
    correct_pred = tf.equal(tf.cast(tf.round(predictions), tf.int32), labels_)
    accuracy = tf.reduce_mean(tf.cast(correct_pred, tf.float32))

losses = []
with tf.Session(graph=graph) as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(20):
        state = sess.run(initial_state)
        for start in range(0, 200, batch_size):
            feed = {
                inputs_: features[start : start + batch_size],
                labels_: labels[start : start + batch_size],
                keep_prob: 0.8,
                initial_state: state,
            }
            loss, state, _ = sess.run([cost, final_state, optimizer], feed)
            losses.append(loss)
    print("losses", losses[0], losses[-1])
    feed[keep_prob] = 1
    print("right", sess.run(accuracy, feed))
