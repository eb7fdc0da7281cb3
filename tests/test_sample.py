"""Drawing characters, and the script that does."""
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from charrnn import sample as sampling
from charrnn.checkpoint import open_checkpoint
from charrnn.data import Vocabulary
from charrnn.sample import Sampler, pick_top_n, sample

CHARS = "\n ,.acdehmnost"  # the vocabulary of the trained run


@pytest.fixture
def without_run_file(trained, tmp_path):
    """A copy of the run as the notebook would have left it: checkpoints, and nothing that explains them."""
    folder = tmp_path / "bare"
    shutil.copytree(str(trained), str(folder))
    (folder / "run.json").unlink()
    return folder


def test_pick_top_n_draws_only_from_the_top():
    preds = np.array([[0.1, 0.3, 0.05, 0.35, 0.2]], np.float32)
    random = np.random.RandomState(0)
    drawn = [pick_top_n(preds, 5, top_n=2, rng=random) for _ in range(2000)]
    assert set(drawn) == {1, 3}
    assert np.mean(np.array(drawn) == 3) == pytest.approx(0.35 / 0.65, abs=0.04)
    assert {pick_top_n(preds, 5, top_n=5) for _ in range(500)} == {0, 1, 2, 3, 4}
    assert pick_top_n(preds, 5, top_n=1) == 3


def test_pick_top_n_leaves_its_argument_alone():
    preds = np.array([[0.5, 0.3, 0.2]], np.float32)
    pick_top_n(preds, 3, top_n=1)
    assert preds.tolist() == np.array([[0.5, 0.3, 0.2]], np.float32).tolist()


@pytest.mark.parametrize("top_n", [0, -1])
def test_pick_top_n_refuses_nothing_to_draw_from(top_n):
    with pytest.raises(ValueError, match="top_n must be at least 1"):
        pick_top_n(np.ones(3) / 3, 3, top_n)


def test_draws_equal_the_notebooks(notebook):
    random = np.random.RandomState(1)
    for top_n in (1, 2, 5, 9):
        preds = random.dirichlet(np.ones(9), 1).astype(np.float32)
        np.random.seed(4)
        expected = [notebook.pick_top_n(preds.copy(), 9, top_n) for _ in range(50)]
        np.random.seed(4)
        assert [pick_top_n(preds, 9, top_n) for _ in range(50)] == expected


def test_text_equals_the_notebooks(notebook, trained):
    """The same characters from the same NumPy seed, 300 of them."""
    prefix = str(trained / "i173_l5.ckpt")
    notebook.scope.update(vocab_to_int={char: index for index, char in enumerate(CHARS)},
                          int_to_vocab=dict(enumerate(CHARS)))
    np.random.seed(8)
    expected = notebook.sample(prefix, 300, 5, len(CHARS), prime="the ")
    np.random.seed(8)
    text = sample(prefix, 300, 5, len(CHARS), prime="the ")
    assert text == expected
    assert len(text) == len("the ") + 301 and text.startswith("the ")


def test_the_state_is_carried(trained):
    """Continuing after a prime equals feeding the prime as the text that was drawn so far."""
    sampler = Sampler(open_checkpoint(trained))
    whole = "".join(sampler.generate("the ", 40, top_n=1))
    assert "".join(sampler.generate("the " + whole[:15], 25, top_n=1)) == whole[15:]
    sampler.close()


def test_a_checkpoint_without_run_file(without_run_file):
    with pytest.raises(ValueError, match="--vocab-from"):
        sample(without_run_file, 3, prime="the")
    assert sample(without_run_file, 3, prime="the", vocabulary=Vocabulary(CHARS)).startswith("the")


@pytest.mark.parametrize("arguments, message", [
    ({"prime": ""}, "prime is empty"),
    ({"prime": "the Queen é"}, "never saw: 'Q', 'u', 'é'"),
    ({"n_samples": -1}, "n_samples"),
    ({"top_n": 0}, "top_n"),
    ({"lstm_size": 6}, "lstm_size is 6, but .* has 5"),
    ({"vocab_size": 83}, "vocab_size is 83, but .* has 14")])
def test_sample_refuses(trained, arguments, message):
    with pytest.raises(ValueError, match=message):
        sample(trained, **dict({"n_samples": 3, "prime": "the"}, **arguments))


def test_script(trained, capsys):
    arguments = [str(trained), "--prime", "the ", "--length", "30", "--seed", "3"]
    texts = []
    for _ in range(2):
        assert sampling.main(arguments) == 0
        out, err = capsys.readouterr()
        assert err == "" and out.startswith("the ") and len(out) == 4 + 30 + 1
        texts.append(out)
    assert texts[0] == texts[1]
    np.random.seed(3)
    assert sample(trained, 29, prime="the ") + "\n" == texts[0]


def test_default_prime():
    assert sampling.default_prime(Vocabulary(" Teh")) == "The "
    assert sampling.default_prime(Vocabulary("01")) == "0"


def test_script_takes_the_vocabulary_from_a_text(without_run_file, text_file, capsys):
    assert sampling.main([str(without_run_file), "--vocab-from", str(text_file), "--length", "5"]) == 0
    assert len(capsys.readouterr().out) == 1 + 5 + 1


@pytest.mark.parametrize("arguments, message", [
    (["--prime", ""], "prime is empty"),
    (["--prime", "Zoë"], "'Z', 'ë'"),
    (["--length", "0"], "--length must be at least 1"),
    (["--length", "many"], "--length"),
    (["--top-n", "0"], "--top-n must be at least 1"),
    (["--seed", "-1"], "--seed"),
    (["--seed", "4294967296"], "--seed"),
    (["--vocab-from", "missing.txt"], "missing.txt"),
    (["--colour"], "unrecognized arguments")])
def test_script_refuses_in_one_line(trained, capsys, arguments, message):
    assert sampling.main([str(trained), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("charrnn-sample: error: ")
    assert message in err


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "flipped"])
def test_script_refuses_damaged_checkpoints(trained, tmp_path, capsys, suffix, damage):
    shutil.copytree(str(trained), str(tmp_path / "run"))
    path = tmp_path / "run" / ("i173_l5.ckpt" + suffix)
    content = bytearray(path.read_bytes())
    path.unlink()
    if damage != "missing":
        half = bytes(content[:len(content) // 2])
        content[::50] = bytes(byte ^ 0x55 for byte in content[::50])  # in every tensor of this small network
        path.write_bytes({"empty": b"", "half": half, "flipped": bytes(content)}[damage])
    assert sampling.main([str(tmp_path / "run"), "--length", "3"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "i173_l5.ckpt" in err


def test_a_process_is_quiet_and_ends_with_its_reader(trained):
    command = [sys.executable, "-m", "charrnn.sample", str(trained), "--prime", "the ", "--length"]
    done = subprocess.run([*command, "20"], capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) == 25
    with subprocess.Popen([*command, "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.read(10).startswith(b"the ")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(120) == 141


def test_restoring_another_network_is_refused(trained, tmp_path):
    from charrnn.model import CharRNN
    CharRNN(len(CHARS), lstm_size=4)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        other = tf.train.Saver().save(session, str(tmp_path / "i1_l4.ckpt"))
    sampler = Sampler(open_checkpoint(trained))
    with pytest.raises(ValueError, match="cannot be restored"):
        sampler.restore(other)
    sampler.close()
