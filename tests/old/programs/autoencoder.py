"""An autoencoder of pictures, with convolutions that make them smaller and larger."""

import numpy as np
import tensorflow as tf

np.random.seed(1)
tf.set_random_seed(1)
images = np.zeros([64, 8, 8, 1], dtype=np.float32)
for image in images:
    row, column = np.random.randint(0, 5, 2)
    image[row : row + 3, column : column + 3] = 1

inputs_ = tf.placeholder(tf.float32, (None, 8, 8, 1), name="inputs")
targets_ = tf.placeholder(tf.float32, (None, 8, 8, 1), name="targets")
conv1 = tf.layers.conv2d(inputs_, 8, (3, 3), padding="same", activation=tf.nn.relu)
maxpool1 = tf.layers.max_pooling2d(conv1, (2, 2), (2, 2), padding="same")
conv2 = tf.contrib.layers.conv2d(maxpool1, 4, 3)
encoded = tf.contrib.layers.max_pool2d(conv2, 2)

upsample1 = tf.image.resize_nearest_neighbor(encoded, (4, 4))
conv3 = tf.contrib.layers.conv2d(upsample1, 8, 3)
conv4 = tf.contrib.layers.conv2d_transpose(conv3, 8, 3, stride=2)
logits = tf.layers.conv2d(conv4, 1, (3, 3), padding="same", activation=None)
decoded = tf.nn.sigmoid(logits, name="decoded")
loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets_, logits=logits)
cost = tf.reduce_mean(loss)
opt = tf.train.AdamOptimizer(0.01).minimize(cost)

sess = tf.Session()
sess.run(tf.global_variables_initializer())
losses = []
for _ in range(120):
    batch_cost, _ = sess.run([cost, opt], feed_dict={inputs_: images, targets_: images})
    losses.append(batch_cost)
print("losses", losses[0], losses[-1])
restored = sess.run(decoded, feed_dict={inputs_: images})
print("right", np.mean(np.round(restored) == images))
sess.close()
