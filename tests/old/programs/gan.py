"""A generative adversarial network: one part makes numbers like those of the data, and another tells them apart."""

import numpy as np
import tensorflow as tf

np.random.seed(1)
tf.set_random_seed(1)


def generator(z, reuse=False):
    with tf.variable_scope("generator", reuse=reuse):
        h1 = tf.layers.dense(z, 16, activation=None)
        h1 = tf.maximum(0.01 * h1, h1)
        return tf.layers.dense(h1, 2, activation=None)


def discriminator(x, reuse=False):
    with tf.variable_scope("discriminator", reuse=reuse):
        h1 = tf.contrib.layers.fully_connected(x, 16, tf.nn.elu)
        return tf.contrib.layers.fully_connected(h1, 1, None)


input_real = tf.placeholder(tf.float32, (None, 2), name="input_real")
input_z = tf.placeholder(tf.float32, (None, 3), name="input_z")
fake = generator(input_z)
d_logits_real = discriminator(input_real)
d_logits_fake = discriminator(fake, reuse=True)


def loss_of(logits, label):
    labels = tf.ones_like(logits) * label
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels))


d_loss = loss_of(d_logits_real, 0.9) + loss_of(d_logits_fake, 0.0)
g_loss = loss_of(d_logits_fake, 1.0)
t_vars = tf.trainable_variables()
g_vars = [var for var in t_vars if var.name.startswith("generator")]
d_vars = [var for var in t_vars if var.name.startswith("discriminator")]
d_train_opt = tf.train.AdamOptimizer(0.01).minimize(d_loss, var_list=d_vars)
g_train_opt = tf.train.AdamOptimizer(0.01).minimize(g_loss, var_list=g_vars)
real = np.random.normal([2, -1], 0.3, [64, 2])

distances = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(250):
        batch_z = np.random.uniform(-1, 1, size=(64, 3))
        sess.run(d_train_opt, feed_dict={input_real: real, input_z: batch_z})
        made, _ = sess.run([fake, g_train_opt], feed_dict={input_z: batch_z})
        distances.append(np.abs(made.mean(axis=0) - [2, -1]).max())
print("losses", distances[0], min(distances))
print("right", float(len(g_vars) == len(d_vars) == 4))
