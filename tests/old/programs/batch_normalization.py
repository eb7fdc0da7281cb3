"""Batch normalization: three ways to update the moving mean and variance, which a network uses when it has learned."""

import numpy as np
import tensorflow as tf

np.random.seed(1)
tf.set_random_seed(1)
features = np.random.normal(3, 2, [120, 4]).astype(np.float32)
labels = (features[:, :1] > features[:, 1:2]).astype(np.float32)

x = tf.placeholder(tf.float32, [None, 4])
y = tf.placeholder(tf.float32, [None, 1])
is_training = tf.placeholder(tf.bool, name="is_training")

hidden = tf.layers.dense(x, 12, use_bias=False, activation=None)
hidden = tf.nn.relu(tf.layers.batch_normalization(hidden, training=is_training, momentum=0.9))
hidden = tf.contrib.layers.fully_connected(
    hidden,
    12,
    normalizer_fn=tf.contrib.layers.batch_norm,
    normalizer_params={"is_training": is_training, "decay": 0.9, "scale": True},
)
hidden = tf.contrib.layers.batch_norm(
    hidden, decay=0.9, is_training=is_training, updates_collections=None, scope="last"
)
logits = tf.layers.dense(hidden, 1)
loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
with tf.control_dependencies(update_ops):
    train_step = tf.train.AdamOptimizer(0.01).minimize(loss)
correct = tf.equal(tf.greater(logits, 0), tf.greater(y, 0.5))
accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))

losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(120):
        rows = np.random.randint(0, 120, 40)
        feed = {x: features[rows], y: labels[rows], is_training: True}
        losses.append(sess.run([loss, train_step], feed)[0])
    print("losses", losses[0], losses[-1])
    # one after the other, so that no mean of a batch can help
    hits = [
        sess.run(
            accuracy, {x: features[row : row + 1], y: labels[row : row + 1], is_training: False}
        )
        for row in range(120)
    ]
    print("right", np.mean(hits))
