"""A character RNN: it learns to write a text, is saved, and writes with what was saved."""

import sys

import numpy as np
import tensorflow as tf

text = "the cat sat on the mat. " * 40
vocab = sorted(set(text))
encoded = np.array([vocab.index(char) for char in text], dtype=np.int32)


class CharRNN:
    def __init__(self, batch_size, num_steps):
        tf.reset_default_graph()
        tf.set_random_seed(1)
        self.inputs = tf.placeholder(tf.int32, [batch_size, num_steps], name="inputs")
        self.targets = tf.placeholder(tf.int32, [batch_size, num_steps], name="targets")
        self.keep_prob = tf.placeholder(tf.float32, name="keep_prob")

        def layer():
            lstm = tf.contrib.rnn.BasicLSTMCell(24)
            return tf.contrib.rnn.DropoutWrapper(lstm, output_keep_prob=self.keep_prob)

        cell = tf.contrib.rnn.MultiRNNCell([layer() for _ in range(2)])
        self.initial_state = cell.zero_state(batch_size, tf.float32)
        one_hot = tf.one_hot(self.inputs, len(vocab))
        outputs, self.final_state = tf.nn.dynamic_rnn(
            cell, one_hot, initial_state=self.initial_state
        )
        rows = tf.reshape(tf.concat(outputs, axis=1), [-1, 24])
        with tf.variable_scope("softmax"):
            w = tf.Variable(tf.truncated_normal((24, len(vocab)), stddev=0.1))
            b = tf.Variable(tf.zeros(len(vocab)))
        logits = tf.matmul(rows, w) + b
        self.prediction = tf.nn.softmax(logits, name="predictions")
        labels = tf.reshape(tf.one_hot(self.targets, len(vocab)), logits.get_shape())
        self.loss = tf.reduce_mean(
            tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=labels)
        )
        variables = tf.trainable_variables()
        grads, _ = tf.clip_by_global_norm(tf.gradients(self.loss, variables), 5)
        self.optimizer = tf.train.AdamOptimizer(0.02).apply_gradients(zip(grads, variables))


checkpoint = sys.argv[1] + "/char.ckpt"
x = encoded[:800].reshape(8, 10, 10).swapaxes(0, 1)
y = encoded[1:801].reshape(8, 10, 10).swapaxes(0, 1)
model = CharRNN(8, 10)
losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(25):
        state = sess.run(model.initial_state)
        for inputs, targets in zip(x, y):
            feed = {
                model.inputs: inputs,
                model.targets: targets,
                model.keep_prob: 0.9,
                model.initial_state: state,
            }
            loss, state, _ = sess.run([model.loss, model.final_state, model.optimizer], feed)
            losses.append(loss)
    tf.train.Saver(max_to_keep=3).save(sess, checkpoint)
print("losses", losses[0], losses[-1])

model = CharRNN(1, 1)
written = "the "
with tf.Session() as sess:
    tf.train.Saver().restore(sess, checkpoint)
    state = sess.run(model.initial_state)
    for place in range(40):
        feed = {
            model.inputs: [[vocab.index(written[place])]],
            model.keep_prob: 1.0,
            model.initial_state: state,
        }
        chances, state = sess.run([model.prediction, model.final_state], feed)
        if place >= 3:
            written += vocab[chances[0].argmax()]
print("right", np.mean([ours == theirs for ours, theirs in zip(written, text)]))
