"""A character-wise LSTM in NumPy: the whole algorithm of charrnn in one file. Everything else is efficiency.

    python docs/lstm.py my.txt    # trains on a text and writes after each epoch
    python docs/lstm.py --check   # compares each gradient with finite differences

On the first 100,000 characters of Anna Karenina, an epoch takes about eight seconds of one core. Its mean loss is that
of pairs of characters, 2.43, in the third epoch, 2.05 in the ninth, and 1.97 in the eleventh. A text of less than a
page is too short: 800 characters are the least for one window.

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
        x = rows[:, start : start + m]
        following = rows[:, start + 1 : start + m + 1]
        # nothing follows the last character of a row: its target stays 0
        y = np.zeros_like(x)
        y[:, : following.shape[1]] = following
        yield x, y


# The weights are one list: a kernel [D + L, 4L] and a bias [4L] of each layer, then the output's matrix [L, C] and bias
# [C]. The state is a list of c and h, both [N, L], of each layer.


def initial_weights(num_classes, lstm_size, num_layers, random):
    """Return new random weights."""
    weights = []
    size_below = num_classes
    for _ in range(num_layers):
        # Glorot and Bengio 2010
        limit = np.sqrt(6 / (size_below + lstm_size + 4 * lstm_size))
        weights.append(random.uniform(-limit, limit, (size_below + lstm_size, 4 * lstm_size)))
        weights.append(np.zeros(4 * lstm_size))
        size_below = lstm_size

    # a normal distribution, cut off at two standard deviations
    count = lstm_size * num_classes
    normal = random.standard_normal(2 * count + 50)
    normal = normal[np.abs(normal) < 2][:count]
    weights.append(0.1 * normal.reshape(lstm_size, num_classes))
    weights.append(np.zeros(num_classes))
    return weights


def zero_state(weights, n):
    """Return the state before the first character."""
    biases = weights[1:-2:2]
    sizes = [len(bias) // 4 for bias in biases]
    return [(np.zeros((n, size)), np.zeros((n, size))) for size in sizes]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(x, c, h, kernel, bias):
    """Do one step of one layer on x [N, D]. Return the new c and h [N, L], and what step_back needs."""
    joined = np.concatenate([x, h], 1)  # [N, D + L]
    i, g, f, o = np.split(joined @ kernel + bias, 4, 1)  # each [N, L]
    i = sigmoid(i)
    g = np.tanh(g)
    # with the 1, c is kept from the beginning
    f = sigmoid(f + 1)
    o = sigmoid(o)

    # c forgets all but a part f of itself, and takes in new values g as far as i lets them
    new_c = f * c + i * g
    tanh_c = np.tanh(new_c)
    new_h = o * tanh_c
    return new_c, new_h, (joined, i, g, f, o, c, tanh_c)


def step_back(d_c, d_h, tape, kernel):
    """Return the gradients for x, c, h, the kernel and the bias, given those for the new c and h."""
    joined, i, g, f, o, c, tanh_c = tape
    d_c = d_c + d_h * o * (1 - tanh_c**2)

    # before the sigmoid or tanh of each gate, [N, L]
    d_i = d_c * g * i * (1 - i)
    d_g = d_c * i * (1 - g**2)
    d_f = d_c * c * f * (1 - f)
    d_o = d_h * tanh_c * o * (1 - o)
    d_gates = np.concatenate([d_i, d_g, d_f, d_o], 1)  # [N, 4L]

    d_joined = d_gates @ kernel.T  # [N, D + L]
    d_x, d_h = np.split(d_joined, [-c.shape[1]], 1)
    # from c to c there is only the factor f
    return d_x, d_c * f, d_h, joined.T @ d_gates, d_gates.sum(0)


def forward(weights, x, state, masks=None):
    """Read x [N, M]. Return the probabilities [M, N, C] of what follows, the new state, and the tape for backward.

    The masks [layers, M, N, L] are those of dropout: 0, or 1 / keep_prob. None: there is no dropout.
    """
    *layers, matrix, bias = weights
    state = list(state)
    probabilities = []
    tape = []
    for t in range(x.shape[1]):
        below = np.eye(len(bias))[x[:, t]]  # one-hot, [N, C]
        steps = []
        for layer, (c, h) in enumerate(state):
            c, h, taped = step(below, c, h, layers[2 * layer], layers[2 * layer + 1])
            steps.append(taped)
            state[layer] = c, h
            below = h
            # what goes up is dropped, but not the state itself
            if masks is not None:
                below = h * masks[layer][t]

        logits = below @ matrix + bias  # [N, C]
        odds = np.exp(logits - logits.max(1, keepdims=True))
        probabilities.append(odds / odds.sum(1, keepdims=True))
        tape.append((below, steps))
    return np.array(probabilities), state, tape


def mean_loss(probabilities, y):
    """Return the cross-entropy in nats per character."""
    of_targets = np.take_along_axis(probabilities, y.T[:, :, None], 2)
    return -np.log(of_targets).mean()


def backward(weights, probabilities, y, tape, masks=None):
    """Go back through time. Return the gradients of the loss for the weights and for the initial state."""
    *layers, matrix, bias = weights
    gradients = [np.zeros_like(value) for value in weights]
    d_state = zero_state(weights, len(y))
    for t in reversed(range(len(tape))):
        output, steps = tape[t]
        targets = np.eye(len(bias))[y[:, t]]  # one-hot, [N, C]
        d_logits = (probabilities[t] - targets) / y.size  # [N, C]
        gradients[-2] += output.T @ d_logits
        gradients[-1] += d_logits.sum(0)

        d_above = d_logits @ matrix.T  # [N, L]
        for layer in reversed(range(len(steps))):
            # h is used by the next step, and by the layer above
            d_c, d_h = d_state[layer]
            if masks is not None:
                d_above = d_above * masks[layer][t]
            d_h = d_h + d_above
            kernel = layers[2 * layer]
            d_above, d_c, d_h, d_kernel, d_bias = step_back(d_c, d_h, steps[layer], kernel)
            d_state[layer] = d_c, d_h
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
    probabilities, state, _ = forward(weights, np.array([ids]), zero_state(weights, 1))
    for _ in range(length):
        p = probabilities[-1, 0]
        p[np.argsort(p)[:-top_n]] = 0
        ids.append(random.choice(len(p), p=p / p.sum()))
        # the state has read all but the id that was drawn
        probabilities, state, _ = forward(weights, np.array([ids[-1:]]), state)
    return ids


def loss_of_pairs(ids, num_classes):
    """Return the loss of a table that knows how often each character of the text follows each other one."""
    counts = np.zeros((num_classes, num_classes))
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return -np.log(shares[ids[:-1], ids[1:]]).mean()


def check(change=1e-5):
    """Change each weight a little, up and down, and compare how the loss changes with what backward says."""
    random = np.random.RandomState(1)
    num_classes, n, m, layers = 5, 2, 4, 2
    weights = initial_weights(num_classes, 3, layers, random)
    x, y = random.randint(num_classes, size=(2, n, m))
    masks = 2.0 * random.randint(2, size=(layers, m, n, 3))

    def loss():
        probabilities, _, _ = forward(weights, x, zero_state(weights, n), masks)
        return mean_loss(probabilities, y)

    probabilities, _, tape = forward(weights, x, zero_state(weights, n), masks)
    gradients, _ = backward(weights, probabilities, y, tape, masks)
    names = ["kernel 1", "bias 1", "kernel 2", "bias 2", "output's matrix", "output's bias"]
    for name, value, gradient in zip(names, weights, gradients):
        by_differences = np.zeros_like(value)
        for place in np.ndindex(*value.shape):
            kept = value[place]
            value[place] = kept + change
            above = loss()
            value[place] = kept - change
            below = loss()
            value[place] = kept
            by_differences[place] = (above - below) / (2 * change)
        largest = np.abs(gradient - by_differences).max()
        print(f"{name:16} {value.size:3} gradients, largest difference {largest:.1e}")


def main(
    path, n=16, m=50, lstm_size=128, num_layers=1, learning_rate=0.002, keep_prob=0.8, epochs=20
):
    """Train on a text, and write 200 characters after each epoch."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        sys.exit(f"{path} cannot be read: {error.strerror}")
    if len(text) < n * m:
        sys.exit(f"{path} has {len(text)} characters: at least {n * m} are needed, {n} rows of {m}")
    vocab = sorted(set(text))
    to_id = {char: i for i, char in enumerate(vocab)}
    ids = np.array([to_id[char] for char in text])
    of_pairs = loss_of_pairs(ids, len(vocab))

    random = np.random.RandomState(1)
    weights = initial_weights(len(vocab), lstm_size, num_layers, random)
    averages = [[np.zeros_like(value) for value in weights] for _ in range(2)]
    t = 0
    for epoch in range(1, epochs + 1):
        state = zero_state(weights, n)
        losses = []
        for x, y in get_batches(ids, n, m):
            t += 1
            kept = random.random_sample((num_layers, m, n, lstm_size)) < keep_prob
            masks = kept / keep_prob
            probabilities, state, tape = forward(weights, x, state, masks)
            gradients, _ = backward(weights, probabilities, y, tape, masks)
            adam(weights, gradients, averages, t, learning_rate)
            losses.append(mean_loss(probabilities, y))
            if t % 50 == 0:
                print(f"epoch {epoch}, step {t}, loss {losses[-1]:.4f}", flush=True)
        print(f"epoch {epoch}, mean loss {np.mean(losses):.4f}, that of pairs {of_pairs:.4f}")
        print("".join(vocab[i] for i in write(weights, ids[:1], 200, random)), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        check()
    else:
        main(sys.argv[1])
