"""Deep Q-learning: a walker in a corridor learns to go right, where the reward is."""

from collections import deque

import numpy as np
import tensorflow as tf

np.random.seed(1)
LENGTH = 6


class QNetwork:
    def __init__(self, learning_rate=0.02, action_size=2, name="QNetwork"):
        with tf.variable_scope(name):
            self.inputs_ = tf.placeholder(tf.float32, [None, LENGTH], name="inputs")
            self.actions_ = tf.placeholder(tf.int32, [None], name="actions")
            one_hot_actions = tf.one_hot(self.actions_, action_size)
            self.targetQs_ = tf.placeholder(tf.float32, [None], name="target")
            self.fc1 = tf.contrib.layers.fully_connected(self.inputs_, 12)
            self.output = tf.contrib.layers.fully_connected(
                self.fc1, action_size, activation_fn=None
            )
            self.Q = tf.reduce_sum(tf.multiply(self.output, one_hot_actions), axis=1)
            self.loss = tf.reduce_mean(tf.square(self.targetQs_ - self.Q))
            self.opt = tf.train.AdamOptimizer(learning_rate).minimize(self.loss)


def step(place, action):
    place = max(place - 1, 0) if action == 0 else place + 1
    done = place == LENGTH - 1
    return place, float(done), done


tf.reset_default_graph()
tf.set_random_seed(1)
network = QNetwork(name="main")
memory = deque(maxlen=500)
one_hot = np.eye(LENGTH)
lengths = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for episode in range(40):
        place = 0
        walked = 0
        while walked < 60:
            walked += 1
            if np.random.rand() < max(0.05, 1 - episode / 20):
                action = np.random.randint(2)
            else:
                Qs = sess.run(network.output, {network.inputs_: one_hot[[place]]})
                action = np.argmax(Qs)
            following, reward, done = step(place, action)
            memory.append((place, action, reward, following, done))
            place = following
            picked = np.random.choice(len(memory), 16)
            states, actions, rewards, nexts, ends = zip(*[memory[number] for number in picked])
            later = sess.run(network.output, {network.inputs_: one_hot[list(nexts)]}).max(axis=1)
            targets = np.array(rewards) + 0.9 * later * (1 - np.array(ends))
            feed = {
                network.inputs_: one_hot[list(states)],
                network.targetQs_: targets,
                network.actions_: actions,
            }
            sess.run([network.loss, network.opt], feed_dict=feed)
            if done:
                break
        lengths.append(walked)
    Qs = sess.run(network.output, {network.inputs_: one_hot[: LENGTH - 1]})
print("losses", np.mean(lengths[:10]), np.mean(lengths[-10:]))
print("right", np.mean(Qs.argmax(axis=1) == 1))
