"""Write notebook_graphs.json, the SHA-256 of the graphs of the course's notebook, with TensorFlow 1.15.

Written from what the notebook calls, function by function. It imports nothing of charrnn, so that a mistake there is
none here. Run it in the folder of the repository: ``python tests/data/notebook_graphs.py``.
"""

import hashlib
import json
import os
from pathlib import Path

# TensorFlow 2 has the cells in Keras 2 only.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import tensorflow.compat.v1 as tf

FILE = Path(__file__).with_suffix(".json")
# By name, the arguments of CharRNN.
SIZES = {
    "defaults": dict(num_classes=83),
    "recipe": dict(num_classes=83, batch_size=100, num_steps=100, lstm_size=512),
    "exercise": dict(
        num_classes=65, batch_size=10, num_steps=50, lstm_size=128, learning_rate=0.01
    ),
    "one-layer": dict(
        num_classes=5, batch_size=3, num_steps=4, lstm_size=6, num_layers=1, grad_clip=3
    ),
}


def build(
    num_classes,
    batch_size=64,
    num_steps=50,
    lstm_size=128,
    num_layers=2,
    learning_rate=0.001,
    grad_clip=5,
    sampling=False,
):
    """Return the graph that the notebook's CharRNN builds with these arguments."""
    if sampling:
        batch_size, num_steps = 1, 1
    graph = tf.Graph()
    with graph.as_default():
        inputs = tf.placeholder(tf.int32, [batch_size, num_steps], name="inputs")
        targets = tf.placeholder(tf.int32, [batch_size, num_steps], name="targets")
        keep_prob = tf.placeholder(tf.float32, name="keep_prob")

        layers = []
        for _ in range(num_layers):
            lstm = tf.nn.rnn_cell.BasicLSTMCell(lstm_size)
            layers.append(tf.nn.rnn_cell.DropoutWrapper(lstm, output_keep_prob=keep_prob))
        stack = tf.nn.rnn_cell.MultiRNNCell(layers)
        zeros = stack.zero_state(batch_size, tf.float32)

        hot_inputs = tf.one_hot(inputs, num_classes)
        outputs, _ = tf.nn.dynamic_rnn(stack, hot_inputs, initial_state=zeros)

        rows = tf.reshape(tf.concat(outputs, axis=1), [-1, lstm_size])
        with tf.variable_scope("softmax"):
            kernel = tf.Variable(tf.truncated_normal((lstm_size, num_classes), stddev=0.1))
            bias = tf.Variable(tf.zeros(num_classes))
        logits = tf.matmul(rows, kernel) + bias
        tf.nn.softmax(logits, name="predictions")

        hot_targets = tf.one_hot(targets, num_classes)
        labels = tf.reshape(hot_targets, logits.get_shape())
        losses = tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=labels)
        loss = tf.reduce_mean(losses)

        variables = tf.trainable_variables()
        gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), grad_clip)
        tf.train.AdamOptimizer(learning_rate).apply_gradients(zip(gradients, variables))
    return graph


def sha256_of(graph):
    """Return the SHA-256 of a graph, with all names, types and attributes."""
    definition = graph.as_graph_def().SerializeToString(deterministic=True)
    return hashlib.sha256(definition).hexdigest()


def name_of(size, sampling):
    """Return the name of a graph in the file."""
    return f"{size}, sampling" if sampling else size


def main():
    tf.disable_v2_behavior()
    digests = {}
    for size, arguments in SIZES.items():
        for sampling in (False, True):
            graph = build(**arguments, sampling=sampling)
            digests[name_of(size, sampling)] = sha256_of(graph)
    FILE.write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
