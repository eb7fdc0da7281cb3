"""A run while it trains: the loop, dropout, schedules, kinds of networks, validation, samples and failed saves."""
import contextlib
import gc
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    TEXT,
    VALIDATED_FLAGS,
    StopAfter,
    history_of,
    losses_of,
    needs_contrib,
    overfitting_text,
    resume,
    train_small,
    weights_of,
)

from charrnn import checkpoints
from charrnn.checkpoints import Progress
from charrnn.commands import evaluate, sample, train
from charrnn.data import Vocabulary, get_batches, split
from charrnn.engines.loading import load_engine
from charrnn.engines.opened_model import open_model
from charrnn.engines.surprisal import surprisal
from charrnn.model import CharRNN
from charrnn.sample import sample as write_text
from charrnn.system import files
from charrnn.system.tensorflow import tf
from charrnn.text.corpus import Text
from charrnn.train import train_model
from charrnn.training import trainer
from charrnn.training.distributed import Processes
from charrnn.training.graph import build_graph
from charrnn.training.hyperparameters import Hyperparameters
from charrnn.training.job import Options, plan_job

QUIET = ["--sample-length", "0", "--no-summaries"]


def names_of(folder):
    return [os.path.basename(prefix) for prefix in checkpoints.list_checkpoints(folder)]


# The loop


@pytest.fixture(scope="module")
def undropped(tmp_path_factory):
    """The folder of a run without dropout, on the notebook's graph. Not to be changed."""
    folder = tmp_path_factory.mktemp("undropped")
    (folder / "text").write_text(TEXT)
    assert train_small(folder / "text", folder / "run", *QUIET, "--keep-prob", "1", "--epochs", "2", "--no-fused",
                       "--learning-rate", "0.002", "--grad-clip", "0.1") == 0
    return folder / "run"


def first_loss(folder):
    with np.load(str(folder / "i100_l5.ckpt.progress.npz")) as progress:
        return progress["epoch_losses"][0]


def test_it_does_what_the_loop_of_the_notebook_does(undropped):
    """The losses are those of a plain loop: the state is zero at the start of an epoch, then carried."""
    encoded = Vocabulary.from_text(TEXT).encode(TEXT)
    model = CharRNN(14, 2, 3, 5, 2, 0.002, 0.1, seed=7)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(2):
            state, losses = session.run(model.initial_state), []
            for x, y in get_batches(encoded, 2, 3):
                loss, state, _ = session.run(
                    [model.loss, model.final_state, model.optimizer],
                    {model.inputs: x, model.targets: y, model.keep_prob: 1, model.initial_state: state})
                losses.append(loss)
    np.testing.assert_array_equal(losses_of(undropped), losses)


def test_dropout_is_on(undropped, trained):
    """With the same initial weights, the first loss depends on what is dropped."""
    assert 1e-4 < abs(first_loss(trained) - first_loss(undropped)) < 0.1


def test_the_learning_rate_follows_the_schedule(text_file, tmp_path):
    """Adam's first step moves a weight by the rate itself, which is a quarter after a warm-up step of 4."""
    assert train_small(
        text_file, tmp_path / "run", *QUIET, "--keep-prob", "1", "--learning-rate", "0.02", "--schedule", "linear",
        "--warmup-steps", "4", "--epochs", "2", "--num-steps", "130", "--print-every-n", "1",
        "--save-every-n", "1") == 0
    CharRNN(14, 2, 3, 5, 2, seed=7, fused=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run(tf.trainable_variables("softmax/Variable_1")[0])
    reader = tf.train.NewCheckpointReader(str(tmp_path / "run" / "i1_l5.ckpt"))
    np.testing.assert_allclose(np.abs(reader.get_tensor("softmax/Variable_1") - before), 0.005, rtol=1e-3)
    assert [float(row["learning_rate"]) for row in history_of(tmp_path / "run")] == pytest.approx(
        [0.005, 0.01, 0.015, 0.02, 0.02, 0.015, 0.01, 0.005])


def test_a_loss_that_is_not_finite_ends_the_run(trained, tmp_path, capsys):
    """No checkpoint is made of it, so the run can be resumed from the one before."""
    folder = tmp_path / "run"
    shutil.copytree(str(trained), str(folder))
    assert resume(folder, "--epochs", "2", "--learning-rate", "1e38") == 2
    err = capsys.readouterr().err
    assert re.search(r"at step 17[56] the loss is (nan|inf) and the norm of the gradients is (nan|inf)", err)
    assert "Earlier checkpoints are intact: resume from the last one with a lower" in err
    assert "learning_rate (now 1e+38)" in err and "grad_clip (now 5)" in err and err.count("\n") == 1
    assert names_of(folder) == ["i100_l5.ckpt", "i173_l5.ckpt"]
    assert checkpoints.newest_intact(folder).prefix == str(folder / "i173_l5.ckpt")


def test_gradients_that_are_not_finite_end_the_run(text_file, tmp_path, monkeypatch, capsys):
    """Even if the loss still is finite, because the weights are lost already."""
    usual = CharRNN.__init__

    def init(self, *args, **kwargs):
        usual(self, *args, **kwargs)
        self.gradient_norm = tf.constant(np.inf)

    monkeypatch.setattr(CharRNN, "__init__", init)
    assert train_small(text_file, tmp_path / "run", "--warmup-steps", "100") == 2
    err = capsys.readouterr().err
    assert re.search(r"at step 1 the loss is 2\.\d+ and the norm of the gradients is inf, so training stops\. There "
                     r"is no checkpoint yet: resume from the beginning with a lower learning_rate \(now 0\.001\)", err)
    assert not list((tmp_path / "run").glob("*.ckpt.*"))


def test_a_validation_loss_that_is_not_finite_ends_the_run(text_file, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(trainer, "surprisal", lambda *args: np.array([np.nan]))
    assert train_small(text_file, tmp_path / "run", *QUIET, "--val-fraction", "0.25", "--eval-every-n", "5") == 2
    err = capsys.readouterr().err
    assert "the validation loss is nan, so training stops. There is no checkpoint yet" in err and err.count("\n") == 1
    assert not list((tmp_path / "run").glob("*.ckpt.*"))


def test_a_run_from_another_model_has_a_checkpoint_to_continue_from(trained, text_file, tmp_path, capsys):
    assert train.main([str(text_file), "--init-from", str(trained), "--num-steps", "9", "--learning-rate", "1e38",
                       "--checkpoint-dir", str(tmp_path / "run"), *QUIET]) == 2
    assert "Earlier checkpoints are intact: resume from the last one" in capsys.readouterr().err
    assert names_of(tmp_path / "run") == ["i0_l5.ckpt"]


def test_a_loss_that_is_not_finite_is_an_error_in_each_process(tmp_path):
    class Second(Processes):
        rank, size = 1, 2

        def from_first(self, function):
            return Progress(0, np.zeros((4, 2, 5), np.float32), np.zeros(0, np.float32))

    job = plan_job(Text("small", TEXT), Hyperparameters(batch_size=2, num_steps=3, lstm_size=5), tmp_path, Options())
    tf.reset_default_graph()
    with contextlib.closing(trainer.Trainer(job, Second())) as run:
        run.begin()
        with pytest.raises(ValueError, match="the loss is nan"):
            run.check_finite(1, float("nan"), 1.0)


def test_a_step_that_makes_the_weights_useless_is_not_saved(text_file, tmp_path, capsys):
    """With this rate, the loss before the first update is finite, and so are its gradients."""
    assert train_small(text_file, tmp_path / "run", *QUIET, "--learning-rate", "1e38", "--save-every-n", "1") == 2
    err = capsys.readouterr().err
    assert "at step 1 the weights are not finite, or too large to be used" in err and err.count("\n") == 1
    assert "a lower --learning-rate (now 1e+38)" in err and not list((tmp_path / "run").glob("*.ckpt.*"))


# Kinds of networks


@pytest.mark.slow
@pytest.mark.parametrize("flags", [
    ["--cell", "gru", "--optimizer", "rmsprop", "--average-decay", "0.9", "--val-fraction", "0.3"],
    ["--cell", "rnn", "--input-keep-prob", "0.9"],
    *[pytest.param(["--cell", cell], marks=needs_contrib) for cell in ("layer-norm-lstm", "nas")]])
def test_each_kind_of_network_learns_and_can_be_used(text_file, tmp_path, capsys, flags):
    """It can be sampled from, evaluated and resumed."""
    folder = tmp_path / "run"
    assert train_small(text_file, folder, *QUIET, "--lstm-size", "20", "--num-steps", "7", "--epochs", "5",
                       "--learning-rate", "0.01", "--keep-prob", "1", "--print-every-n", "1", *flags) == 0
    losses = [float(row["loss"]) for row in history_of(folder)]
    first, last = np.mean(losses[:10]), np.mean(losses[-30:])
    assert last < first - 0.7 and capsys.readouterr().err == ""
    assert open_model(folder).cell == (flags[1] if flags[0] == "--cell" else "lstm")
    assert sample.main([str(folder), "--length", "30", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert len(out) == len("the ") + 30 + 1 and not Vocabulary.from_text(TEXT).unknown(out)
    assert evaluate.main([str(folder), str(text_file)]) == 0
    nats = float(re.search("^this model +([0-9.]+) ", capsys.readouterr().out, re.MULTILINE).group(1))
    assert nats < first - 0.6
    assert resume(folder, "--epochs", "6", "--no-summaries") == 0
    losses = [float(row["loss"]) for row in history_of(folder)]
    assert np.mean(losses[-30:]) < last + 0.1


# Validation


def test_training_ends_after_evaluations_without_improvement(stopped_early):
    losses = {int(row["step"]): float(row["val_loss"]) for row in history_of(stopped_early) if row["val_loss"]}
    steps = sorted(losses)
    best, last = min(losses, key=losses.get), steps[-1]
    assert steps == [step for step in range(1, last + 1) if step % 15 == 0 or step % 100 == 0]
    assert steps.index(last) == steps.index(best) + 3 and 0 < best < last < 390
    assert checkpoints.read_run(stopped_early).best == f"i{best}_l9.ckpt"
    assert names_of(stopped_early) == [f"i{best}_l9.ckpt", f"i{last}_l9.ckpt"]  # and not those between


@pytest.mark.slow
def test_the_validation_loss_is_of_the_running_averages(tmp_path):
    """They are what the run is used with."""
    text, folder = overfitting_text(tmp_path / "text"), tmp_path / "run"
    assert train_small(text, folder, *VALIDATED_FLAGS, "--average-decay", "0.95", "--epochs", "1") == 0
    model, variables = open_model(folder), weights_of(folder)
    for name, values in model.weights.items():
        np.testing.assert_array_equal(values, variables[name + checkpoints.AVERAGE])
        assert (values != variables[name]).any()
    _, held_out, _ = split(model.vocabulary.encode(text.read_text()), 0.25)
    loss = surprisal(load_engine(model), held_out).mean(dtype=np.float64)
    assert float(history_of(folder)[-1]["val_loss"]) == pytest.approx(loss, abs=1e-5)


@pytest.mark.slow
def test_the_test_loss_is_of_the_best_checkpoint_and_printed_once(tmp_path, monkeypatch, capsys):
    """At the end of a run, not when it is stopped; it is what ``charrnn-evaluate --test --best`` measures."""
    text, folder = overfitting_text(tmp_path / "text"), tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "StopRequests", lambda: StopAfter(50))
        assert train_small(text, folder, *VALIDATED_FLAGS, "--val-fraction", "0.15", "--test-fraction", "0.1",
                           "--epochs", "2") == 128 + 15
    out = capsys.readouterr().out
    assert "test     the last 104 characters, evaluated once at the end" in out and "test loss" not in out
    assert resume(folder) == 0
    best = checkpoints.read_run(folder).best
    (loss, name), = re.findall("^test loss ([0-9.]+), of (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert name == best != checkpoints.list_checkpoints(folder)[-1].split("/")[-1]
    assert evaluate.main(["--test", "--best", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "test text of " in out and "104 characters, 103 of them predicted" in out
    assert float(re.search("this model +([0-9.]+)", out).group(1)) == pytest.approx(float(loss), abs=2e-4)


@pytest.mark.slow
def test_the_test_text_is_neither_trained_nor_validated_on(text_file, tmp_path):
    """What stands in it does not change a run."""
    losses = []
    for name in ("here", "other"):
        path = tmp_path / name
        path.write_text(TEXT[:832] + (TEXT[832:] if name == "here" else TEXT[832:][::-1]))
        assert train_small(path, tmp_path / f"{name}.run", *QUIET, "--val-fraction", "0.1", "--test-fraction", "0.2",
                           "--num-steps", "30") == 0
        losses.append(history_of(tmp_path / f"{name}.run"))
    assert losses[0] == losses[1]


# Checkpoints and samples


@pytest.mark.parametrize("flags", [
    ["--average-decay", "0.9"], pytest.param(["--cell", "gru"], marks=pytest.mark.slow)])
def test_a_sample_is_what_the_sampling_script_writes(text_file, tmp_path, capsys, monkeypatch, flags):
    """It is the output of ``charrnn-sample CHECKPOINT --seed STEP``. NumPy's global generator is not used for it.

    The sample of an LSTM is written without a graph.
    """
    if "--cell" not in flags:
        monkeypatch.setattr("charrnn.training.trainer.GraphEngine", None)
    np.random.seed(0)
    expected = np.random.RandomState(0).random_sample()
    assert train_small(text_file, tmp_path / "run", "--learning-rate", "0.05", "--keep-prob", "1", "--num-steps", "10",
                       "--save-every-n", "30", *flags) == 0
    assert np.random.random_sample() == expected
    samples = capsys.readouterr().out.split("-" * 70 + "\n")[1::2]
    for step, text in zip((30, 52), samples):
        assert sample.main([str(tmp_path / "run" / f"i{step}_l5.ckpt"), "--seed", str(step), "--length", "200"]) == 0
        assert text == capsys.readouterr().out
    assert len(samples) == 2 and samples[0] != samples[1]


@pytest.fixture
def failing_saves(monkeypatch):
    """A set of steps at which saving fails."""
    usual, steps = checkpoints.save, set()

    def save(session, saver, folder, lstm_size, progress, *args):
        if progress.step in steps:
            raise OSError(f"the checkpoint i{progress.step} could not be saved: No space left on device")
        return usual(session, saver, folder, lstm_size, progress, *args)

    monkeypatch.setattr(checkpoints, "save", save)
    return steps


@pytest.mark.slow
def test_a_best_that_could_not_be_saved_does_not_hide_later_ones(text_file, tmp_path, failing_saves, monkeypatch):
    """The best is the best of those that are saved."""
    losses = iter([3.0, 1.0, 2.0])  # after steps 50, 100 and 130
    monkeypatch.setattr(trainer, "surprisal", lambda *args: np.array([next(losses)]))
    failing_saves.add(100)
    assert train_small(text_file, tmp_path / "run", *QUIET, "--val-fraction", "0.25", "--save-every-n", "50") == 0
    assert checkpoints.read_run(tmp_path / "run").best == "i130_l5.ckpt"
    progress = checkpoints.read_progress(str(tmp_path / "run" / "i130_l5.ckpt"))
    assert (progress.best_step, progress.best_loss, progress.evals_since_best) == (130, 2.0, 0)


@pytest.mark.slow
def test_a_best_that_is_damaged_does_not_hide_later_ones(text_file, tmp_path, monkeypatch, capsys):
    losses = iter([1.0, 3.0, 2.0])
    monkeypatch.setattr(trainer, "surprisal", lambda *args: np.array([next(losses)]))
    flags = [*QUIET, "--val-fraction", "0.25", "--save-every-n", "65"]
    assert train_small(text_file, tmp_path / "run", *flags) == 0
    (tmp_path / "run" / "i65_l5.ckpt.index").unlink()
    capsys.readouterr()
    assert resume(tmp_path / "run", "--epochs", "2", "--save-every-n", "300", "--no-summaries") == 0
    assert "the best checkpoint i65_l5.ckpt is damaged" in capsys.readouterr().out
    assert checkpoints.read_run(tmp_path / "run").best == "i260_l5.ckpt"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run.json", "checkpoint"])
def test_a_last_save_that_cannot_name_its_checkpoint_is_an_error(text_file, tmp_path, monkeypatch, capsys, name):
    """Resuming repairs it."""
    usual = files.write_atomically

    def write(path, data):
        if os.path.basename(str(path)) == name and (tmp_path / "run" / "i130_l5.ckpt.json").exists():
            raise OSError(28, "No space left on device")
        usual(path, data)

    losses = iter([2.0, 1.0])
    monkeypatch.setattr(trainer, "surprisal", lambda *args: np.array([next(losses)]))
    with monkeypatch.context() as patch:
        patch.setattr(files, "write_atomically", write)
        assert train_small(text_file, tmp_path / "run", *QUIET, "--val-fraction", "0.25") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert resume(tmp_path / "run", "--no-summaries") == 0
    assert checkpoints.read_run(tmp_path / "run").best == "i130_l5.ckpt"


def test_training_continues_after_a_failed_save(text_file, tmp_path, failing_saves, capsys):
    failing_saves.add(3)
    assert train_small(text_file, tmp_path / "run", *QUIET, "--num-steps", "100", "--save-every-n", "3") == 0
    out, err = capsys.readouterr()
    assert err == ("charrnn-train: the checkpoint i3 could not be saved: No space left on device; earlier "
                   "checkpoints are intact, and training continues\n")
    assert out.count("saved ") == 1 and "step 5/5" in out


def test_a_failed_last_save_is_an_error(text_file, tmp_path, failing_saves, capsys):
    failing_saves.add(5)
    assert train_small(text_file, tmp_path / "run", *QUIET, "--num-steps", "100") == 2
    assert "charrnn-train: error: the checkpoint i5 could not be saved" in capsys.readouterr().err


# The folder


def test_a_run_whose_folder_was_moved_writes_nothing_into_the_next_one(text_file, trained, tmp_path, monkeypatch,
                                                                       capsys):
    """No checkpoint, history or summary."""
    run, usual, before = tmp_path / "run", trainer.Trainer.check_finite, {}

    def check(self, step, *measured):
        usual(self, step, *measured)
        if step == 3:
            run.rename(tmp_path / "moved")
            shutil.copytree(str(trained), str(run))
            before.update(content_of(run))

    monkeypatch.setattr(trainer.Trainer, "check_finite", check)
    assert train_small(text_file, run, "--sample-length", "0", "--num-steps", "100", "--print-every-n", "2",
                       "--save-every-n", "4") == 2
    assert content_of(run) == before
    assert capsys.readouterr().err == (
        f"charrnn-train: nothing is written to {run}: the folder in which this training began was moved or removed, or "
        "another process trains in it; earlier checkpoints are intact, and training continues\n"
        f"charrnn-train: error: nothing is written to {run}: the folder in which this training began was moved or "
        "removed, or another process trains in it\n")


def content_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# Many runs in one process


@pytest.mark.parametrize("settings", [dict(fused=False), dict(cell="gru")])
def test_a_seed_that_is_given_fixes_the_dropout_of_dynamic_rnn(tmp_path, settings):
    """With several threads, which run its iterations in any order otherwise."""
    small = dict(batch_size=2, num_steps=40, lstm_size=64, epochs=2, threads=4, seed=7, keep_prob=0.5, sample_length=0,
                 summaries=False, quiet=True, **settings)
    runs = [train_model(TEXT, tmp_path / str(number), **small).losses.tolist() for number in range(3)]
    assert runs[0] == runs[1] == runs[2]


def test_a_run_whose_seed_is_new_takes_the_notebooks_graph(tmp_path, monkeypatch):
    built = []
    monkeypatch.setattr("charrnn.training.network.build_graph",
                        lambda *args: built.append(build_graph(*args)) or built[0])
    train_model(TEXT, tmp_path, batch_size=2, num_steps=500, lstm_size=5, epochs=1, fused=False, sample_length=0,
                quiet=True)
    assert type(built[0]) is CharRNN


def resources():
    """Return the memory in MB, the open files and the threads of this process, and the graphs in its memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return (pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir("/proc/self/fd")),
            len(os.listdir("/proc/self/task")), sum(isinstance(each, tf.Graph) for each in gc.get_objects()))


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs Linux")
@pytest.mark.parametrize("calls", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_calls_from_python_keep_nothing(tmp_path, calls):
    """Neither memory nor descriptors, threads or graphs, once the first ones have made what all use."""
    measured = []
    for number in range(2 + calls):
        train_model(TEXT, tmp_path / str(number), batch_size=2, num_steps=500, lstm_size=5, epochs=1, quiet=True)
        write_text(tmp_path / str(number), 20)
        shutil.rmtree(str(tmp_path / str(number)))
        measured.append(resources())
    memory, *others = zip(*measured[1 + calls // 10:])
    assert memory[-1] - memory[0] < 40  # a call that keeps its graph keeps 10 MB or more
    assert all(values[-1] <= values[0] for values in others), others
