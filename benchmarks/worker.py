"""One variant in a process of its own: it is built, says so, and then does as many turns as it is told to.

Run by bench.py as ``worker.py VARIANT SIZES``, where SIZES is JSON. It reads a number from each line of its
standard input, works that often, and answers each with a line of JSON. The PyTorch variant imports neither
charrnn nor TensorFlow, so that it runs wherever torch is installed; the one in NumPy imports no TensorFlow.
"""
import json
import resource
import sys
import time


def notebook(sizes):
    """The notebook's graph, in a session with TensorFlow's own settings."""
    import tensorflow.compat.v1 as tf
    return _training_step(sizes, tf.ConfigProto())


def fused(sizes):
    """The fused graph, in the session that goes with it."""
    from charrnn.fused.session import session_config
    threads = sizes.get("threads")
    return _training_step(sizes, session_config(threads), fused=True, threads=threads)


def _training_step(sizes, config, **options):
    import numpy as np
    import tensorflow.compat.v1 as tf

    from charrnn.model import CharRNN
    n, m, units, layers, chars = (sizes[letter] for letter in "N M L layers C".split())
    model = CharRNN(chars, n, m, units, layers, seed=1, **options)
    session = tf.Session(config=config)
    session.run(tf.global_variables_initializer())
    x = np.random.RandomState(0).randint(0, chars, (n, m))  # [N, M]
    y = np.roll(x, -1, 1)
    state = session.run(model.initial_state)

    def step():
        nonlocal state
        _, state, _ = session.run(
            [model.loss, model.final_state, model.optimizer],
            {model.inputs: x, model.targets: y, model.keep_prob: 0.5, model.initial_state: state})
    return step


def floor(sizes):
    """The matrix products of a training step alone, each over all steps of the window at once.

    They are done as the machine does them fastest: half of the rows on each core, by independent products of
    one thread. A layer has the product of the recurrent weights in the forward pass, the one back to h, and
    the one for the weights' gradient; all but the first layer have the same three for their input.
    """
    import tensorflow.compat.v1 as tf

    from charrnn.fused.session import session_config, thread_count
    n, m, units, layers, chars = (sizes[letter] for letter in "N M L layers C".split())
    threads = thread_count(sizes.get("threads"))
    rows = n * m // threads
    gates = (rows, units, 4 * units), (rows, 4 * units, units), (units, rows, 4 * units)
    output = (rows, units, chars), (rows, chars, units), (units, rows, chars)
    matrices, done = {}, []
    for thread in range(threads):
        last = []
        for left, inner, right in gates * (2 * layers - 1) + output:
            a, b = (matrices.setdefault((thread, shape), tf.Variable(tf.random_normal(shape)))
                    for shape in ((left, inner), (inner, right)))
            with tf.control_dependencies(last):
                product = tf.matmul(a, b)
            last = [product.op]
            done.append(product[0, 0])
    everything = tf.add_n(done)
    session = tf.Session(config=session_config(sizes.get("threads")))
    session.run(tf.global_variables_initializer())
    return lambda: session.run(everything)


def pytorch(sizes):
    """PyTorch's nn.LSTM in float32, with the same dropout, loss, clipping and Adam."""
    import torch
    n, m, units, layers, chars = (sizes[letter] for letter in "N M L layers C".split())
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(chars, units, layers, batch_first=True, dropout=0.5)
    output = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(units, chars))
    parameters = [*lstm.parameters(), *output.parameters()]
    adam = torch.optim.Adam(parameters, 0.001)
    x = torch.randint(0, chars, (n, m))
    y = torch.roll(x, -1, 1)
    state = None

    def step():
        nonlocal state
        one_hot = torch.nn.functional.one_hot(x, chars).float()  # [N, M, C]
        outputs, (h, c) = lstm(one_hot, state)
        state = h.detach(), c.detach()
        loss = torch.nn.functional.cross_entropy(output(outputs).reshape(-1, chars), y.reshape(-1))
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5)
        adam.step()
        return loss.item()
    return step


def one_by_one(sizes):
    """The notebook's generation: a session call and a draw for each character."""
    import numpy as np
    import tensorflow.compat.v1 as tf

    from charrnn.model import CharRNN
    from charrnn.sample import pick_top_n
    model = CharRNN(sizes["C"], lstm_size=sizes["L"], num_layers=sizes["layers"], sampling=True, seed=1)
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    state = session.run(model.initial_state)
    drawn = 0

    def step():
        nonlocal state, drawn
        preds, state = session.run(
            [model.prediction, model.final_state],
            {model.inputs: np.full((1, 1), drawn), model.keep_prob: 1.0, model.initial_state: state})
        drawn = pick_top_n(preds, sizes["C"])
    return step


def in_graph(sizes):
    """Generation by the loop in the graph, a step of which draws B characters; done by the sampler."""
    import tempfile

    import tensorflow.compat.v1 as tf

    from charrnn.checkpoints import open_checkpoint
    from charrnn.model import CharRNN
    CharRNN(sizes["C"], lstm_size=sizes["L"], num_layers=sizes["layers"], sampling=True, seed=1)
    with tempfile.TemporaryDirectory() as folder, tf.Session() as session:
        session.run(tf.global_variables_initializer())
        prefix = tf.train.Saver().save(session, folder + "/random.ckpt")
        return _sampling_step(open_checkpoint(prefix, _vocabulary(sizes)), sizes)


def in_numpy(sizes):
    """The same by an exported model with random weights, in NumPy alone."""
    import tempfile  # noqa: I001

    from charrnn.engines.numpy_lstm import NumpyLSTM  # before NumPy, for charrnn chooses its kernels
    import numpy as np
    units, chars, random = sizes["L"], sizes["C"], np.random.RandomState(1)
    arrays = {"format": np.int64(1), "about": np.frombuffer(b"null", np.uint8),
              "vocabulary": np.array([ord(char) for char in _vocabulary(sizes).chars], np.uint32),
              "softmax_kernel": random.normal(0, 0.1, (units, chars)).astype(np.float32),
              "softmax_bias": np.zeros(chars, np.float32)}
    for layer in range(sizes["layers"]):
        shape = (units if layer else chars) + units, 4 * units
        arrays["kernel_{}".format(layer)] = random.uniform(-0.05, 0.05, shape).astype(np.float32)
        arrays["bias_{}".format(layer)] = np.repeat(np.float32([0, 0, 1, 0]), units)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(folder + "/model.npz", **arrays)
        return _sampling_step(NumpyLSTM(folder + "/model.npz"), sizes)


def _vocabulary(sizes):
    from charrnn.data import Vocabulary
    return Vocabulary(map(chr, range(64, 64 + sizes["C"])))


def _sampling_step(model, sizes):
    from charrnn.engines.sampler import Sampler
    sampler = Sampler(model, sizes["B"])

    def step(count):
        for _ in sampler.generate(model.vocabulary.chars[0], count):
            pass
    step.takes_count = True
    return step


VARIANTS = {function.__name__: function for function in (
    notebook, fused, floor, pytorch, one_by_one, in_graph, in_numpy)}


def main(name, sizes):
    """Build a variant, do one step, then as many as each line of standard input says."""
    if name not in ("pytorch", "in_numpy"):
        from charrnn.system.console import quiet_tensorflow
        quiet_tensorflow()
    step = VARIANTS[name](sizes)
    turn = step if hasattr(step, "takes_count") else lambda count: [step() for _ in range(count)]
    turn(1)
    _answer(ready=True)
    for line in sys.stdin:
        count = int(line)
        started = time.perf_counter()
        turn(count)
        _answer(seconds=(time.perf_counter() - started) / count)
    _answer(megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _answer(**values):
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
