"""Drawing characters, and the script that does."""
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import ROOT

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


@pytest.fixture
def untrained(tmp_path):
    """A checkpoint with large weights, so that its distributions differ from place to place."""
    from charrnn.model import CharRNN
    CharRNN(len(CHARS), lstm_size=7, num_layers=3, seed=5)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run([variable.assign(4 * variable) for variable in tf.trainable_variables()])
        return open_checkpoint(tf.train.Saver().save(session, str(tmp_path / "i1_l7.ckpt")), Vocabulary(CHARS))


def generate(sampler, prime, length, **options):
    return ["".join(pieces) for pieces in zip(*sampler.generate(prime, length, **options))]


@pytest.mark.parametrize("top_n", [1, 2, 5, 14, 99])
def test_the_loop_in_the_graph_writes_the_characters_of_the_loop_outside(untrained, top_n):
    """Across chunks, for one text and for several, each from a seed of its own."""
    length = sampling.CHUNK + 30
    expected = []
    for seed in (4, 5, 6):
        np.random.seed(seed)
        expected.append(sample(untrained.prefix, length - 1, prime="the cat", top_n=top_n,
                               vocabulary=untrained.vocabulary)[len("the cat"):])
    for count in (1, 3):
        sampler = Sampler(untrained, count)
        rngs = [np.random.RandomState(seed) for seed in (4, 5, 6)[:count]]
        assert generate(sampler, "the cat", length, top_n=top_n, rngs=rngs) == expected[:count]
        sampler.close()


def test_drawing_is_the_inverse_of_the_cumulative_distribution():
    """Ids in order, edges to the right of equal numbers, and never a character of probability zero."""
    from charrnn.generate import draw
    tf.reset_default_graph()
    rows = np.array([[0.25, 0, 0.5, 0.25]], np.float32)
    numbers = [0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2 ** -53]
    uniform = tf.placeholder(tf.float64, [1])
    drawn = draw(tf.constant(rows), uniform, 4), draw(tf.constant(rows), uniform, 1)
    with tf.Session() as session:
        results = [[ids[0] for ids in session.run(drawn, {uniform: [number]})] for number in numbers]
    assert [all_four for all_four, _ in results] == [0, 0, 2, 2, 3, 3]
    assert {largest for _, largest in results} == {2}


def test_the_prime_is_read_in_parts(untrained, monkeypatch):
    """A prime longer than one part leads to the same text, and the state is carried from part to part."""
    prime = "the cat sat on the mat"
    sampler = Sampler(untrained)
    whole = generate(sampler, prime, 40, rngs=[np.random.RandomState(1)])
    monkeypatch.setattr(sampling, "PRIME_CHUNK", 5)
    assert generate(sampler, prime, 40, rngs=[np.random.RandomState(1)]) == whole
    sampler.close()


def test_going_on_after_what_was_drawn(untrained):
    """Continuing after a prime equals feeding the prime and the text that was drawn so far."""
    sampler = Sampler(untrained)
    whole, = generate(sampler, "the ", 40, top_n=1)
    assert generate(sampler, "the " + whole[:15], 25, top_n=1) == [whole[15:]]
    assert generate(sampler, "the ", 0) == []
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


def test_several_samples(trained, capsys):
    """Each is the text of its own seed, and a line stands between them."""
    arguments = [str(trained), "--prime", "the ", "--length", "30"]
    alone = []
    for seed in ("3", "4", "5"):
        assert sampling.main([*arguments, "--seed", seed]) == 0
        alone.append(capsys.readouterr().out)
    assert sampling.main([*arguments, "--seed", "3", "--num-samples", "3"]) == 0
    assert capsys.readouterr().out == ("-" * 70 + "\n").join(alone)


def test_top_n_of_the_script(trained, capsys):
    texts = set()
    for seed in ("1", "2"):
        assert sampling.main([str(trained), "--prime", "the ", "--seed", seed, "--top-n", "1"]) == 0
        texts.add(capsys.readouterr().out)
    assert len(texts) == 1  # the most probable character leaves nothing to the seed


def test_a_terminal_without_the_characters(tmp_path):
    """They are shown by their codes, and end nothing."""
    text = "\xe9\u20ac" * 60
    (tmp_path / "text").write_text(text, encoding="utf-8")
    environment = dict(os.environ, PYTHONIOENCODING="ascii", PYTHONPATH=str(ROOT))
    for arguments in (["charrnn.train", "text", "--lstm-size", "2", "--batch-size", "2", "--num-steps", "3",
                       "--epochs", "1"], ["charrnn.sample", "--length", "5"]):
        done = subprocess.run([sys.executable, "-m", *arguments], cwd=str(tmp_path), env=environment,
                              capture_output=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\\xe9" in done.stdout


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
    (["--seed", "4294967295", "--num-samples", "2"], "--seed"),
    (["--num-samples", "0"], "--num-samples"),
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
