"""Digits by convolution, from files of MNIST's form, with flags and summaries."""

import os

import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

flags = tf.app.flags
flags.DEFINE_string("data_dir", "MNIST_data", "the folder of the files")
flags.DEFINE_float("learning_rate", 0.01, "the learning rate")
FLAGS = flags.FLAGS


def main(_):
    tf.set_random_seed(1)
    mnist = input_data.read_data_sets(FLAGS.data_dir, one_hot=True, validation_size=20)
    x = tf.placeholder(tf.float32, [None, 784])
    y_ = tf.placeholder(tf.float32, [None, 10])
    image = tf.reshape(x, [-1, 28, 28, 1])
    hidden = tf.contrib.layers.conv2d(image, 8, [5, 5], stride=2)
    hidden = tf.contrib.layers.max_pool2d(hidden, [2, 2])
    flat = tf.contrib.layers.flatten(hidden)
    y = tf.contrib.layers.fully_connected(
        flat, 10, None, weights_regularizer=tf.contrib.layers.l2_regularizer(1e-4)
    )
    cross_entropy = tf.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=y)
    loss = tf.reduce_mean(cross_entropy) + tf.losses.get_regularization_loss()
    tf.summary.scalar("loss", loss)
    train_step = tf.train.AdamOptimizer(FLAGS.learning_rate).minimize(loss)
    correct = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    merged = tf.summary.merge_all()

    sess = tf.InteractiveSession()
    writer = tf.summary.FileWriter(os.path.join(FLAGS.data_dir, "logs"), sess.graph)
    tf.global_variables_initializer().run()
    losses = []
    for step in range(30):
        batch_xs, batch_ys = mnist.train.next_batch(20)
        summary, value, _ = sess.run([merged, loss, train_step], {x: batch_xs, y_: batch_ys})
        writer.add_summary(summary, step)
        losses.append(value)
    writer.close()
    print("losses", losses[0], losses[-1])
    print("right", accuracy.eval({x: mnist.test.images, y_: mnist.test.labels}))
    sess.close()


if __name__ == "__main__":
    tf.app.run()
