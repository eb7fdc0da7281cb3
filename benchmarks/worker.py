"""One variant of the benchmark in its own process.

bench.py runs it as ``worker.py VARIANT SIZES``, where SIZES is JSON. Each function of VARIANTS builds a network and
returns a function that does a number of steps. The worker does one step and prints a line of JSON. Then it reads a
number from each line of its standard input, does that many steps, and prints the seconds of one step as a line of
JSON. At the end of its input it prints its peak memory. The first line has the peak after its imports.

The PyTorch variant imports neither charrnn nor TensorFlow, so it runs wherever torch is installed. The variants
``in_numpy`` and ``limit`` do not import TensorFlow.
"""

import json
import os
import resource
import sys
import time


def notebook(sizes):
    """Train with the notebook's graph, in a session with TensorFlow's default settings."""
    from charrnn.model import CharRNN
    from charrnn.system.machine import thread_count
    from charrnn.system.tensorflow import session_config

    n, m, units, layers, chars = (sizes[letter] for letter in "N M L layers C".split())
    return _training(
        sizes,
        session_config(thread_count(), False, sizes.get("precision", "float32")),
        CharRNN(chars, n, m, units, layers, seed=1),
    )


def fused(sizes):
    """Train with the fused graph, in a session with its settings."""
    from charrnn.hyperparameters import Hyperparameters
    from charrnn.system.machine import thread_count
    from charrnn.training.distributed import Processes
    from charrnn.training.graph import TrainingGraph

    n, m, units, layers, chars = (sizes[letter] for letter in "N M L layers C".split())
    threads = sizes.get("threads") or thread_count()
    hyper = Hyperparameters(
        n, m, units, layers, seed=1, precision=sizes.get("precision", "float32")
    )
    model = TrainingGraph(chars, hyper, Processes(), threads)
    return _training(sizes, model.config, model)


def processes(sizes):
    """Train as charrnn-train does, on some cores, alone or together with the other processes of mpiexec."""
    from charrnn.system import mpi

    os.sched_setaffinity(0, sizes["cores"][mpi.launch().rank])
    from charrnn.hyperparameters import Hyperparameters
    from charrnn.training.distributed import connect_processes
    from charrnn.training.graph import TrainingGraph

    n, m, units, layers, chars = (sizes[letter] for letter in "N M L layers C".split())
    together = connect_processes()
    threads = together.threads()
    precision = sizes.get("precision", "float32")
    model = TrainingGraph(
        chars, Hyperparameters(n, m, units, layers, seed=1, precision=precision), together, threads
    )
    return _training(sizes, model.config, model, together)


def _training(sizes, config, model, processes=None):
    """Train with a network of the package, by the lines of the loop in charrnn/train.py."""
    import numpy as np

    from charrnn.system.tensorflow import tf

    n, m, chars = (sizes[letter] for letter in "NMC")
    session = tf.Session(config=config)
    session.run(tf.global_variables_initializer())
    x = np.random.RandomState(0).randint(0, chars, (n, m))  # [N, M]
    y = np.roll(x, -1, 1)
    rows = slice(None)
    if processes:
        processes.synchronize(session)
        rows = slice(*processes.rows(n))
    state = session.run(model.initial_state)
    number = 0

    def step():
        nonlocal state, number
        feed = {
            model.inputs: x[rows],
            model.targets: y[rows],
            model.keep_prob: 0.5,
            model.initial_state: state,
        }
        fetches = [model.loss, model.final_state, model.optimizer]
        if processes:
            feed.update(model.feed_of_step(number, 1))
            fetches.append(model.gradient_norm)
        _, state, *_ = session.run(fetches, feed_dict=feed)
        number += 1
        if processes:
            processes.agree(None)

    return _repeated(step)


def floor(sizes):
    """Do only the matrix products of a training step, each over all steps of the window at once.

    This is the fastest way to do them: each core does the products of its share of the rows, and each product runs on
    one thread. A layer has three products with its recurrent weights: the forward pass, the gradient for h and the
    gradient for the weights. All layers but the first have the same three for their input.
    """
    from charrnn.system.machine import thread_count
    from charrnn.system.tensorflow import session_config, tf

    n, m, units, layers, chars = (sizes[letter] for letter in "N M L layers C".split())
    threads = sizes.get("threads") or thread_count()
    precision = sizes.get("precision", "float32")
    rows = n * m // threads
    gates = (rows, units, 4 * units), (rows, 4 * units, units), (units, rows, 4 * units)
    output = (rows, units, chars), (rows, chars, units), (units, rows, chars)
    matrices = {}
    results = []
    for thread in range(threads):
        last = []
        for left, inner, right in gates * (2 * layers - 1) + output:
            a, b = (
                matrices.setdefault(
                    (thread, shape), tf.Variable(tf.cast(tf.random_normal(shape), precision))
                )
                for shape in ((left, inner), (inner, right))
            )
            with tf.control_dependencies(last):
                product = tf.matmul(a, b)
            last = [product.op]
            results.append(tf.cast(product[0, 0], tf.float32))
    total = tf.add_n(results)
    session = tf.Session(config=session_config(threads))
    session.run(tf.global_variables_initializer())
    return _repeated(lambda: session.run(total))


def pytorch(sizes):
    """Train PyTorch's nn.LSTM, with the same dropout, loss, clipping and Adam.

    Its precision is float32, bfloat16 for all numbers, or autocast, which multiplies in bfloat16.
    """
    import torch

    n, m, units, layers, chars = (sizes[letter] for letter in "N M L layers C".split())
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(chars, units, layers, batch_first=True, dropout=0.5)
    output = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(units, chars))
    precision = sizes.get("precision", "float32")
    if precision == "bfloat16":
        lstm.bfloat16(), output.bfloat16()
    parameters = [*lstm.parameters(), *output.parameters()]
    adam = torch.optim.Adam(parameters, 0.001)
    x = torch.randint(0, chars, (n, m))
    y = torch.roll(x, -1, 1)
    state = None

    def step():
        nonlocal state
        one_hot = torch.nn.functional.one_hot(x, chars).to(parameters[0].dtype)  # [N, M, C]
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "autocast"):
            outputs, (h, c) = lstm(one_hot, state)
            logits = output(outputs).reshape(-1, chars)
        state = h.detach(), c.detach()
        loss = torch.nn.functional.cross_entropy(logits.float(), y.reshape(-1))
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5)
        adam.step()
        loss.item()

    return _repeated(step)


def one_by_one(sizes):
    """Generate as the notebook does: one session call and one draw for each character."""
    import numpy as np

    from charrnn.model import CharRNN
    from charrnn.sample import pick_top_n
    from charrnn.system.tensorflow import tf

    model = CharRNN(
        sizes["C"], lstm_size=sizes["L"], num_layers=sizes["layers"], sampling=True, seed=1
    )
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    state = session.run(model.initial_state)
    drawn = 0

    def step():
        nonlocal state, drawn
        preds, state = session.run(
            [model.prediction, model.final_state],
            {
                model.inputs: np.full((1, 1), drawn),
                model.keep_prob: 1.0,
                model.initial_state: state,
            },
        )
        drawn = pick_top_n(preds, sizes["C"])

    return _repeated(step)


def in_numpy(sizes):
    """Generate with NumPy. A step draws one character for each of B texts."""
    return _generation(_random_model(sizes).engine(), sizes)


def training_sample(sizes):
    """Write a sample of 200 characters as a training run does after a checkpoint, with the weights of its session."""
    import numpy as np

    from charrnn.checkpoints.writing import Writing
    from charrnn.data import Vocabulary
    from charrnn.engines.sampler import Sampler
    from charrnn.engines.trained_model import Model
    from charrnn.hyperparameters import Hyperparameters
    from charrnn.system.tensorflow import tf
    from charrnn.training.distributed import Processes
    from charrnn.training.graph import TrainingGraph

    hyper = Hyperparameters(lstm_size=sizes["L"], num_layers=sizes["layers"], seed=1)
    vocabulary = Vocabulary(map(chr, range(64, 64 + sizes["C"])))
    model = TrainingGraph(sizes["C"], hyper, Processes())
    session = tf.Session(config=model.config)
    session.run(tf.global_variables_initializer())
    seeds = iter(range(np.iinfo(np.int32).max))
    return _repeated(
        lambda: Sampler(Model("", vocabulary, model.weights(session)).engine()).write(
            vocabulary.chars[0], 200, Writing(top_n=5), next(seeds)
        )
    )


def limit(sizes):
    """Multiply a matrix as large as all weights that a character needs with a vector.

    No engine can generate one text faster, because it has to read these weights for each character. The first layer
    needs only its recurrent weights and one row of the others.
    """
    from charrnn.system.machine import choose_kernels

    choose_kernels()
    import numpy as np

    units, layers, chars = (sizes[letter] for letter in "L layers C".split())
    matrix = (
        np.random.RandomState(1)
        .standard_normal(((2 * layers - 1) * 4 * units + chars, units))
        .astype(np.float32)
    )
    vector = matrix[0].copy()
    product = np.empty(len(matrix), np.float32)
    return _repeated(lambda: np.dot(matrix, vector, out=product))


def models(sizes):
    """Write what the commands are measured with into a folder: a checkpoint of random weights, and its export."""
    from pathlib import Path

    from charrnn.data import Vocabulary
    from charrnn.engines.opening import open_model
    from charrnn.model import CharRNN
    from charrnn.system.tensorflow import tf

    folder = Path(sizes["folder"])
    chars = "".join(map(chr, range(32, 32 + sizes["C"])))
    (folder / "text").write_text(chars)
    CharRNN(sizes["C"], lstm_size=sizes["L"], num_layers=sizes["layers"], sampling=True, seed=1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        prefix = tf.train.Saver().save(session, str(folder / "i1_l1.ckpt"), write_meta_graph=False)
    open_model(prefix, Vocabulary(chars)).save(folder / "model.npz")
    return _repeated(lambda: None)


def _random_model(sizes):
    """Return a model with random weights."""
    from charrnn.system.machine import choose_kernels

    choose_kernels()
    import numpy as np

    from charrnn.data import Vocabulary
    from charrnn.engines.trained_model import Model, lstm_weights

    units = sizes["L"]
    chars = sizes["C"]
    random = np.random.RandomState(1)
    kernels = [
        random.uniform(-0.05, 0.05, ((units if layer else chars) + units, 4 * units)).astype(
            np.float32
        )
        for layer in range(sizes["layers"])
    ]
    softmax_kernel = random.normal(0, 0.1, (units, chars)).astype(np.float32)
    return Model(
        "random", Vocabulary(map(chr, range(64, 64 + chars))), lstm_weights(kernels, softmax_kernel)
    )


def _generation(engine, sizes):
    from charrnn.checkpoints.writing import Writing
    from charrnn.engines.sampler import Sampler

    sampler = Sampler(engine, sizes["B"])
    return lambda count: sampler.write(engine.vocabulary.chars[0], count, Writing(), 0)


def _repeated(step):
    """Return the function that does a step as often as it is asked to."""

    def steps(count):
        for _ in range(count):
            step()

    return steps


VARIANTS = {
    function.__name__: function
    for function in (
        notebook,
        fused,
        processes,
        floor,
        pytorch,
        one_by_one,
        in_numpy,
        training_sample,
        limit,
        models,
    )
}


def main(name, sizes):
    """Build a variant, do one step, then as many as each line of standard input asks for."""
    if name not in ("pytorch", "in_numpy", "limit"):
        from charrnn.system import tensorflow, terminal

        terminal.quiet_tensorflow()
        tensorflow.tf  # noqa: B018  # imported now, to know the memory that this takes
    imported = _peak_megabytes()
    steps = VARIANTS[name](sizes)
    steps(1)
    _answer(imported=imported)
    for line in _orders(sizes):
        count = int(line)
        started = time.perf_counter()
        steps(count)
        _answer(seconds=(time.perf_counter() - started) / count)
    _answer(megabytes=_peak_megabytes())


def _orders(sizes):
    """Return the lines of standard input, or of the file for this process, because mpiexec has one input for all."""
    if "orders" not in sizes:
        return sys.stdin
    from charrnn.system import mpi

    return open(sizes["orders"][mpi.launch().rank], encoding="ascii")


def _peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _answer(**values):
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
