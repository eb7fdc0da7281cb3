"""A character-wise LSTM in NumPy: the whole algorithm of charrnn in one file. Everything else is efficiency.

    python docs/lstm.py my.txt

In the shapes, N is the number of sequences in a batch, M the steps in a window, C the distinct characters, L the units
in a layer, and D what enters a layer (C or L).
"""

import sys

import numpy as np


def get_batches(ids, n, m):
    """Yield x and y [N, M]: windows that move from left to right over N rows, and the same one character later."""
    k = len(ids) // (n * m)  # windows
    rows = ids[: n * m * k].reshape(n, m * k)
    for start in range(0, m * k, m):
        following = rows[:, start + 1 : start + m + 1]
        y = np.zeros_like(rows[:, :m])
        # nothing follows the last character of a row: its target stays 0
        y[:, : following.shape[1]] = following
        yield rows[:, start : start + m], y


def initial_weights(num_classes, lstm_size, num_layers, random):
    """Return [kernel, bias] of each layer and of the output, in one list."""
    weights = []
    for below in [num_classes] + [lstm_size] * (num_layers - 1):
        limit = np.sqrt(6 / (below + lstm_size + 4 * lstm_size))  # Glorot and Bengio 2010
        weights += [
            random.uniform(-limit, limit, (below + lstm_size, 4 * lstm_size)),
            np.zeros(4 * lstm_size),
        ]
    normal = random.standard_normal(2 * lstm_size * num_classes + 50)
    # cut off at two standard deviations
    normal = normal[np.abs(normal) < 2][: lstm_size * num_classes]
    return weights + [0.1 * normal.reshape(lstm_size, num_classes), np.zeros(num_classes)]


def zero_state(weights, n):
    """Return c and h of each layer before the first character: zeros [N, L]."""
    return [(np.zeros((n, len(bias) // 4)),) * 2 for bias in weights[1:-2:2]]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(x, c, h, kernel, bias):
    """Do one step of one layer on x [N, D]. Return the new c and h [N, L], and what step_back needs."""
    joined = np.concatenate([x, h], 1)  # [N, D + L]
    i, j, f, o = np.split(joined @ kernel + bias, 4, 1)  # each [N, L]
    # with the 1, c is kept from the beginning
    i = sigmoid(i)
    j = np.tanh(j)
    f = sigmoid(f + 1)
    o = sigmoid(o)
    # c forgets a part f of itself and takes in new values j as far as i lets them
    new_c = f * c + i * j
    tanh_c = np.tanh(new_c)
    return new_c, o * tanh_c, (joined, i, j, f, o, c, tanh_c)


def step_back(d_c, d_h, tape, kernel):
    """Return the gradients for x, c, h, the kernel and the bias, given those for the new c and h."""
    joined, i, j, f, o, c, tanh_c = tape
    d_c = d_c + d_h * o * (1 - tanh_c**2)
    d_gates = np.concatenate(
        [
            d_c * j * i * (1 - i),
            d_c * i * (1 - j**2),
            d_c * c * f * (1 - f),
            d_h * tanh_c * o * (1 - o),
        ],
        1,
    )  # [N, 4L], before sigmoid and tanh
    d_joined = d_gates @ kernel.T
    d_x, d_h = np.split(d_joined, [-c.shape[1]], 1)
    # from c to c there is only the factor f
    return d_x, d_c * f, d_h, joined.T @ d_gates, d_gates.sum(0)


def forward(weights, x, state, masks):  # masks [layers, M, N, L]: for dropout, 0 or 1 / keep_prob
    """Read x [N, M]. Return the probabilities [M, N, C] of what follows, the new state, and the tape for backward."""
    *layers, weight, bias = weights
    state = list(state)
    tape = []
    probabilities = []
    for t in range(x.shape[1]):
        # one-hot, [N, C]
        below = np.eye(len(bias))[x[:, t]]
        steps = []
        for layer, (c, h) in enumerate(state):
            c, h, taped = step(below, c, h, *layers[2 * layer : 2 * layer + 2])
            state[layer], below = (c, h), h * masks[layer][t]  # the state itself is not dropped
            steps.append(taped)
        logits = below @ weight + bias  # [N, C]
        odds = np.exp(logits - logits.max(1, keepdims=True))
        probabilities.append(odds / odds.sum(1, keepdims=True))
        tape.append((below, steps))
    return np.array(probabilities), state, tape


def mean_loss(probabilities, y):
    """Return the cross-entropy in nats per character."""
    return -np.log(np.take_along_axis(probabilities, y.T[:, :, None], 2)).mean()


def backward(weights, probabilities, y, tape, masks):
    """Go back through time. Return the gradients of the loss for the weights and for the initial state."""
    *layers, weight, bias = weights
    gradients = [np.zeros_like(value) for value in weights]
    d_state = [(np.zeros_like(c), np.zeros_like(c)) for *_, c, _ in tape[0][1]]
    for t in reversed(range(len(tape))):
        output, steps = tape[t]
        d_logits = (probabilities[t] - np.eye(len(bias))[y[:, t]]) / y.size  # [N, C]
        gradients[-2] += output.T @ d_logits
        gradients[-1] += d_logits.sum(0)
        d_above = d_logits @ weight.T  # [N, L]
        for layer in reversed(range(len(steps))):
            # from the step after this one; d_above comes from the layer above
            d_c, d_h = d_state[layer]
            d_h = d_h + d_above * masks[layer][t]
            d_above, *d_state[layer], d_kernel, d_bias = step_back(
                d_c, d_h, steps[layer], layers[2 * layer]
            )
            gradients[2 * layer] += d_kernel
            gradients[2 * layer + 1] += d_bias
    return gradients, d_state


def adam(weights, gradients, averages, t, learning_rate, grad_clip=5):
    """Do update number t, from 1, in place. averages: two lists like the weights, which begin with zeros."""
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    rate = learning_rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    for value, gradient, first, second in zip(weights, gradients, *averages):
        gradient = gradient * min(1, grad_clip / norm)  # all of them are shortened together
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient**2 - second)
        value -= rate * first / (np.sqrt(second) + 1e-8)


def write(weights, prime, length, random, top_n=5):
    """Return the ids of a prime, and after them ids that are drawn from the top_n most probable ones."""
    ids = list(prime)
    state = zero_state(weights, 1)
    unchanged = np.ones((len(weights), len(prime), 1, 1))
    probabilities, state, _ = forward(weights, np.array([ids]), state, unchanged)
    for _ in range(length):
        p = probabilities[-1, 0]
        p[np.argsort(p)[:-top_n]] = 0
        ids.append(random.choice(len(p), p=p / p.sum()))
        probabilities, state, _ = forward(weights, np.array([ids[-1:]]), state, unchanged)
    return ids


def main(
    path, n=16, m=50, lstm_size=128, num_layers=1, learning_rate=0.002, keep_prob=0.8, epochs=20
):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    vocab = sorted(set(text))
    ids = np.array([vocab.index(char) for char in text])
    random = np.random.RandomState(1)
    weights = initial_weights(len(vocab), lstm_size, num_layers, random)
    averages = [[np.zeros_like(value) for value in weights] for _ in range(2)]
    t = 0
    for epoch in range(1, epochs + 1):
        state = zero_state(weights, n)
        for x, y in get_batches(ids, n, m):
            t = t + 1
            masks = (random.random_sample((num_layers, m, n, lstm_size)) < keep_prob) / keep_prob
            probabilities, state, tape = forward(weights, x, state, masks)
            adam(
                weights,
                backward(weights, probabilities, y, tape, masks)[0],
                averages,
                t,
                learning_rate,
            )
            if t % 50 == 0:
                print(
                    f"epoch {epoch}, step {t}, loss {mean_loss(probabilities, y):.4f}", flush=True
                )
        print("".join(vocab[c] for c in write(weights, ids[:1], 200, random)))


if __name__ == "__main__":
    main(sys.argv[1])
