"""One training run: the graph in its session, the place in the text, and what is done and said on the way."""
import contextlib
import itertools
import math
import shlex
import signal
import statistics
import sys
import time

import numpy as np
import tqdm

from charrnn import checkpoints
from charrnn.data import count_windows, get_batches
from charrnn.engines.sampler import Sampler, default_prime
from charrnn.evaluate import Evaluator
from charrnn.system import console
from charrnn.training.hyperparameters import learning_rate_at
from charrnn.training.reports import Reports, Row

# Evaluations on the way read the held-out text in this many pieces side by side.
EVALUATION_ROWS = 32
TRIAL_STEPS = 5


class Trainer:
    """A run that can be started or taken up, and then done."""

    def __init__(self, run, hyperparameters, training, held_out, folder, *, sample_length=200, threads=None,
                 summaries=True, transfer=None):
        """Build the graph, in the default graph, and initialize it.

        Args:
            run: a checkpoints.Run.
            hyperparameters: a Hyperparameters, checked.
            training: int array, the text to train on.
            held_out: int array, the text to evaluate on; empty for none.
            folder: the run folder.
            sample_length: characters to sample at each checkpoint.
            threads: as for CharRNN.
            summaries: whether to write TensorBoard's event files.
            transfer: a Transfer to start from, or None.
        """
        import tensorflow.compat.v1 as tf

        from charrnn.fused.session import session_config
        from charrnn.model import CharRNN
        self._run, self._hyper, self._folder = run, hyperparameters, folder
        self._training, self._held_out, self._threads = training, held_out, threads
        self._sample_length, self._summaries, self._transfer = sample_length, summaries, transfer
        self._sampler = self._evaluator = self._reports = None  # made when they are first needed
        self._windows = count_windows(len(training), hyperparameters.batch_size, hyperparameters.num_steps)
        self._total = self._windows * hyperparameters.epochs
        self._step, self._epoch_losses = 0, []
        self._best_step, self._best_loss, self._worse = 0, math.inf, 0
        self._stop = _StopRequests()
        self._timed_from = None  # (time, step) of the last line
        hyper, fused = hyperparameters, hyperparameters.unrolls_fused
        self._model = CharRNN(
            len(run.vocabulary), hyper.batch_size, hyper.num_steps, hyper.lstm_size, hyper.num_layers,
            hyper.learning_rate, hyper.grad_clip, seed=hyper.seed, fused=fused, threads=threads, cell=hyper.cell,
            optimizer=hyper.optimizer, input_keep_prob=hyper.input_keep_prob, average_decay=hyper.average_decay)
        self._variables = {variable.op.name: variable for variable in tf.global_variables()}
        self._trained = [variable.op.name for variable in tf.trainable_variables()]
        self._saver = tf.train.Saver(max_to_keep=0)
        initialize = tf.global_variables_initializer()
        # the notebook's graph is best served by TensorFlow's own settings, which 0 stands for
        self._session = tf.Session(config=session_config(threads) if fused else tf.ConfigProto(
            intra_op_parallelism_threads=threads or 0, inter_op_parallelism_threads=threads or 0))
        self._session.run(initialize)
        if transfer:
            self._load(transfer.weights(self._session.run({name: self._variables[name] for name in self._trained})))
        self._zero_state = self._state = self._session.run(self._model.initial_state)

    def _load(self, weights):
        """Set the weights, and their running averages where there are some."""
        for name, values in weights.items():
            for each in (name, name + checkpoints.AVERAGE):
                if each in self._variables:
                    self._variables[each].load(values, self._session)

    def close(self):
        """Close the sessions and files."""
        for each in (self._session, self._sampler, self._evaluator, self._reports):
            if each:
                each.close()

    def start(self, resume):
        """Take up the run in the folder, or begin one there; say what is about to be done."""
        checkpoints.remove_leftovers(self._folder)
        if resume:
            self._take_up()
        self._write_run()
        self._reports = Reports(self._folder, self._step, self._summaries)
        for row in self._plan():
            self._say("{:<9}{}".format(*row))
        if resume:
            self._say("resumed  after step {:,}, {:,} to go".format(self._step, max(0, self._total - self._step)))

    def _take_up(self):
        """Restore the newest whole checkpoint and the place where it was made, if there is one yet."""
        try:
            prefix, skipped = checkpoints.newest_intact(self._folder)
        except checkpoints.NoCheckpointError:
            if self._run.init_from:
                raise checkpoints.CheckpointError(
                    "the run in {} was stopped before its first checkpoint, and was started from the weights of {}: "
                    "start it again in another folder".format(self._folder, self._run.init_from))
            return  # the run was stopped before its first checkpoint
        for line in skipped:
            self._say("skipped  " + line)
        progress = checkpoints.read_progress(prefix, self._state_array().shape)
        checkpoints.restore(self._session, self._saver, prefix)
        self._step, self._epoch_losses = progress.step, list(progress.epoch_losses)
        self._state = self._state_from(progress.lstm_state)
        self._best_step, self._best_loss, self._worse = progress.best_step, progress.best_loss, progress.worse

    def _state_array(self):
        """Return the LSTM state as one array [num_layers, 2, N, L]."""
        import tensorflow.compat.v1 as tf
        return np.array([tf.nest.flatten(layer) for layer in self._state])

    def _state_from(self, array):
        import tensorflow.compat.v1 as tf
        return tf.nest.pack_sequence_as(self._zero_state, list(array.reshape((-1,) + array.shape[2:])))

    def _name(self, step):
        return checkpoints.checkpoint_prefix("", step, self._hyper.lstm_size)

    def _write_run(self):
        best = self._name(self._best_step)
        if self._best_step and checkpoints.is_intact(self._folder, best):
            self._run = self._run._replace(best=best)
        checkpoints.write_run(self._folder, self._run)

    def _plan(self):
        """Return what is about to be done, as pairs of a name and a value."""
        run, hyper = self._run, self._hyper
        kind = "" if hyper.cell == "lstm" else " of kind {}".format(hyper.cell)
        slow = "" if hyper.unrolls_fused or not hyper.fused else (
            ", unrolled by dynamic_rnn: the fused unroll is for lstm without dropout on inputs")
        rows = [
            ("text", "{}, {:,} characters, {} distinct".format(
                run.text_name, len(self._training) + len(self._held_out), len(run.vocabulary))),
            ("windows", "{:,} an epoch of {} x {}, {:,} characters left over".format(
                self._windows, hyper.batch_size, hyper.num_steps,
                len(self._training) - self._windows * hyper.batch_size * hyper.num_steps)),
            ("network", "{} layers of {} units{}, {:,} parameters{}".format(
                hyper.num_layers, hyper.lstm_size, kind,
                sum(self._variables[name].shape.num_elements() for name in self._trained), slow)),
            ("steps", "{:,} in {} epochs, seed {}".format(self._total, hyper.epochs, hyper.seed)),
            ("folder", "{}, a checkpoint every {:,} steps".format(self._folder, hyper.save_every_n)),
        ]
        if len(self._held_out):
            rows.insert(1, ("held out", "the last {:,} characters, evaluated {}".format(
                len(self._held_out), "every {:,} steps and at each checkpoint".format(hyper.eval_every_n)
                if hyper.eval_every_n else "at each checkpoint")))
        if self._transfer:
            new = self._transfer.new_characters
            rows.append(("weights", "from {}, {}".format(self._transfer.checkpoint.prefix, (
                "with new rows for {} and the others untouched".format(", ".join(map(repr, new)))
                if new else "whose vocabulary has all characters of the text"))))
        return rows

    def try_out(self):
        """Print the plan, with the memory and the time that a few steps lead to expect; write nothing."""
        times = []
        for x, y in itertools.islice(itertools.cycle(self._windows_left()), TRIAL_STEPS):
            started = time.perf_counter()
            self._train_step(x, y)
            times.append(time.perf_counter() - started)
        seconds = statistics.median(times)
        rows = self._plan() + [
            ("memory", console.peak_memory()),
            ("time", "{:.4f} s/batch, {} for all steps, without checkpoints and evaluations".format(
                seconds, _duration(seconds * self._total))),
        ]
        for row in rows:
            self._say("{:<9}{}".format(*row))

    def run_all(self):
        """Do the steps that are left; return the signal that ended them early, or None."""
        hyper = self._hyper
        characters = hyper.batch_size * hyper.num_steps
        if hyper.early_stop and self._worse >= hyper.early_stop:
            self._say("ended early, {:,} evaluations without improvement".format(self._worse))
            return None
        bar = tqdm.tqdm(total=self._total * characters, initial=self._step * characters, unit=" characters",
                        unit_scale=True, disable=None, dynamic_ncols=True, smoothing=0.05)
        stopped_by = None
        with bar, self._stop.noted():
            self._timed_from = (time.perf_counter(), self._step)
            for x, y in self._windows_left():
                loss, norm = self._train_step(x, y)
                bar.set_postfix_str("loss {:.4f}".format(loss), refresh=False)
                bar.update(characters)
                stopped_by, ended = self._after_step(loss, norm)
                if stopped_by or ended:
                    break
        if stopped_by:
            self._say("stopped by {} after step {:,}; the checkpoint is saved. To go on: charrnn-train --resume "
                      "--checkpoint-dir {}".format(
                          stopped_by.name, self._step, shlex.quote(str(self._folder))))
        return stopped_by

    def _after_step(self, loss, norm):
        """Print, evaluate and save what is due; return the signal to stop by, or None, and whether to end early."""
        hyper, step = self._hyper, self._step
        row = Row(step, (step - 1) // self._windows + 1)
        if step % hyper.print_every_n == 0 or step == self._total:
            row = self._say_step(row, loss, norm)
        if step % self._windows == 0:
            self._say("epoch {}/{}  mean loss {:.4f}".format(row.epoch, hyper.epochs, np.mean(self._epoch_losses)))
        regular = step == self._total or step % hyper.save_every_n == 0
        due = len(self._held_out) and (regular or (hyper.eval_every_n and step % hyper.eval_every_n == 0))
        if due:
            row = self._evaluate(row)
        if row[2:] != Row(*row[:2])[2:]:
            self._report(lambda: self._reports.add(row))
        ended = bool(due and hyper.early_stop and self._worse >= hyper.early_stop)
        stopped_by = self._stop.signal  # read once: a signal that comes later is for the next step
        last = stopped_by or ended or step == self._total
        if regular or last or (due and self._best_step == step):
            self._save(last)
        if ended:
            self._say("ended early after step {:,}: {:,} evaluations without improvement since step {:,}".format(
                step, self._worse, self._best_step))
        return stopped_by, ended

    def _windows_left(self):
        """Yield x and y [N, M] of every step from the current place on; zero the state at each epoch."""
        hyper = self._hyper
        for _ in range(self._step // self._windows, hyper.epochs):
            done = self._step % self._windows
            if done == 0:
                self._state = self._zero_state
                self._epoch_losses = []
            batches = get_batches(self._training, hyper.batch_size, hyper.num_steps)
            yield from itertools.islice(batches, done, None)

    def _train_step(self, x, y):
        """Do one update on a window, carrying the state; return its loss and the norm of its gradients."""
        model, hyper = self._model, self._hyper
        feed = {model.inputs: x, model.targets: y, model.keep_prob: hyper.keep_prob,
                model.initial_state: self._state, model.learning_rate: self._learning_rate(self._step)}
        feed.update(model.mask_feed(self._step))
        loss, norm, self._state, _ = self._session.run(
            [model.loss, model.gradient_norm, model.final_state, model.optimizer], feed_dict=feed)
        self._step += 1
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise ValueError(
                "at step {:,} the loss is {} and the norm of the gradients {}: training ends, and the checkpoints "
                "before it stand; go on from the last with --resume and a lower --learning-rate (now {:g}) or "
                "--grad-clip (now {:g})".format(
                    self._step, loss, norm, self._learning_rate(self._step - 1), hyper.grad_clip))
        self._epoch_losses.append(loss)
        return float(loss), float(norm)

    def _learning_rate(self, step):
        return learning_rate_at(self._hyper, step, self._windows)

    def _say_step(self, row, loss, norm):
        """Print the notebook's line; return the row with what was measured."""
        hyper, (then, step_then), now = self._hyper, self._timed_from, time.perf_counter()
        seconds = (now - then) / (self._step - step_then)
        self._say("epoch {}/{}  step {}/{}  loss {:.4f}  {:.4f} s/batch".format(
            row.epoch, hyper.epochs, self._step, self._total, loss, seconds))
        self._timed_from = (now, self._step)
        return row._replace(
            loss=loss, bits_per_character=loss / math.log(2), gradient_norm=norm,
            learning_rate=self._learning_rate(self._step - 1),
            characters_per_second=hyper.batch_size * hyper.num_steps / seconds)

    @contextlib.contextmanager
    def _untimed(self):
        """Leave what is done in the block out of the seconds a batch."""
        started = time.perf_counter()
        yield
        then, step_then = self._timed_from
        self._timed_from = (then + time.perf_counter() - started, step_then)

    def _evaluate(self, row):
        """Evaluate on the text held out; return the row with what was measured."""
        with self._untimed():
            if not self._evaluator:
                hyper = self._hyper
                self._evaluator = Evaluator(len(self._run.vocabulary), hyper.lstm_size, hyper.num_layers, hyper.cell,
                                            EVALUATION_ROWS, self._threads)
            # the running averages stand for the weights where there are some
            tensors = {name: self._variables.get(name + checkpoints.AVERAGE, self._variables[name])
                       for name in self._trained}
            self._evaluator.load(self._session.run(tensors))
            loss = float(np.mean(self._evaluator.nats(self._held_out), dtype=np.float64))
            if loss < self._best_loss:
                self._best_step, self._best_loss, self._worse = self._step, loss, 0
            else:
                self._worse += 1
            self._say("epoch {}/{}  step {}/{}  validation loss {:.4f}, {}".format(
                row.epoch, self._hyper.epochs, self._step, self._total, loss, "the best so far" if not self._worse
                else "the best {:.4f} at step {:,}".format(self._best_loss, self._best_step)))
        return row._replace(val_loss=loss, val_bits_per_character=loss / math.log(2))

    def _save(self, last):
        """Save a checkpoint. Where it fails, training goes on and the next one is tried, unless it is the last."""
        with self._untimed():
            progress = checkpoints.Progress(self._step, self._state_array(), np.array(self._epoch_losses, np.float32),
                                           self._best_step, self._best_loss, self._worse)
            # where a save fails, the best is the best of those that were saved
            run = self._run._replace(best=self._name(self._step)) if self._best_step == self._step else self._run
            try:
                prefix = checkpoints.save(self._session, self._saver, self._folder, self._hyper.lstm_size, progress,
                                         run, self._hyper.max_to_keep)
                self._run = run
            except OSError as error:
                if last:
                    raise
                self._complain("{}; the earlier checkpoints stand, and training goes on".format(error))
                return
            self._say("saved {}".format(prefix))
            self._report(self._reports.flush)
            if self._sample_length:
                self._say_sample(prefix)

    def _report(self, write):
        """Write a report; that it cannot be written ends nothing."""
        try:
            write()
        except OSError as error:
            self._complain("the history cannot be written: {}".format(error.strerror or error))

    def _say_sample(self, prefix):
        if self._sampler:
            self._sampler.restore(prefix)
        else:
            self._sampler = Sampler(checkpoints.open_checkpoint(prefix))
        prime = default_prime(self._run.vocabulary)
        # a generator of its own: sampling must not change what a seeded run draws elsewhere
        pieces = self._sampler.generate(prime, self._sample_length, rngs=[np.random.RandomState(self._step)])
        text = "".join([prime, *(piece for piece, in pieces)])
        self._say("{0}\n{1}\n{0}".format("-" * 70, text))
        self._reports.add_sample(text, self._step)

    def _say(self, line):
        """Print a line above the bar, where there is one. A reader who went away is taken for a request to stop."""
        try:
            tqdm.tqdm.write(line, file=sys.stdout)
            sys.stdout.flush()
        except BrokenPipeError:
            console.drop_output()
            self._stop.signal = getattr(signal, "SIGPIPE", signal.SIGTERM)  # Windows has no SIGPIPE

    def _complain(self, line):
        tqdm.tqdm.write("charrnn-train: " + line, file=sys.stderr)


class _StopRequests:
    """The first signal that asks to stop, or None."""

    signal = None

    @contextlib.contextmanager
    def noted(self):
        """Note the first SIGINT, SIGTERM or SIGHUP instead of dying of it; the second has its usual effect."""
        usual = {}

        def note(number, _frame):
            self.signal = signal.Signals(number)
            for each, handler in usual.items():
                signal.signal(each, handler)

        try:
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)  # Windows has no SIGHUP
                # nohup switches SIGHUP off, and so it stays
                if number and not (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
                    usual[number] = signal.signal(number, note)
        except ValueError:
            pass  # not in the main thread, which alone may set handlers: signals keep their usual effect
        try:
            yield
        finally:
            for number, handler in usual.items():
                signal.signal(number, handler)


def _duration(seconds):
    """Return a length of time in words.

    >>> _duration(42), _duration(5000)
    ('42 s', '1 h 23 min')
    """
    if seconds < 100:
        return "{:.0f} s".format(seconds)
    hours, minutes = divmod(round(seconds / 60), 60)
    return "{} h {} min".format(hours, minutes) if hours else "{} min".format(minutes)
