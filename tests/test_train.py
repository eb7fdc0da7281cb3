"""The training script: in process, as a process, stopped, resumed, and given bad input."""
import contextlib
import fcntl
import hashlib
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import SMALL_FLAGS, TEXT

from charrnn import checkpoint, corpus, train
from charrnn.data import Vocabulary, get_batches
from charrnn.model import CharRNN
from charrnn.train import Hyperparameters, check_memory, check_text, count_parameters

LINE = re.compile(r"epoch (\d+)/(\d+)  step (\d+)/(\d+)  loss (\d+\.\d{4})  \d+\.\d{4} s/batch")


def run(text_file, folder, *flags):
    return train.main([str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(folder), *flags])


def losses_of(folder):
    """The losses of the last epoch so far, as the newest checkpoint keeps them."""
    prefix = checkpoint.latest_checkpoint(folder)
    return checkpoint.read_progress(prefix, (2, 2, 2, 5)).epoch_losses


def weights_of(folder):
    reader = tf.train.NewCheckpointReader(checkpoint.latest_checkpoint(folder))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_what_it_says(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--epochs", "2", "--sample-length", "12") == 0
    out, err = capsys.readouterr()
    lines = out.split("\n")
    assert lines[:5] == [
        "text     {}, 1,040 characters, 14 distinct".format(text_file),
        "windows  173 an epoch of 2 x 3, 2 characters left over",
        "network  2 layers of 5 units, 704 parameters",
        "steps    346 in 2 epochs, seed 7",
        "folder   {}, a checkpoint every 100 steps".format(tmp_path / "run")]
    steps = [LINE.fullmatch(line).groups() for line in lines if LINE.fullmatch(line)]
    assert [(int(epoch), int(step)) for epoch, _, step, _, _ in steps] == [
        (1, 50), (1, 100), (1, 150), (2, 200), (2, 250), (2, 300), (2, 346)]
    assert {(epochs, total) for _, epochs, _, total, _ in steps} == {("2", "346")}
    saved = re.findall("saved (.*)", out)
    assert [os.path.basename(path) for path in saved] == [
        "i100_l5.ckpt", "i200_l5.ckpt", "i300_l5.ckpt", "i346_l5.ckpt"]
    assert "epoch 2/2  mean loss {:.4f}".format(np.mean(losses_of(tmp_path / "run"))) in lines
    prime = "\n"  # this text has no "T", so not "The "
    samples = out.split("-" * 70 + "\n")[1::2]
    assert all(sample.startswith(prime) and len(sample) == 1 + 12 + 1 for sample in samples)
    assert len(samples) == 4 and err == ""


def test_it_learns(text_file, tmp_path):
    assert run(text_file, tmp_path / "run", "--learning-rate", "0.02", "--keep-prob", "1", "--lstm-size", "20",
               "--num-steps", "7", "--epochs", "8", "--sample-length", "0") == 0
    progress = checkpoint.read_progress(checkpoint.latest_checkpoint(tmp_path / "run"), (2, 2, 2, 20))
    assert progress.epoch_losses[-20:].mean() < 0.5  # it began near ln 14 = 2.64


def test_it_does_what_the_loop_of_the_notebook_does(text_file, tmp_path):
    """The same losses as a plain loop: state zeroed once an epoch, fed back window by window."""
    assert run(text_file, tmp_path / "run", "--keep-prob", "1", "--epochs", "2", "--sample-length", "0",
               "--no-fused", "--learning-rate", "0.002", "--grad-clip", "0.1") == 0
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
    np.testing.assert_array_equal(losses_of(tmp_path / "run"), losses)


def test_dropout_is_on_in_training(text_file, tmp_path):
    """From the same weights, the first loss differs by what was dropped."""
    first = []
    for keep_prob in ("1", "0.5"):
        assert run(text_file, tmp_path / keep_prob, "--keep-prob", keep_prob, "--sample-length", "0") == 0
        first.append(losses_of(tmp_path / keep_prob)[0])
    assert first[0] != first[1] and first[0] == pytest.approx(first[1], abs=0.1)


class Interrupt:
    """Stands for the trainer's signals: asks it to stop after a number of steps."""

    def __init__(self, after):
        self.left = after

    @property
    def signal(self):
        self.left -= 1  # it is asked once a step
        return signal.SIGTERM if self.left <= 0 else None


@pytest.mark.parametrize("stops, graph", [
    ([1], []), ([172], []), ([173], []), ([174], []), ([40, 100, 33, 60], []),
    ([40, 140], ["--no-fused", "--keep-prob", "1"])])
def test_a_resumed_run_is_the_run_that_was_not_stopped(text_file, tmp_path, monkeypatch, capsys, stops, graph):
    """To the last bit: step, epoch, place in the text, LSTM state, weights, Adam, the fused graph's masks."""
    flags = ["--epochs", "2", "--sample-length", "0", *graph]
    assert run(text_file, tmp_path / "whole", *flags) == 0
    resume, step = [], 0
    for after in stops:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(train, "_stop_requests", lambda after=after: contextlib.nullcontext(Interrupt(after)))
            assert run(text_file, tmp_path / "parts", *flags, *resume) == 128 + signal.SIGTERM
        out = capsys.readouterr().out
        assert "resumed  after step {},".format(step) in out or not resume
        resume, step = ["--resume"], step + after
        assert (tmp_path / "parts" / "i{}_l5.ckpt.index".format(step)).exists()
        assert "stopped by SIGTERM after step {};".format(step) in out
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path / "parts"), "--sample-length", "0"]) == 0
    epoch_mean = "epoch 2/2  mean loss {:.4f}".format(np.mean(losses_of(tmp_path / "whole")))
    assert epoch_mean in capsys.readouterr().out
    np.testing.assert_array_equal(losses_of(tmp_path / "parts"), losses_of(tmp_path / "whole"))
    expected = weights_of(tmp_path / "whole")
    for name, value in weights_of(tmp_path / "parts").items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_a_run_whose_list_of_checkpoints_is_lost_is_not_begun_again(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--sample-length", "0") == 0
    (tmp_path / "run" / "checkpoint").unlink()
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]) == 0
    assert "resumed  after step 173, 0 to go" in capsys.readouterr().out


def test_a_run_whose_newest_checkpoint_is_gone_is_not_begun_again(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--sample-length", "0") == 0
    (tmp_path / "run" / "i173_l5.ckpt.index").unlink()
    capsys.readouterr()
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "is gone; there is still" in err


def test_old_checkpoints_go_and_the_list_has_no_folders(text_file, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "MAX_TO_KEEP", 2)
    assert run(text_file, tmp_path / "run", "--save-every-n", "40", "--sample-length", "0") == 0
    assert sorted(path.name for path in (tmp_path / "run").glob("*.index")) == [
        "i160_l5.ckpt.index", "i173_l5.ckpt.index"]
    assert "/" not in (tmp_path / "run" / "checkpoint").read_text()


def test_samples_are_of_the_checkpoint_and_leave_the_callers_generator_alone(text_file, tmp_path, capsys):
    """Each is what the saved checkpoint writes with the step as its seed."""
    from charrnn.checkpoint import open_checkpoint
    from charrnn.sample import Sampler
    np.random.seed(0)
    expected_draw = np.random.RandomState(0).random_sample()
    assert run(text_file, tmp_path / "run", "--learning-rate", "0.05", "--keep-prob", "1") == 0
    assert np.random.random_sample() == expected_draw
    samples = capsys.readouterr().out.split("-" * 70 + "\n")[1::2]
    for step, text in zip((100, 173), samples):
        sampler = Sampler(open_checkpoint(tmp_path / "run" / "i{}_l5.ckpt".format(step)))
        pieces = sampler.generate("\n", 200, rngs=[np.random.RandomState(step)])
        assert text == "\n" + "".join(piece for piece, in pieces) + "\n"
        sampler.close()
    assert len(samples) == 2 and samples[0] != samples[1]


def test_a_loss_that_is_not_finite_ends_the_run(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--learning-rate", "1e300") == 2
    err = capsys.readouterr().err
    assert "the loss is nan at step" in err and "--learning-rate" in err and err.count("\n") == 1
    assert not list((tmp_path / "run").glob("*.index"))


def test_the_encoding_is_heeded(tmp_path, capsys):
    path = tmp_path / "latin"
    path.write_bytes((TEXT + "\xe9").encode("latin-1"))
    assert run(path, tmp_path / "run", "--encoding", "latin-1", "--sample-length", "0") == 0
    assert checkpoint.read_run(tmp_path / "run").vocabulary.chars[-1] == "\xe9"
    capsys.readouterr()
    flags = ["--resume", "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]
    assert train.main(flags) == 0  # the encoding is that of the run
    assert train.main([*flags, "--encoding", "cp1252"]) == 2
    assert "the encoding latin-1" in capsys.readouterr().err


def test_resuming_says_so_and_may_go_further(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--sample-length", "0") == 0
    (tmp_path / "run").rename(tmp_path / "moved")
    capsys.readouterr()
    flags = ["--resume", "--checkpoint-dir", str(tmp_path / "moved"), "--sample-length", "0"]
    assert train.main(flags) == 0
    assert "resumed  after step 173, 0 to go" in capsys.readouterr().out
    assert train.main([*flags, "--epochs", "2", "--learning-rate", "0.002"]) == 0
    assert "resumed  after step 173, 173 to go" in capsys.readouterr().out
    hyperparameters = checkpoint.read_run(tmp_path / "moved").hyperparameters
    assert (hyperparameters["epochs"], hyperparameters["learning_rate"]) == (2, 0.002)
    names = [os.path.basename(path) for path in checkpoint.list_checkpoints(tmp_path / "moved")]
    assert names == ["i100_l5.ckpt", "i173_l5.ckpt", "i200_l5.ckpt", "i300_l5.ckpt", "i346_l5.ckpt"]


def test_resuming_a_run_that_was_stopped_before_its_first_checkpoint(text_file, tmp_path, capsys):
    assert run(text_file, tmp_path / "run", "--sample-length", "0") == 0
    for path in (tmp_path / "run").iterdir():
        if path.name != "run.json":
            path.unlink()
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]) == 0
    assert "resumed  after step 0, 173 to go" in capsys.readouterr().out


@pytest.mark.parametrize("flags, message", [
    (["--batch-size", "3"], "batch_size 2, which --resume cannot change to 3"),
    (["--seed", "8"], "seed 7, which --resume cannot change to 8"),
    (["python"], "was trained on"),
    (["--epochs", "0"], "epochs")])
def test_resume_refuses(trained, capsys, flags, message):
    before = sorted(path.stat().st_mtime_ns for path in trained.iterdir())
    assert train.main([*flags, "--resume", "--checkpoint-dir", str(trained)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err
    assert sorted(path.stat().st_mtime_ns for path in trained.iterdir()) == before


def test_resume_with_no_run_or_with_a_notebooks(trained, tmp_path, capsys):
    assert train.main(["--resume", "--checkpoint-dir", str(tmp_path)]) == 2
    assert "there is no run in" in capsys.readouterr().err


@pytest.mark.parametrize("name, message", [
    ("missing.txt", "No such file"), ("", "Is a directory"), ("empty", "is empty"), ("binary", "--encoding"),
    ("one", "one distinct character"), ("\0", "cannot read the text"),
    ("short", "what fits: batch_size at most 1 with num_steps 3"),
    ("shorter", "batch_size 1 with num_steps at most 2")])
def test_bad_texts(tmp_path, capsys, name, message):
    contents = {"empty": b"", "binary": b"\xff\xd8\xff\xe0", "one": b"aaaaaaaaaa", "short": b"abcab",
                "shorter": b"ab"}
    if name in contents:
        (tmp_path / name).write_bytes(contents[name])
    assert run(tmp_path / name, tmp_path / "run", "--batch-size", "5") == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-train: error: ")
    assert message in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flags", [
    ["--batch-size", "0"], ["--num-steps", "-1"], ["--lstm-size", "0"], ["--lstm-size", "ten"],
    ["--lstm-size", "10000000"], ["--num-layers", "0"], ["--learning-rate", "0"], ["--learning-rate", "nan"],
    ["--learning-rate", "inf"], ["--keep-prob", "0"], ["--keep-prob", "1.01"], ["--grad-clip", "-5"],
    ["--epochs", "0"], ["--print-every-n", "0"], ["--save-every-n", "0"], ["--sample-length", "-1"],
    ["--seed", "-1"], ["--seed", "2147483648"], ["--threads", "0"], ["--encoding", "klingon"],
    ["--encoding", ""], ["--unheard-of"], ["--num-layers", "1" + 400 * "0"]])
def test_bad_flags(text_file, tmp_path, capsys, flags):
    assert run(text_file, tmp_path / "run", *flags) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert flags[0].strip("-").replace("-", "_") in err.replace("-", "_")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_another_run(text_file, trained, capsys):
    assert run(text_file, trained) == 2
    err = capsys.readouterr().err
    assert "--resume" in err and "--checkpoint-dir" in err and err.count("\n") == 1


def test_a_folder_that_cannot_be_written(text_file, tmp_path, capsys):
    for folder in (text_file, text_file / "inside a file"):
        assert run(text_file, folder) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1
        assert "the folder {} cannot be written".format(folder) in err
    assert run(text_file, tmp_path / "a[1]") == 2
    assert "cannot be the name" in capsys.readouterr().err


def test_an_empty_name_is_not_the_default(tmp_path, capsys):
    assert train.main(["", "--checkpoint-dir", str(tmp_path / "run")]) == 2
    assert "cannot read the text '.'" in capsys.readouterr().err


def test_a_text_from_a_pipe(tmp_path):
    """It can be read only once, and its SHA-256 is that of what was read."""
    os.mkfifo(str(tmp_path / "pipe"))
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text(TEXT))
    writer.start()
    text = corpus.read(str(tmp_path / "pipe"))
    writer.join()
    assert text.text == TEXT and text.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()


def test_a_terminal_shows_a_bar(text_file, tmp_path):
    """Loss, characters, speed and time left; after a resume the bar begins where the run does."""
    command = [sys.executable, "-m", "charrnn.train"]
    flags = [str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]
    bars = []
    for arguments in (flags, ["--resume", *flags[-4:], "--epochs", "2"]):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 30, 120, 0, 0))
        with subprocess.Popen([*command, *arguments], stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            shown = b""
            while True:
                try:
                    shown += os.read(ours, 4096)
                except OSError:  # how Linux says that the other end is closed
                    break
            assert process.wait(120) == 0
        os.close(ours)
        bars.append([bar for bar in re.split("[\r\n]", shown.decode()) if "characters/s" in bar])
    assert all("loss " in bar and re.search(r"\d\d:\d\d<", bar) for bar in bars[0][1:])
    assert "1.04k/1.04k" in bars[0][-1] and "2.08k/2.08k" in bars[1][-1]
    assert "1.04k/2.08k" in bars[1][0]


def test_the_second_signal_ends_it_at_once(text_file, tmp_path):
    with train._stop_requests() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 1)


@pytest.mark.parametrize("change", [{"batch_size": 2.5}, {"lstm_size": "5"}, {"seed": 1.5}, {"keep_prob": None},
                                    {"fused": None}])
def test_hyperparameters_of_the_wrong_kind(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        Hyperparameters(**change).check()


def test_the_recipe_is_the_default():
    assert Hyperparameters() == (100, 100, 512, 2, 0.001, 0.5, 5, 20, 50, 200, None, True)
    Hyperparameters().check()


def test_what_a_text_must_have():
    check_text(300, 2, 10, 30)
    with pytest.raises(ValueError, match="batch_size at most 9 with num_steps 30, or num_steps at most 29"):
        check_text(299, 2, 10, 30)


def test_parameters_and_memory():
    CharRNN(7, lstm_size=5, num_layers=3)
    assert count_parameters(7, 5, 3) == sum(
        variable.shape.num_elements() for variable in tf.trainable_variables())
    least = 4 * (4 * 3362387 + 6 * 100 * 100 * 512 * 2)
    check_memory(83, Hyperparameters(), least)
    with pytest.raises(ValueError, match="at least 299 MB"):
        check_memory(83, Hyperparameters(), least - 1)


def test_the_fused_graph_and_the_notebooks_train_alike(text_file, tmp_path):
    """One goes on from the other's checkpoint; without dropout their losses agree to rounding."""
    flags = ["--keep-prob", "1", "--sample-length", "0"]
    assert run(text_file, tmp_path / "run", *flags, "--no-fused") == 0
    shutil.copytree(str(tmp_path / "run"), str(tmp_path / "other"))
    resume = ["--resume", "--epochs", "2", "--sample-length", "0", "--checkpoint-dir"]
    assert train.main([*resume, str(tmp_path / "run")]) == 0
    assert checkpoint.read_run(tmp_path / "run").hyperparameters["fused"] is False  # as it was begun
    run_file = tmp_path / "other" / "run.json"
    run_file.write_text(run_file.read_text().replace('"fused": false', '"fused": true'))
    assert train.main([*resume, str(tmp_path / "other"), "--threads", "1"]) == 0
    np.testing.assert_allclose(losses_of(tmp_path / "other"), losses_of(tmp_path / "run"), atol=1e-4)


def test_a_seed_that_was_chosen_is_written_down(text_file, tmp_path, capsys):
    flags = SMALL_FLAGS[:-2]
    flags += ["--checkpoint-dir", str(tmp_path / "run"), "--sample-length", "0"]
    assert train.main([str(text_file), *flags]) == 0
    seed = checkpoint.read_run(tmp_path / "run").hyperparameters["seed"]
    assert "in 1 epochs, seed {}\n".format(seed) in capsys.readouterr().out


def test_help_is_for_people(capsys):
    with pytest.raises(SystemExit) as end:
        train.main(["--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    for part in ["default: 512", "default: anna", "default: checkpoints", "optimisation:", "examples:"]:
        assert part in out


def test_importing_does_not_import_tensorflow():
    code = ("import sys, charrnn, charrnn.train, charrnn.sample; assert 'tensorflow' not in sys.modules; "
            "charrnn.CharRNN; assert 'tensorflow' in sys.modules; charrnn.nothing")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert b"has no attribute 'nothing'" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_that_is_stopped_saves_and_goes_on(text_file, tmp_path, number):
    """As users run it: quiet, stopped by a signal in the middle, and resumed to its end."""
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "charrnn.train"]
    flags = [str(text_file), *SMALL_FLAGS, "--checkpoint-dir", str(folder), "--epochs", "100000"]
    with subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        while "step 50/" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (128 + number, "")
    assert "stopped by {} after step".format(number.name) in out
    assert "charrnn-train --resume --checkpoint-dir {}".format(folder) in out
    done = subprocess.run([*command, "--resume", "--checkpoint-dir", str(folder), "--epochs", "5"],
                          capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    assert "resumed  after step" in done.stdout and "step 865/865" in done.stdout


def test_the_users_own_warnings_are_heard():
    code = ("from charrnn import console; console.quiet_tensorflow(); import warnings, charrnn\n"
            "charrnn.CharRNN(3); import tensorflow.compat.v1 as tf; tf.logging.warning('mine')\n"
            "warnings.warn('mine too'); tf.Session().close()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    lines = done.stderr.strip().split("\n")
    assert done.stdout == "" and len(lines) == 2, done.stderr
    assert "mine" in lines[0] and "mine too" in lines[1]


def test_texts_by_name(tmp_path, capsys, monkeypatch):
    """A known text is asked for by name and never swapped for another."""
    monkeypatch.delenv("CHARRNN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert train.main(["anna", "--checkpoint-dir", "run"]) == 2
    assert "'anna' can be had nowhere: not at data/anna.txt" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert train.main([]) == 2
    assert corpus.PYTHON not in corpus.KNOWN_TEXTS
