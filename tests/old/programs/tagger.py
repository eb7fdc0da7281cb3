"""A bidirectional tagger: whether a number is larger than the one before it and the one after it."""

import numpy as np
import tensorflow as tf
from tensorflow.contrib import rnn

np.random.seed(1)
tf.set_random_seed(1)
n_steps, n_hidden, n_classes = 6, 16, 2
values = np.random.rand(300, n_steps, 1)
padded = np.pad(values[..., 0], [(0, 0), (1, 1)], "constant")
tags = ((padded[:, 1:-1] > padded[:, :-2]) & (padded[:, 1:-1] > padded[:, 2:])).astype(np.int64)

x = tf.placeholder("float", [None, n_steps, 1])
y = tf.placeholder(tf.int64, [None, n_steps])
inputs = tf.unstack(x, n_steps, 1)
lstm_fw_cell = rnn.BasicLSTMCell(n_hidden, forget_bias=1.0)
lstm_bw_cell = rnn.GRUCell(n_hidden)
outputs, _, _ = rnn.static_bidirectional_rnn(lstm_fw_cell, lstm_bw_cell, inputs, dtype=tf.float32)
weights = tf.get_variable(
    "out", [2 * n_hidden, n_classes], initializer=tf.contrib.layers.xavier_initializer()
)
biases = tf.Variable(tf.random_normal([n_classes]))
logits = tf.stack([tf.matmul(output, weights) + biases for output in outputs], axis=1)
cost = tf.contrib.seq2seq.sequence_loss(logits, y, tf.ones([tf.shape(y)[0], n_steps]))
optimizer = tf.train.AdamOptimizer(0.03).minimize(cost)
correct_pred = tf.equal(tf.argmax(logits, 2), y)
accuracy = tf.reduce_mean(tf.cast(correct_pred, tf.float32))

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(150):
        loss, _ = sess.run([cost, optimizer], feed_dict={x: values, y: tags})
        losses.append(loss)
    print("losses", losses[0], losses[-1])
    print("right", sess.run(accuracy, feed_dict={x: values, y: tags}))
