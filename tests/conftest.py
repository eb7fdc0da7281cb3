"""What the tests share: a quiet TensorFlow, the solution notebook's definitions, and small training runs."""

import contextlib
import csv
import hashlib
import importlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from dataclasses import is_dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import charrnn.train
from charrnn.system.interrupts import StopRequests
from charrnn.system.terminal import quiet_tensorflow

TENSORFLOW_1 = sys.version_info < (3, 8)
needs_tensorflow_2 = pytest.mark.skipif(TENSORFLOW_1, reason="this is about TensorFlow 2")
needs_contrib = pytest.mark.skipif(not TENSORFLOW_1, reason="TensorFlow 2 has no tf.contrib")

quiet_tensorflow()
# Ctrl-C is ignored where the tests run in the background, and tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
# To flush to the disk takes some 3 ms, thousands of times, and makes no difference to a process that reads the file.
# Like it, fstat refuses what is no descriptor. The processes that tests start do flush.
os.fsync = os.fstat

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ("train", "sample", "evaluate", "export", "inspect", "runs", "old")
SOLUTION = ROOT / "notebooks" / "Anna_KaRNNa_Solution.ipynb"

# Small sizes, all different, so that a swapped axis fails.
TEXT = "the cat sat on the mat, and the hat sat on the cat.\n" * 20
# the characters of TEXT
CHARS = "\n ,.acdehmnost"
# the checkpoints of the trained run, which has 1,040 // (2 x 12) = 43 windows
OLDER = "i25_l5.ckpt"
NEWEST = "i43_l5.ckpt"
SMALL_FLAGS = (
    "--batch-size 2 --num-steps 12 --lstm-size 5 --num-layers 2 --epochs 1 --print-every-n 12 "
    "--save-every-n 25 --seed 7 --sample-length 0 --threads 1"
).split()
# With overfitting_text, the validation loss is lowest in the middle of the run.
VALIDATED_FLAGS = (
    "--val-fraction 0.25 --keep-prob 1 --learning-rate 0.1 --lstm-size 9 --save-every-n 25 "
    "--eval-every-n 4 --epochs 3 --no-summaries"
).split()

# seconds for a slow test; pyproject.toml has that of the others
SLOW_TIMEOUT = 1800
# characters of a value in the name of a case
LONGEST_NAME = 60
LONGEST = (
    "test_notebook_runs",
    "test_shipped_page",
    "test_setup",
    "test_killed",
    "test_distributed",
)


class PassedOn(StopRequests):
    """What asks a run of a test to stop asks pytest, too, which would take it for a failure and go on."""

    @contextlib.contextmanager
    def listening(self):
        try:
            with super().listening():
                yield
        finally:
            if self.signal in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(os.getpid(), self.signal)


charrnn.train.StopRequests = PassedOn


def pytest_addoption(parser):
    parser.addoption(
        "--fast", action="store_true", help="skip tests that need TensorFlow or another process"
    )


def pytest_configure(config):
    """Get TensorFlow ready, or let all that needs it be skipped."""
    if config.getoption("--fast"):
        sys.meta_path.insert(0, WithoutTensorFlow())
    elif not TENSORFLOW_1:
        # Graphs are on from now on, in any order of tests.
        importlib.import_module("charrnn.system.tensorflow").tf  # noqa: B018


def pytest_collection(session):
    """Let what needs another process be skipped. With ``-n``, those that run the tests have been started before."""
    if session.config.getoption("--fast"):
        subprocess.Popen = skip_process


class WithoutTensorFlow:
    """It finds modules before Python does. A test that imports TensorFlow is skipped, and so is a file of tests."""

    @staticmethod
    def find_spec(name, _path=None, _target=None):
        if name == "tensorflow":
            pytest.skip("it needs TensorFlow", allow_module_level=True)


def skip_process(*_arguments, **_options):
    pytest.skip("it needs another process", allow_module_level=True)


def pytest_make_parametrize_id(val):
    """Show the value of a case in its name, for kinds of values whose place pytest would show."""
    if isinstance(val, (dict, list, tuple)) or (is_dataclass(val) and not isinstance(val, type)):
        shown = repr(val)
        # an address in memory would give the case another name in each process
        if len(shown) <= LONGEST_NAME and " at 0x" not in shown:
            return shown
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the tests that need a browser, before -m selects any.

    The files with the longest tests begin, so that no process works alone on one of them at the end.
    """
    items.sort(key=lambda item: item.path.stem not in LONGEST)
    for item in items:
        # a doctest has no fixtures
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("pages")
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT))


def refused_skips(config):
    """Return why tests were skipped, but for the reasons in the file that CHARRNN_SKIPS names; [] if it names none."""
    path = os.environ.get("CHARRNN_SKIPS")
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not path or not reporter:
        return []
    allowed = Path(path).read_text(encoding="utf-8").splitlines()
    reasons = set()
    for report in reporter.stats.get("skipped", []):
        _, _, reason = report.longrepr
        reasons.add(reason.replace("Skipped: ", ""))
    return sorted(reasons.difference(allowed))


def pytest_sessionfinish(session):
    if refused_skips(session.config) and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    for reason in refused_skips(config):
        terminalreporter.write_line(
            f"FAILED: no test may be skipped here because {reason}", red=True
        )


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """No test may reach out: an address that is not a file is refused at once."""
    import urllib.request
    from urllib.error import URLError

    usual = urllib.request.urlopen

    def refuse(address, *args, **kwargs):
        if not str(address).startswith("file:"):
            raise URLError("no network in tests")
        return usual(address, *args, **kwargs)

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


@pytest.fixture(scope="session")
def fonts(tmp_path_factory):
    """A folder with Matplotlib's list of fonts, which it makes at its first use, with a warning where that is slow."""
    folder = tmp_path_factory.mktemp("matplotlib")
    program = [sys.executable, "-c", "import matplotlib.font_manager"]
    variables = dict(os.environ, MPLCONFIGDIR=str(folder))
    subprocess.run(program, check=True, stderr=subprocess.DEVNULL, env=variables)
    return folder


@pytest.fixture
def text_file(tmp_path):
    """A small text with CRLF line ends, as anna.txt has them."""
    path = tmp_path / "small.txt"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    return path


def known_text(name):
    """Return a known text, if it lies on this machine."""
    from charrnn import data
    from charrnn.text import corpus

    for folder in (ROOT / "data", Path(os.environ.get("CHARRNN_DATA", ""))):
        path = folder / f"{name}.txt"
        if path.is_file():
            assert corpus.find(name, data_dir=folder) == path
            return data.load_text(path)
    return pytest.skip(f"{name}.txt is neither in data/ nor in CHARRNN_DATA")


@pytest.fixture(scope="session")
def anna():
    """The text of anna.txt, where it lies on this machine."""
    return known_text("anna")


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of a small training run, next to its text. Tests must not change it."""
    folder = tmp_path_factory.mktemp("trained")
    path = folder / "small.txt"
    path.write_text(TEXT, encoding="utf-8")
    assert train_small(path, folder / "run") == 0
    return folder / "run"


def train_small(text, folder, *flags):
    """Run ``charrnn-train`` on a text with small sizes; return its exit status."""
    from charrnn.commands import train

    return train.main([str(text), *SMALL_FLAGS, "--checkpoint-dir", str(folder), *flags])


def resume(folder, *flags):
    """Resume a run with ``charrnn-train``; return the exit status."""
    from charrnn.commands import train

    return train.main(["--resume", "--checkpoint-dir", str(folder), *flags])


def change_hyperparameters(folder, **values):
    """Change some hyperparameters in the record of a run."""
    from charrnn.checkpoints import record

    run = record.read_run(folder)
    hyper = replace(run.hyperparameters, **values)
    record.write_run(folder, replace(run, hyperparameters=hyper))


def with_output(function, *args, **kwargs):
    """Call a function; return what it returns, and what it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        returned = function(*args, **kwargs)
    return returned, out.getvalue()


def script(name):
    """Return the module of a script, such as ``train``."""
    return importlib.import_module(f"charrnn.commands.{name}")


def parser_of(name):
    """Return the argument parser of a script."""
    return script(name).make_parser()


def columns(row):
    """Return the columns of a row of a table that a command prints."""
    return re.split("  +", row)


def times_of(*folders):
    """Return when each file in some folders was changed, by its path."""
    paths = []
    for folder in folders:
        paths.extend(folder.rglob("*"))
    return {path: path.stat().st_mtime_ns for path in paths}


def copy_without_records(run, folder):
    """Copy a run as the notebook would have left it: checkpoints, and no other file. Return the folder."""
    records = shutil.ignore_patterns("run.json", "text.txt", "*.ckpt.json", "*.npz")
    shutil.copytree(str(run), str(folder), ignore=records)
    return folder


@pytest.fixture
def bare(trained, tmp_path):
    """A copy of the small training run as the notebook would have left it."""
    return copy_without_records(trained, tmp_path / "bare")


def overfitting_text(path):
    """Write a text whose end differs from its beginning, so that learning the beginning by heart does harm."""
    noise = np.random.RandomState(3).choice(list(CHARS), 260)
    path.write_text(TEXT[:780] + "".join(noise))
    return path


@pytest.fixture(scope="session")
def stopped_early(tmp_path_factory):
    """The folder of a run that ended after 3 evaluations without improvement. Not to be changed."""
    folder = tmp_path_factory.mktemp("early")
    text = overfitting_text(folder / "text")
    flags = "--early-stop 3 --max-to-keep 1".split()
    assert train_small(text, folder / "run", *VALIDATED_FLAGS, *flags) == 0
    return folder / "run"


def losses_of(folder):
    """Return the losses of the current epoch, from the newest checkpoint of a run."""
    return progress_of(folder)["epoch_losses"]


def history_of(folder):
    """Return the rows of history.csv without the speed, which differs each time: dicts from name to str."""
    with open(str(folder / "history.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row["characters_per_second"]
    return rows


def weights_of(folder):
    """Return all variables of the newest checkpoint of a run: a dict from name to value."""
    from charrnn.checkpoints.find import newest_intact
    from charrnn.system.tensorflow import tf

    reader = tf.train.NewCheckpointReader(newest_intact(folder).prefix)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def progress_of(folder):
    """Return the progress in the newest checkpoint of a run, without its history, which has the speed."""
    from charrnn.checkpoints.find import newest_intact

    with np.load(newest_intact(folder).prefix + ".progress.npz") as progress:
        return {name: progress[name] for name in progress.files if name != "history"}


def assert_same_arrays(ours, theirs):
    """Check that two dicts have the same arrays, to the last bit."""
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def assert_same_run(folder, expected):
    """Check that two runs have the same weights, optimizer slots, progress, history and best, to the last bit."""
    from charrnn.checkpoints import record

    assert_same_arrays(weights_of(folder), weights_of(expected))
    assert_same_arrays(progress_of(folder), progress_of(expected))
    assert history_of(folder) == history_of(expected)
    assert record.read_run(folder).best == record.read_run(expected).best


@pytest.fixture
def plan_only(monkeypatch):
    """Dry runs print their plan, and build no network."""
    from charrnn.system.interrupts import StopRequests
    from charrnn.training.display import Display

    def dry_run(job, _):
        Display(job, 704, StopRequests()).plan()

    monkeypatch.setattr("charrnn.commands.train.dry_run", dry_run)


@pytest.fixture
def planned(monkeypatch):
    """The jobs that ``charrnn-train`` plans. It trains none of them."""
    jobs = []

    def train_job(job, processes):
        jobs.append(job)
        return [], None, None

    monkeypatch.setattr("charrnn.commands.train.train_job", train_job)
    return jobs


class StopAfter:
    """In place of the StopRequests of a run: SIGTERM arrives after a number of steps."""

    listening = contextlib.nullcontext

    def __init__(self, n_steps):
        self._left = n_steps

    @property
    def signal(self):
        """It is asked for once a step."""
        self._left -= 1
        return signal.SIGTERM if self._left <= 0 else None


@pytest.fixture
def run_copy(trained, tmp_path):
    """A copy of the small training run that a test may change."""
    return Path(shutil.copytree(str(trained), str(tmp_path / "run")))


def process_environment(**variables):
    """Return the environment of a process that is to find this checkout, and says no more than it must."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    environment.update((name, str(value)) for name, value in variables.items())
    return environment


def run_python(*arguments, variables=(), **options):
    """Run Python as a process that is to find this checkout; return its status, what it prints, and its errors."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        env=process_environment(**dict(variables)),
        **options,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="session")
def after_tensorflow():
    """A function that runs a program, as run_python does, in a process that has imported TensorFlow before."""
    command = [sys.executable, str(ROOT / "tests" / "after_tensorflow.py")]
    streams = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with subprocess.Popen(
        command, encoding="utf-8", env=process_environment(), **streams
    ) as process:

        def run(program, *arguments):
            line = json.dumps([program, [str(argument) for argument in arguments]])
            print(line, file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield run
        process.stdin.close()


def training_graph(
    num_classes,
    batch_size,
    num_steps,
    lstm_size,
    num_layers,
    *,
    threads=2,
    rows=None,
    average=list,
    **hyperparameters,
):
    """Return a TrainingGraph, which is fused unless the hyperparameters say something else.

    Args:
        rows: the first row of the batch that it trains on, and the row after the last.
        average: in place of what several processes do with the gradients.
    """
    from charrnn.hyperparameters import Hyperparameters
    from charrnn.training.graph import TrainingGraph

    hyper = Hyperparameters(
        batch_size=batch_size,
        num_steps=num_steps,
        lstm_size=lstm_size,
        num_layers=num_layers,
        **hyperparameters,
    )
    processes = SimpleNamespace(
        rank=0, rows=lambda batch_size: rows or (0, batch_size), average=average
    )
    return TrainingGraph(num_classes, hyper, processes, threads)


def initialize(session, seed):
    """Set the variables of the default graph to the initial values of a run with a seed."""
    from charrnn.engines.cells import initial_weights
    from charrnn.system.tensorflow import tf

    session.run(tf.global_variables_initializer())
    trained = {variable.op.name: variable for variable in tf.trainable_variables()}
    shapes = {name: tuple(variable.shape.as_list()) for name, variable in trained.items()}
    for name, values in initial_weights(shapes, seed).items():
        trained[name].load(values, session)


def make_network(folder, chars, lstm_size, num_layers, cell="lstm", gain=1.0):
    """Save a network of random weights in a folder, as the notebook's Saver would, and return its Model.

    Args:
        gain: the weights' standard deviation. With 1 the state forgets what small errors are made; with 3 or more the
            distributions differ widely from place to place, and so do the states that start out alike.
    """
    from charrnn.data import Vocabulary
    from charrnn.engines.cells import build_stack
    from charrnn.engines.trained_model import Model
    from charrnn.model import build_output
    from charrnn.system.tensorflow import tf

    random = np.random.RandomState(5)
    with tf.Graph().as_default(), tf.Session() as session:
        stack = build_stack(cell, lstm_size, num_layers)
        inputs = tf.one_hot(tf.zeros([1, 2], tf.int32), len(chars))
        outputs, _ = tf.nn.dynamic_rnn(stack, inputs, dtype=tf.float32)
        build_output(outputs, lstm_size, len(chars))
        session.run(tf.global_variables_initializer())
        for variable in tf.trainable_variables():
            variable.load(gain * random.standard_normal(variable.shape.as_list()), session)
        path = Path(str(folder)) / f"i1_l{lstm_size}.ckpt"
        prefix = tf.train.Saver().save(session, str(path))
        variables = {variable.op.name: variable for variable in tf.trainable_variables()}
        weights = session.run(variables)
    return Model(prefix, Vocabulary(chars), weights)


def signed_npz(members, compression=zipfile.ZIP_STORED):
    """Return a zip file of members, a dict, with the checksum that fits, as somebody who crafts one would."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    # The checksum is the comment of the archive, whose length stands at its end.
    content = buffer.getvalue()[:-2] + (64).to_bytes(2, "little")
    return content + hashlib.sha256(content).hexdigest().encode()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def graph_probabilities(checkpoint, ids, window):
    """Return what the cells of TensorFlow give each next character of texts, the state carried between windows.

    Args:
        checkpoint: a Model.
        ids: int array [B, T].
        window: M, steps of one session call.

    Returns:
        float32 [B, T, C].
    """
    from charrnn.engines.cells import build_stack
    from charrnn.model import build_output
    from charrnn.system.tensorflow import tf

    rows = len(ids)
    num_classes = len(checkpoint.vocabulary)
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = tf.placeholder(tf.int32, [rows, None])
        stack = build_stack(checkpoint.cell, checkpoint.lstm_size, checkpoint.num_layers)
        zero = stack.zero_state(rows, tf.float32)
        one_hot = tf.one_hot(inputs, num_classes)  # [B, M, C]
        outputs, final_state = tf.nn.dynamic_rnn(stack, one_hot, initial_state=zero)  # [B, M, L]
        prediction, _ = build_output(outputs, checkpoint.lstm_size, num_classes)  # [B·M, C]
        for variable in tf.trainable_variables():
            variable.load(checkpoint.weights[variable.op.name], session)
        state = session.run(zero)
        windows = []
        for start in range(0, ids.shape[1], window):
            feed = {inputs: ids[:, start : start + window], zero: state}
            probabilities, state = session.run([prediction, final_state], feed)
            windows.append(probabilities.reshape(rows, -1, num_classes))
    return np.concatenate(windows, axis=1)


def copying(training):
    """Return a function for ``allow`` that would copy a text, and each of its loops."""

    def allow(text):
        sizes = [size for size in (9, 4, 2, 1) if text[-size:] in training[:-1]]
        place = training.index(text[-sizes[0] :]) + min(sizes[0], len(text))
        return {**dict.fromkeys(training, 1.0), training[place]: 3_000}

    return allow


@pytest.fixture(scope="session")
def exported(trained):
    """The small run as an exported model. Not to be changed."""
    from charrnn.engines.opening import open_model

    path = trained.parent / "small.npz"
    open_model(trained).save(path)
    return path


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """A Model of a network whose distributions differ from place to place: three layers of L = 7 units."""
    return make_network(tmp_path_factory.mktemp("network"), CHARS, 7, 3, gain=1.2)


@pytest.fixture(scope="session")
def engines(network, tmp_path_factory):
    """That network in a GraphEngine and in a NumpyLSTM."""
    from charrnn.engines.opening import open_model

    path = tmp_path_factory.mktemp("engines") / "network.npz"
    network.save(path)
    both = [graph_engine(network), open_model(path).engine()]
    yield both
    for engine in both:
        engine.close()


def graph_engine(checkpoint):
    """Return a GraphEngine with the weights of a checkpoint."""
    from charrnn.engines.graph_engine import GraphEngine

    engine = GraphEngine(
        checkpoint.vocabulary, checkpoint.lstm_size, checkpoint.num_layers, checkpoint.cell
    )
    engine.load(checkpoint.weights)
    return engine


def texts_of(engine, prime, length, settings=None, seed=4, rows=1):
    """Return texts that an engine writes after a prime, the first from a seed, the next from those that follow."""
    from charrnn.checkpoints.writing import Writing
    from charrnn.engines.sampler import Sampler

    samples = Sampler(engine, rows).write(prime, length, settings or Writing(), seed)
    return [sample.text for sample in samples]


def interrupted_at(function, call):
    """Return a function that does as another does, and at a later call is interrupted by Ctrl-C."""
    calls = []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return function(*args)

    return interrupted


@pytest.fixture
def interrupt_text(monkeypatch):
    """A function after whose call Ctrl-C interrupts texts of a model in NumPy, at a piece with this number."""
    from charrnn.engines.numpy_lstm import NumpyLSTM

    def interrupt(number):
        interrupted = interrupted_at(NumpyLSTM.feed, number)
        monkeypatch.setattr(NumpyLSTM, "feed", interrupted)

    return interrupt


@contextlib.contextmanager
def called_after_steps(function):
    """Let a function be called after each step of training, with its number."""
    usual = charrnn.train.TrainingLoop.check_step

    def check_step(training, step, *measured):
        usual(training, step, *measured)
        function(step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charrnn.train.TrainingLoop, "check_step", check_step)
        yield


@pytest.fixture(scope="module")
def old_tf():
    """What a program for TensorFlow 1 imports."""
    from charrnn import old

    old.install()
    import tensorflow

    yield tensorflow
    old.uninstall()


@pytest.fixture(scope="session")
def notebook():
    """The definitions of the solution notebook, run as they stand there."""
    from charrnn.system.tensorflow import tf

    cells = json.loads(SOLUTION.read_text(encoding="utf-8"))["cells"]
    names = [
        "get_batches",
        "build_inputs",
        "build_lstm",
        "build_output",
        "build_loss",
        "build_optimizer",
        "CharRNN",
        "pick_top_n",
        "generate_ids",
        "sample",
    ]
    scope = {"np": np, "tf": tf, "num_layers": 2, "checks": _Silent(), "given": _Silent()}
    for cell in cells:
        tags = cell["metadata"].get("tags", [])
        if set(names) & set(tags):
            exec("".join(cell["source"]), scope)
    definitions = {name: scope[name] for name in names}
    return SimpleNamespace(scope=scope, **definitions)


class _Silent:
    """Replaces the modules of the notebooks, checks and given, which the tests of the notebooks run."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: True
