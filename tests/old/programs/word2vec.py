"""word2vec: embeddings of words by skip-grams and sampled softmax."""

import collections
import math

import numpy as np
import tensorflow as tf

np.random.seed(1)
tf.set_random_seed(1)
words = (
    "the cat eats fish . the dog eats meat . a king wears gold . a queen wears silk . " * 20
).split()
counts = collections.Counter(words).most_common()
vocab_to_int = {word: number for number, (word, _) in enumerate(counts)}
ids = [vocab_to_int[word] for word in words]
n_vocab, n_embedding, n_sampled = len(vocab_to_int), 8, 5

train_graph = tf.Graph()
with train_graph.as_default():
    inputs = tf.placeholder(tf.int32, [None], name="inputs")
    labels = tf.placeholder(tf.int32, [None, None], name="labels")
    embedding = tf.Variable(tf.random_uniform((n_vocab, n_embedding), -1, 1))
    embed = tf.nn.embedding_lookup(embedding, inputs)
    deviation = 1.0 / math.sqrt(n_embedding)
    softmax_w = tf.Variable(tf.truncated_normal((n_vocab, n_embedding), stddev=deviation))
    softmax_b = tf.Variable(tf.zeros(n_vocab))
    loss = tf.nn.sampled_softmax_loss(softmax_w, softmax_b, labels, embed, n_sampled, n_vocab)
    cost = tf.reduce_mean(loss)
    nce = tf.reduce_mean(tf.nn.nce_loss(softmax_w, softmax_b, labels, embed, n_sampled, n_vocab))
    optimizer = tf.train.AdamOptimizer(0.05).minimize(cost + 0.01 * nce)
    norm = tf.sqrt(tf.reduce_sum(tf.square(embedding), 1, keep_dims=True))
    normalized = embedding / norm
    similarity = tf.matmul(normalized, tf.transpose(normalized))

x = ids[1:-1] * 2
y = ids[:-2] + ids[2:]
losses = []
with tf.Session(graph=train_graph) as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(120):
        rows = np.random.randint(0, len(x), 64)
        feed = {inputs: np.array(x)[rows], labels: np.array(y)[rows, None]}
        losses.append(sess.run([cost, optimizer], feed_dict=feed)[0])
    near = sess.run(similarity)
print("losses", np.mean(losses[:5]), np.mean(losses[-5:]))
print("right", float(near.shape == (n_vocab, n_vocab) and abs(near[0, 0] - 1) < 1e-5))
