"""Training: ``charrnn-train``, or ``python -m charrnn.train``."""
import argparse
import contextlib
import itertools
import math
import numbers
import os
import shlex
import signal
import sys
import time
from typing import NamedTuple, Optional

import numpy as np
import tqdm

from charrnn import checkpoint, console, corpus
from charrnn.data import Vocabulary, count_windows, get_batches
from charrnn.sample import Sampler, default_prime

# The notebook saves with this bound: a run keeps its last 100 checkpoints.
MAX_TO_KEEP = 100


class Hyperparameters(NamedTuple):
    """What a run is made with; the defaults are the notebook's recipe. All but seed are above 0.

    Attributes:
        batch_size: N, sequences in a batch.
        num_steps: M, steps in a window, the reach of backpropagation through time.
        lstm_size: L, units in a layer.
        num_layers: LSTM layers.
        learning_rate: Adam's step size.
        keep_prob: probability of keeping a unit in dropout, at most 1.
        grad_clip: largest global norm of the gradients.
        epochs: passes over the text.
        print_every_n: steps from one line to the next.
        save_every_n: steps from one checkpoint to the next.
        seed: seed of the weights and of dropout, 0 to 2147483647; None for another one each time.
        fused: whether the network is unrolled by :mod:`charrnn.fused`, with the same numbers but sooner, or
            by ``dynamic_rnn`` as in the notebook.
    """

    batch_size: int = 100
    num_steps: int = 100
    lstm_size: int = 512
    num_layers: int = 2
    learning_rate: float = 0.001
    keep_prob: float = 0.5
    grad_clip: float = 5.0
    epochs: int = 20
    print_every_n: int = 50
    save_every_n: int = 200
    seed: Optional[int] = None
    fused: bool = True

    def check(self):
        """Raise ValueError where a value is out of range."""
        for name, default in self._field_defaults.items():
            value = getattr(self, name)
            kind, wanted = (numbers.Integral, "whole number") if isinstance(default, int) else (
                numbers.Real, "number")
            if name not in ("seed", "fused") and not (isinstance(value, kind) and 0 < value < math.inf):
                raise ValueError("{} must be a {} above 0, not {!r}".format(name, wanted, value))
        if self.keep_prob > 1:
            raise ValueError("keep_prob is a probability, at most 1, not {}".format(self.keep_prob))
        if not isinstance(self.fused, bool):
            raise ValueError("fused must be True or False, not {!r}".format(self.fused))
        seed = self.seed
        if seed is not None and not (isinstance(seed, numbers.Integral) and 0 <= seed < 2 ** 31):
            raise ValueError("seed must be a whole number from 0 to 2147483647, not {!r}".format(seed))


# What a resumed run may not change, for its weights, its state or its place in the text hang on it.
FIXED = ("batch_size", "num_steps", "lstm_size", "num_layers", "seed")


def check_text(n_characters, n_distinct, batch_size, num_steps):
    """Raise ValueError where a text cannot be trained on, saying what would do.

    Args:
        n_characters: length of the text.
        n_distinct: C, its distinct characters.
        batch_size: N.
        num_steps: M.
    """
    if n_distinct < 2:
        raise ValueError("the text has one distinct character only: there is nothing to learn")
    if count_windows(n_characters, batch_size, num_steps):
        return
    fits = ["batch_size at most {} with num_steps {}".format(n_characters // num_steps, num_steps),
            "num_steps at most {} with batch_size {}".format(n_characters // batch_size, batch_size)]
    fits = [fit for fit in fits if "at most 0" not in fit] or [
        "batch_size 1 with num_steps at most {}".format(n_characters)]
    raise ValueError(
        "the text has {:,} characters, too few for one window of {} x {} (batch_size x num_steps, {:,} "
        "characters); what fits: {}".format(
            n_characters, batch_size, num_steps, batch_size * num_steps, ", or ".join(fits)))


def count_parameters(num_classes, lstm_size, num_layers):
    """Return the number of weights and biases of a network.

    >>> count_parameters(83, 512, 2)
    3362387
    """
    first = (num_classes + lstm_size + 1) * 4 * lstm_size
    others = (num_layers - 1) * (2 * lstm_size + 1) * 4 * lstm_size
    return first + others + (lstm_size + 1) * num_classes


def check_memory(num_classes, hyperparameters, available):
    """Raise ValueError where a training cannot fit in memory, however well it is done.

    The least that it needs: each parameter with its gradient and Adam's two averages, and for each unit
    and step of a window the four gates, c and h, all float32.

    Args:
        num_classes: C.
        hyperparameters: a Hyperparameters.
        available: bytes of memory that the machine has.
    """
    hyper = hyperparameters
    parameters = count_parameters(num_classes, hyper.lstm_size, hyper.num_layers)
    units = hyper.batch_size * hyper.num_steps * hyper.lstm_size * hyper.num_layers
    least = 4 * (4 * parameters + 6 * units)
    if least > available:
        raise ValueError(
            "training this network needs at least {:,} MB of memory, and the machine has {:,} MB: make "
            "lstm_size, num_layers, batch_size or num_steps smaller".format(
                least // 10 ** 6, available // 10 ** 6))


def _memory():
    """Return the bytes of memory that this machine has; no bound where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return math.inf


def train(text, hyperparameters=Hyperparameters(), checkpoint_dir="checkpoints", *, resume=False,
          sample_length=200, threads=None):
    """Train a network on a text, and save checkpoints. It resets the default graph.

    Ctrl-C or SIGTERM finishes the step at hand, saves a checkpoint and ends; a second one ends at once.

    Args:
        text: a corpus.Text.
        hyperparameters: a Hyperparameters.
        checkpoint_dir: the run folder.
        resume: go on with the run in that folder; it must be of the same text, and agree in FIXED.
        sample_length: characters to sample at each checkpoint, 0 for none.
        threads: how many to use, at least 1; None for as many as the process may have cores.

    Returns:
        The signal that ended the training early, a signal.Signals, or None.

    Raises:
        ValueError: the hyperparameters are out of range, the text is too short, the folder holds another
            run, or there is none to resume; nothing was written then. Later, a loss that is not finite.
        OSError: the folder cannot be written.

    Source: notebook, "training".
    """
    hyperparameters.check()
    if threads is not None and threads < 1:
        raise ValueError("threads must be at least 1, not {}".format(threads))
    if hyperparameters.seed is None and not resume:
        # written down with the rest, so that a resumed run draws what it would have drawn
        hyperparameters = hyperparameters._replace(seed=int(np.random.RandomState().randint(2 ** 31)))
    if sample_length < 0:
        raise ValueError("sample_length must be at least 0, not {}".format(sample_length))
    vocabulary = Vocabulary.from_text(text.text)
    check_text(len(text.text), len(vocabulary), hyperparameters.batch_size, hyperparameters.num_steps)
    check_memory(len(vocabulary), hyperparameters, _memory())
    run = checkpoint.Run(hyperparameters._asdict(), vocabulary, text.name, text.sha256, text.encoding)
    if resume:
        _check_same_run(checkpoint.read_run(checkpoint_dir), run, checkpoint_dir)
    else:
        checkpoint.check_unused(checkpoint_dir)
    trainer = _Trainer(run, hyperparameters, vocabulary.encode(text.text), checkpoint_dir, sample_length, threads)
    with contextlib.closing(trainer):
        trainer.start(resume)
        return trainer.run_all()


def _check_same_run(old, new, folder):
    """Raise CheckpointError where a run cannot be gone on with under new settings."""
    for what, before, now in [("a text with SHA-256", old.text_sha256, new.text_sha256),
                              ("the encoding", old.text_encoding, new.text_encoding),
                              ("the vocabulary", old.vocabulary.chars, new.vocabulary.chars)]:
        if before != now:
            raise checkpoint.CheckpointError("the run in {} was trained on {}, with {} {}, but {} has {}".format(
                folder, old.text_name, what, before, new.text_name, now))
    for name in FIXED:
        before, now = old.hyperparameters.get(name), new.hyperparameters[name]
        if before != now:
            raise checkpoint.CheckpointError(
                "the run in {} has {} {}, which --resume cannot change to {}".format(folder, name, before, now))


class _Trainer:
    """One training run: the graph in its session, the place in the text, and what is said on the way."""

    def __init__(self, run, hyperparameters, encoded, folder, sample_length, threads):
        import tensorflow.compat.v1 as tf

        from charrnn.fused import session_config
        from charrnn.model import CharRNN
        self._run, self._hyper, self._encoded = run, hyperparameters, encoded
        self._folder, self._sample_length = folder, sample_length
        self._sampler = None  # built at the first checkpoint
        self._windows = count_windows(len(encoded), hyperparameters.batch_size, hyperparameters.num_steps)
        self._total = self._windows * hyperparameters.epochs
        self._step = 0
        self._epoch_losses = []
        self._timed_from = None  # (time, step) of the last line
        self._model = CharRNN(
            len(run.vocabulary), hyperparameters.batch_size, hyperparameters.num_steps,
            hyperparameters.lstm_size, hyperparameters.num_layers, hyperparameters.learning_rate,
            hyperparameters.grad_clip, seed=hyperparameters.seed, fused=hyperparameters.fused,
            threads=threads)
        self._saver = tf.train.Saver(max_to_keep=MAX_TO_KEEP, save_relative_paths=True)
        initialize = tf.global_variables_initializer()
        # the notebook's graph is best served by TensorFlow's own settings, which 0 stands for
        self._session = tf.Session(config=session_config(threads) if hyperparameters.fused else tf.ConfigProto(
            intra_op_parallelism_threads=threads or 0, inter_op_parallelism_threads=threads or 0))
        self._session.run(initialize)
        self._zero_state = self._session.run(self._model.initial_state)
        self._state = self._zero_state

    def close(self):
        """Close the sessions."""
        self._session.close()
        if self._sampler:
            self._sampler.close()

    def start(self, resume):
        """Take up the run in the folder, or begin one there; say what is about to be done."""
        if resume:
            self._take_up()
        checkpoint.write_run(self._folder, self._run)
        self._say_plan(resume)

    def _take_up(self):
        """Restore the newest checkpoint and the place where it was made, if there is one yet."""
        try:
            prefix = checkpoint.latest_checkpoint(self._folder)
        except checkpoint.NoCheckpointError:
            return  # the run was stopped before its first checkpoint
        hyper = self._hyper
        progress = checkpoint.read_progress(
            prefix, (hyper.num_layers, 2, hyper.batch_size, hyper.lstm_size))
        checkpoint.restore(self._session, self._saver, prefix)
        self._saver.recover_last_checkpoints(checkpoint.list_checkpoints(self._folder))
        self._step = progress.step
        self._state = tuple(
            type(zero)(*layer) for zero, layer in zip(self._zero_state, progress.lstm_state))
        self._epoch_losses = list(progress.epoch_losses)

    def _say_plan(self, resume):
        run, hyper = self._run, self._hyper
        rows = [
            ("text", "{}, {:,} characters, {} distinct".format(
                run.text_name, len(self._encoded), len(run.vocabulary))),
            ("windows", "{:,} an epoch of {} x {}, {:,} characters left over".format(
                self._windows, hyper.batch_size, hyper.num_steps,
                len(self._encoded) - self._windows * hyper.batch_size * hyper.num_steps)),
            ("network", "{} layers of {} units, {:,} parameters".format(
                hyper.num_layers, hyper.lstm_size, count_parameters(
                    len(run.vocabulary), hyper.lstm_size, hyper.num_layers))),
            ("steps", "{:,} in {} epochs, seed {}".format(self._total, hyper.epochs, hyper.seed)),
            ("folder", "{}, a checkpoint every {:,} steps".format(self._folder, hyper.save_every_n)),
        ]
        if resume:
            rows.append(("resumed", "after step {:,}, {:,} to go".format(
                self._step, max(0, self._total - self._step))))
        for name, value in rows:
            print("{:<9}{}".format(name, value), flush=True)

    def run_all(self):
        """Do the steps that are left; return the signal that ended them early, or None."""
        characters = self._hyper.batch_size * self._hyper.num_steps
        stopped_by = None
        bar = tqdm.tqdm(total=self._total * characters, initial=self._step * characters, unit=" characters",
                        unit_scale=True, disable=None, dynamic_ncols=True, smoothing=0.05)
        with bar, _stop_requests() as stop:
            self._timed_from = (time.perf_counter(), self._step)
            for x, y in self._windows_left():
                loss = self._train_step(x, y)
                bar.set_postfix_str("loss {:.4f}".format(loss), refresh=False)
                bar.update(characters)
                self._say_step(loss)
                stopped_by = stop.signal  # read once: a signal that comes later is for the next step
                if stopped_by or self._step == self._total or self._step % self._hyper.save_every_n == 0:
                    self._save()
                if stopped_by:
                    break
        if stopped_by:
            print("stopped by {} after step {:,}; the checkpoint is saved. To go on: charrnn-train --resume "
                  "--checkpoint-dir {}".format(
                      stopped_by.name, self._step, shlex.quote(str(self._folder))), flush=True)
        return stopped_by

    def _windows_left(self):
        """Yield x and y [N, M] of every step from the current place on; zero the state at each epoch."""
        hyper = self._hyper
        for _ in range(self._step // self._windows, hyper.epochs):
            done = self._step % self._windows
            if done == 0:
                self._state = self._zero_state
                self._epoch_losses = []
            batches = get_batches(self._encoded, hyper.batch_size, hyper.num_steps)
            yield from itertools.islice(batches, done, None)

    def _train_step(self, x, y):
        """Do one update on a window, carrying the state; return its loss in nats per character."""
        model = self._model
        feed = {model.inputs: x, model.targets: y, model.keep_prob: self._hyper.keep_prob,
                model.initial_state: self._state}
        feed.update(model.mask_feed(self._step))
        loss, self._state, _ = self._session.run(
            [model.loss, model.final_state, model.optimizer], feed_dict=feed)
        self._step += 1
        if not math.isfinite(loss):
            raise ValueError("the loss is {} at step {:,}: the checkpoints before it stand; start again, or "
                             "resume, with a lower --learning-rate or --grad-clip".format(loss, self._step))
        self._epoch_losses.append(loss)
        return loss

    def _say_step(self, loss):
        """Print the notebook's line every print_every_n steps, and one at the end of each epoch."""
        epoch = (self._step - 1) // self._windows + 1
        if self._step % self._hyper.print_every_n == 0 or self._step == self._total:
            (then, step_then), now = self._timed_from, time.perf_counter()
            _say("epoch {}/{}  step {}/{}  loss {:.4f}  {:.4f} s/batch".format(
                epoch, self._hyper.epochs, self._step, self._total, loss,
                (now - then) / (self._step - step_then)))
            self._timed_from = (now, self._step)
        if self._step % self._windows == 0:
            _say("epoch {}/{}  mean loss {:.4f}".format(epoch, self._hyper.epochs, np.mean(self._epoch_losses)))

    def _save(self):
        started = time.perf_counter()
        state = np.array([[layer.c, layer.h] for layer in self._state])  # [num_layers, 2, N, L]
        progress = checkpoint.Progress(self._step, state, np.array(self._epoch_losses, np.float32))
        prefix = checkpoint.save(self._session, self._saver, self._folder, self._hyper.lstm_size, progress)
        _say("saved {}".format(prefix))
        if self._sample_length:
            self._say_sample(prefix)
        then, step_then = self._timed_from  # the time that saving took is not the steps'
        self._timed_from = (then + time.perf_counter() - started, step_then)

    def _say_sample(self, prefix):
        if self._sampler:
            self._sampler.restore(prefix)
        else:
            self._sampler = Sampler(checkpoint.open_checkpoint(prefix))
        prime = default_prime(self._run.vocabulary)
        # a generator of its own: sampling must not change what a seeded run draws elsewhere
        pieces = self._sampler.generate(prime, self._sample_length, rngs=[np.random.RandomState(self._step)])
        _say("".join(["-" * 70, "\n", prime, *(piece for piece, in pieces), "\n", "-" * 70]))


def _say(line):
    """Print a line above the bar, where there is one."""
    tqdm.tqdm.write(line, file=sys.stdout)
    sys.stdout.flush()


class _StopRequests:
    """The first SIGINT or SIGTERM that came, or None."""

    signal = None


@contextlib.contextmanager
def _stop_requests():
    """Note the first SIGINT or SIGTERM instead of dying of it; the second has its usual effect."""
    requests = _StopRequests()
    usual = {}

    def note(number, _frame):
        requests.signal = signal.Signals(number)
        for each, handler in usual.items():
            signal.signal(each, handler)

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            usual[number] = signal.signal(number, note)
    except ValueError:
        pass  # not in the main thread, which alone may set handlers: signals keep their usual effect
    try:
        yield requests
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _add_hyperparameter(group, name, meaning):
    """Add the flag of a hyperparameter, which is left out of the arguments' values unless it is given."""
    default = getattr(Hyperparameters(), name)
    is_float = isinstance(default, float)
    group.add_argument("--" + name.replace("_", "-"), metavar="X" if is_float else "N",
                       type=float if is_float else int, help="{} (default: {})".format(
                           meaning, "another one each time" if default is None else default))


def _parser():
    add = _add_hyperparameter
    parser = console.Parser(
        prog="charrnn-train", formatter_class=argparse.RawDescriptionHelpFormatter, argument_default=None,
        description="Train a character-wise LSTM on a text. The defaults are the notebook's recipe.",
        epilog="examples:\n"
               "  charrnn-train anna --epochs 1 --lstm-size 128 --checkpoint-dir checkpoints/small\n"
               "  charrnn-train --resume --checkpoint-dir checkpoints/small --epochs 3")
    group = parser.add_argument_group("text")
    group.add_argument("text", metavar="TEXT", nargs="?",
                       help="a path, or a known text: {}, {} (default: anna)".format(
                           ", ".join(corpus.KNOWN_TEXTS), corpus.PYTHON))
    group.add_argument("--encoding", metavar="NAME", help="encoding of a text given by its path (default: utf-8)")
    group = parser.add_argument_group("network")
    add(group, "lstm_size", "units in a layer")
    add(group, "num_layers", "LSTM layers")
    group = parser.add_argument_group("optimisation")
    add(group, "batch_size", "sequences in a batch")
    add(group, "num_steps", "characters in a window, through which the gradients reach back")
    add(group, "learning_rate", "Adam's step size")
    add(group, "keep_prob", "probability of keeping a unit in dropout, above 0, at most 1")
    add(group, "grad_clip", "largest global norm of the gradients")
    add(group, "epochs", "passes over the text")
    add(group, "seed", "seed of the weights and of dropout, 0 to 2147483647")
    group = parser.add_argument_group("speed")
    group.add_argument("--no-fused", dest="fused", action="store_const", const=False,
                       help="unroll with dynamic_rnn, as the notebook does: the same numbers, later")
    group.add_argument("--threads", metavar="N", type=int,
                       help="threads to use (default: as many as the process may have cores)")
    group = parser.add_argument_group("checkpoints and lines")
    group.add_argument("--checkpoint-dir", metavar="DIR", default="checkpoints",
                       help="the run's folder (default: checkpoints)")
    group.add_argument("--resume", action="store_true",
                       help="go on with the run in that folder, with its text and hyperparameters; all but {} "
                            "may be changed then".format(", ".join(
                                "--" + name.replace("_", "-") for name in FIXED)))
    add(group, "save_every_n", "steps from one checkpoint to the next")
    add(group, "print_every_n", "steps from one line to the next")
    group.add_argument("--sample-length", metavar="N", type=int, default=200,
                       help="characters to sample at each checkpoint, 0 for none (default: 200)")
    return parser


def main(argv=None):
    """Run ``charrnn-train``; return its exit status: 0, 2 for bad input, 128 + the signal that stopped it."""
    return console.run(_main, _parser(), argv)


def _main(args):
    chosen = {name: getattr(args, name) for name in Hyperparameters._fields
              if getattr(args, name) is not None}
    name, encoding = "anna", "utf-8"
    if args.resume:
        run = checkpoint.read_run(args.checkpoint_dir)
        name, encoding = run.text_name, run.text_encoding
        unknown = set(run.hyperparameters) - set(Hyperparameters._fields)
        if unknown:
            raise checkpoint.CheckpointError("the run in {} has hyperparameters that this charrnn does not know: "
                                             "{}".format(args.checkpoint_dir, ", ".join(sorted(unknown))))
        chosen = dict(run.hyperparameters, **chosen)
    hyperparameters = Hyperparameters(**chosen)
    hyperparameters.check()
    text = corpus.read(name if args.text is None else args.text,
                       encoding if args.encoding is None else args.encoding)
    stopped_by = train(text, hyperparameters, args.checkpoint_dir, resume=args.resume,
                       sample_length=args.sample_length, threads=args.threads)
    return 128 + stopped_by if stopped_by else 0


if __name__ == "__main__":
    sys.exit(main())
