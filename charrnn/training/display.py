"""What a training run prints."""

import contextlib
import math
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Iterable, Iterator, Tuple

import tqdm

from charrnn.checkpoints.find import is_numbered
from charrnn.checkpoints.progress import Best
from charrnn.hyperparameters import AUTO, TO_ZERO
from charrnn.system import commands_to_type, errors, terminal, words
from charrnn.system.interrupts import StopRequests
from charrnn.system.words import plural
from charrnn.text import corpus, lines
from charrnn.training.job import Job
from charrnn.training.presets import FEW_CHARACTERS, FEW_STEPS, steps_of_auto

# lines that the end of a run proposes to write
LINES_TO_WRITE = 20
# With fewer characters and no known model of the language, this share of the longer words is invented (docs/log.md).
INVENTED = ((20_000, "most"), (100_000, "about half"))
# A network that guesses has a loss of ln C. One that has so many times this has learned nothing, but grown wild.
FAR_ABOVE_GUESSING = 2
# What a step has in memory: of each output of a unit in a window, and of each parameter (measured).
NUMBERS_OF_OUTPUT = 13
NUMBERS_OF_PARAMETER = 5
# the line around a sample
LINE_ACROSS = "-" * 70
# of the progress bar, which fits 50 columns
BAR = "{desc} {percentage:3.0f}%|{bar}| {n:,}/{total:,} {elapsed}<{remaining}"

# a row of the plan: a name, and what there is to say of it
Row = Tuple[str, str]


class Display:
    """Prints what happens in a run, above a progress bar if standard error is a terminal."""

    # made by bar()
    _bar: tqdm.tqdm

    def __init__(
        self,
        job: Job,
        n_parameters: int,
        stop: StopRequests,
        *,
        quiet: bool = False,
        in_python: bool = False,
    ) -> None:
        """Prepare to print. When nobody reads that any more, ``stop`` is asked to stop the run."""
        self.job = job
        self.folder = job.folder
        self._n_parameters = n_parameters
        self._stop = stop
        self._quiet = quiet
        self._in_python = in_python
        n_lines = 0
        if job.of_lines:
            n_lines = LINES_TO_WRITE
        self._to_type = commands_to_type.for_run(job.folder, n_lines, in_python)
        # Whether the last line could not be printed.
        self._writes_fail = False

    def plan(self) -> None:
        """Print what the run is about to do."""
        job = self.job
        hyper = job.hyperparameters
        self._table(self._text())

        windows = f"{job.n_windows:,} of {hyper.batch_size} x {hyper.num_steps} per epoch"
        # The characters at the end that fill no window.
        left_out = len(job.training) - job.n_windows * hyper.batch_size * hyper.num_steps
        if left_out:
            windows += f", without the last {plural(left_out, 'character')}"
        self._row("windows", windows)
        self._row("network", self._network())
        steps = f"{job.total_steps:,} in {plural(hyper.epochs, 'epoch')}"
        self._row("steps", f"{steps}, seed {hyper.seed}")
        self._row(
            "folder", f"{self._place_of_run()}, a checkpoint every {hyper.save_every_n:,} steps"
        )

        if not job.resumes:
            for note in self._notes():
                self._row("note", note)
        self._table(self._choices())
        self._table(self._start())

    def _text(self) -> Iterator[Row]:
        """Yield what is known of the text, and of its parts."""
        job = self.job
        record = job.record
        hyper = job.hyperparameters

        # Until version 3.1, the vocabulary of a run from another model also had the characters of that model.
        n_distinct = len(record.vocabulary)
        if record.init_from:
            n_distinct = len(set(job.text))
        n_characters = f"{len(job.text):,} characters, {n_distinct:,} distinct"
        name = f"{record.text_name:.60}"
        if job.n_files > 1:
            name += f", {plural(job.n_files, 'file')}"
        yield "text", f"{name}, {n_characters}"
        if hyper.shuffle == "lines":
            order = "the lines of the text are shuffled"
            if job.is_list:
                order += f", because it is a list ({lines.RULE}); shuffle none keeps their order"
            yield "order", order

        n_held_out = len(job.held_out)
        n_test = len(job.test)
        if n_held_out:
            which = "characters before the test text" if n_test else "characters"
            when = "at each checkpoint"
            if hyper.eval_every_n:
                when = f"every {hyper.eval_every_n:,} steps and {when}"
            yield "held out", f"the last {n_held_out:,} {which}, evaluated {when}"
        if n_test:
            yield "test", f"the last {n_test:,} characters, evaluated once at the end"

    def _choices(self) -> Iterator[Row]:
        """Yield what was chosen on this machine."""
        job = self.job
        # None: it was not measured.
        if job.speedup is not None:
            if job.hyperparameters.precision == "bfloat16":
                yield "precision", f"bfloat16, {job.speedup:.1f} times as fast here"
            else:
                yield "precision", f"float32; bfloat16 is {job.speedup:.2f} times as fast here"

    def _start(self) -> Iterator[Row]:
        """Yield what the run begins with."""
        start = self.job.start
        if not start.model:
            if start.reason:
                yield "start", f"anew, {start.reason}"
            return

        begins_with = start.model.name
        if start.was_chosen:
            begins_with = f"{begins_with}, {start.reason}; init_from none begins anew"
        yield "start", begins_with
        chars = "".join(self.job.record.vocabulary.chars)
        new_chars = start.model.vocabulary.unknown(chars)
        if new_chars:
            yield "weights", f"new ones for {words.listed(map(repr, new_chars))}"

    def _place_of_run(self) -> str:
        """Return the folder, and why it is this one if nobody named it and it is not the first."""
        if self.job.resumes or self.job.names_folder or not is_numbered(self.folder):
            return str(self.folder)
        return f"{self.folder}, because the folder before it holds another run (checkpoint_dir names another folder)"

    @property
    def _makes_few_steps(self) -> bool:
        """Whether the run is not of the preset auto, and makes few steps where that preset would make more."""
        steps = self.job.total_steps
        is_auto = self.job.preset == AUTO
        return steps < FEW_STEPS and not is_auto and steps < steps_of_auto(len(self.job.text))

    def _notes(self) -> Iterator[str]:
        """Yield what would be better for a new run."""
        job = self.job
        is_auto = job.preset == AUTO
        is_short = len(job.text) < FEW_CHARACTERS and not job.of_lines
        if is_short and not job.start.model:
            yield f"with fewer than {FEW_CHARACTERS:,} characters, n-gram counts often predict better than a network"

        if job.start.is_unlike and not job.of_lines:
            for most, share in INVENTED:
                if len(job.text) < most:
                    yield f"of so few characters it learns little: {share} of its longer words will be invented"
                    break

        if self._makes_few_steps:
            yield (
                f"{job.total_steps:,} steps are few to learn from; the preset auto makes "
                f"{steps_of_auto(len(job.text)):,}, or begins with a trained model"
            )

        if job.is_list and not is_auto and job.hyperparameters.shuffle == "none":
            yield (
                f"the text is a list ({lines.RULE}), but not shuffled, so what is held out may be unlike the rest: "
                "take shuffle lines"
            )

        known = corpus.KNOWN_TEXTS.get(job.record.text_name)
        if known and known.after_the_work and (len(job.held_out) or len(job.test)):
            yield (
                f"the last {known.after_the_work:,} characters are {known.kind_after}: the loss on them is higher than "
                "on what was held out before them"
            )

    def _network(self) -> str:
        hyper = self.job.hyperparameters
        unit = "unit" if hyper.cell == "lstm" else f"{hyper.cell} unit"
        network = (
            f"{plural(hyper.num_layers, 'layer')} of {plural(hyper.lstm_size, unit)}, "
            f"{self._n_parameters:,} parameters, {hyper.precision}"
        )
        if hyper.fused and not hyper.unrolls_fused:
            network += ", unrolled with dynamic_rnn (the fused unroll supports only lstm without dropout on inputs)"
        return network

    def memory(self) -> None:
        """Print about how much memory a run takes."""
        hyper = self.job.hyperparameters
        outputs = hyper.batch_size * hyper.num_steps * hyper.num_layers * hyper.lstm_size
        numbers = NUMBERS_OF_OUTPUT * outputs + NUMBERS_OF_PARAMETER * self._n_parameters
        megabytes = 4 * numbers / 1e6
        self._row("memory", f"about {megabytes:,.0f} MB, and 300 to 700 MB of TensorFlow")

    def skipped(self, lines: Iterable[str]) -> None:
        """Print why newer checkpoints were skipped."""
        for line in lines:
            self._row("skipped", line)

    def resumed(self, step: int) -> None:
        """Print from which step a run goes on, and in what it differs from an uninterrupted one."""
        left = max(0, self.job.total_steps - step)
        self._row("resumed", f"after step {step:,}, {left:,} to go")
        threads = self.job.threads
        so_far = self.job.threads_so_far
        if so_far not in (None, threads):
            differs = "so the result is not bit for bit that of an uninterrupted run"
            self._row("threads", f"{threads}, and {so_far} so far, {differs}")

        # The random state of dynamic_rnn's masks is not in a checkpoint. Those of the fused unroll depend on the step.
        hyper = self.job.hyperparameters
        if not hyper.unrolls_fused and min(hyper.keep_prob, hyper.input_keep_prob) < 1:
            self._row("dropout", "its masks are others than in a run that was not interrupted")

    @contextlib.contextmanager
    def bar(self, step: int) -> Iterator[None]:
        """Show a progress bar that begins at a step."""
        # With miniters, tqdm has no monitor, a thread that would write too.
        self._bar = tqdm.tqdm(
            total=self.job.total_steps,
            initial=step,
            dynamic_ncols=True,
            smoothing=0.05,
            disable=self._quiet or not terminal.is_terminal(sys.stderr),
            bar_format=BAR,
            miniters=1,
        )
        with self._bar:
            yield

    def advance(self, loss: float) -> None:
        """Move the progress bar on by a step, and show its loss."""
        self._bar.set_description_str(f"loss {loss:.4f}", refresh=False)
        self._bar.update(1)

    def step(self, step: int, loss: float, seconds: float) -> None:
        """Print the notebook's line about a step."""
        self._print(f"{self._place(step)}  loss {loss:.4f}  {seconds:.4f} s/batch")

    def epoch(self, epoch: int, mean_loss: float) -> None:
        """Print the mean training loss of an epoch."""
        note = ""
        if self.is_far_above_guessing(mean_loss):
            note = f", far above guessing ({self._guessing:.4f}): the learning_rate may be too high"
        self._print(
            f"epoch {epoch:,}/{self.job.hyperparameters.epochs:,}  mean loss {mean_loss:.4f}{note}"
        )

    def is_far_above_guessing(self, loss: float) -> bool:
        """Return whether a loss is so high that the network has learned nothing."""
        return loss > FAR_ABOVE_GUESSING * self._guessing

    @property
    def _guessing(self) -> float:
        """The loss of a network that guesses, ln C."""
        return math.log(len(self.job.record.vocabulary))

    def validation(self, step: int, loss: float, best: Best) -> None:
        """Print the validation loss of a step, and the best one so far."""
        so_far = f"the best {best.loss:.4f} at step {best.step:,}"
        if step == best.step:
            so_far = "the best so far"
        self._print(f"{self._place(step)}  validation loss {loss:.4f}, {so_far}")

    def test(self, loss: float, name: str) -> None:
        """Print the loss on the test text, and the name of the checkpoint that has it."""
        self._print(f"test loss {loss:.4f}, of {name}")

    def saved(self, prefix: str) -> None:
        """Print that a checkpoint was saved."""
        self._print(f"saved {prefix}")

    def save_failed(self, error: OSError, at_risk: int, has_checkpoint: bool) -> None:
        """Print why a save failed, how many steps are in no checkpoint, and that training continues."""
        if not at_risk:
            so_far = "the checkpoint is saved"
        elif has_checkpoint:
            so_far = f"earlier checkpoints are intact, {plural(at_risk, 'step')} at risk"
        else:
            so_far = f"there is no checkpoint yet, {plural(at_risk, 'step')} at risk"
        self.warn(f"{errors.described(error)}; {so_far}, and training continues")

    def rescued(self, path: Path, step: int) -> str:
        """Return where the network of a step is whose checkpoint cannot be saved, and how to go on from it.

        The rest of the run is counted in whole epochs, at least one.
        """
        job = self.job
        left = math.ceil((job.total_steps - step) / job.n_windows)
        epochs = max(1, left)
        name = job.record.text_name
        if not corpus.is_known(name) and not os.path.exists(name):
            name = "TEXT"
        settings = replace(job.hyperparameters, epochs=epochs, threads=None)
        to_type = commands_to_type.for_run(path, 0, self._in_python)
        write = to_type.write(best=False)
        train = to_type.begin_from(name, settings)
        return f"The network is in {path}. To write: {write}. To go on from it: {train}"

    def sample(self, text: str) -> None:
        """Print a text that the network wrote, between two rules."""
        self._print(f"{LINE_ACROSS}\n{text}\n{LINE_ACROSS}")

    def ended_early(self, step: int, best: Best) -> None:
        """Print that training ended because the validation loss no longer improved."""
        evaluations = plural(best.evaluations_since, "evaluation")
        self._print(
            f"ended early after step {step:,}: {evaluations} without improvement since step {best.step:,}"
        )

    def stopped(self, by: str, step: int) -> None:
        """Print that a signal ended the training, and how to resume it and to write with what was learned so far."""
        message = f"stopped by {by} after step {step:,}; the checkpoint is saved. To resume: {self._to_type.resume()}"
        self._print(message)
        # Display has noted this "signal" itself, because the reader of standard output has gone.
        if by == "SIGPIPE":
            self.warn(message)
        else:
            writing = self._to_type.write(best=False)
            self._print(f"To write with what it has learned so far: {writing}")

    def finished(self, step: int, ends_early: bool) -> None:
        """Print that training has ended, and what to do next.

        Args:
            step: number of steps done.
            ends_early: whether ``early_stop`` ends the run, perhaps at its last step.
        """
        job = self.job
        longer = "To train longer"
        # What must change, so that the run goes on.
        changed = {}
        if step >= job.total_steps:
            # A run that is resumed with fewer epochs has done more than these.
            epochs_done = math.ceil(step / job.n_windows)
            changed["epochs"] = 2 * epochs_done
            if job.hyperparameters.schedule in TO_ZERO:
                longer += ", and raise the learning rate again"
        if ends_early:
            changed["early_stop"] = 0
        resumption = self._to_type.resume(**changed)

        has_best = len(job.held_out) > 0
        if job.record.init_from and has_best:
            # The best by its loss has more words of the model that it began with.
            writing = (
                f"Closest to your text: {self._to_type.write(best=False)}\n"
                f"Lowest loss on its held-out end: {self._to_type.write(best=True)}\n"
                f"The model alone, without the rest of the folder: {self._to_type.keep()}"
            )
        else:
            what = "lines" if job.of_lines else "text"
            writing = f"To write {what}: {self._to_type.write(best=has_best)}"
        # Only this kind of cells can be a page.
        if job.hyperparameters.cell == "lstm":
            writing += f"\nAs a web page: {self._to_type.page()}"
        self._print(f"finished after step {step:,}. {writing}\n{longer}: {resumption}")

    def warn(self, message: object) -> None:
        """Print a warning on standard error, after the name of what was called, unless the run is quiet."""
        if self._quiet:
            return
        with contextlib.suppress(OSError, ValueError):
            with tqdm.tqdm.external_write_mode(file=sys.stderr):
                terminal.print_note(f"{self._to_type.program}: {message}")

    def _place(self, step: int) -> str:
        job = self.job
        epoch = (step - 1) // job.n_windows + 1
        return f"epoch {epoch:,}/{job.hyperparameters.epochs:,}  step {step:,}/{job.total_steps:,}"

    def _table(self, rows: Iterable[Row]) -> None:
        for name, value in rows:
            self._row(name, value)

    def _row(self, name: str, value: str) -> None:
        self._print(f"{name:<8} {value}")

    def _print(self, line: str) -> None:
        if self._quiet:
            return
        try:
            with tqdm.tqdm.external_write_mode(file=sys.stdout):
                terminal.write(f"{line}\n", sys.stdout)
            self._writes_fail = False
        except BrokenPipeError:
            # The reader of standard output has gone: training ends after this step.
            terminal.drop_output(sys.stdout)
            self._stop.reader_left()
        except (OSError, ValueError) as error:
            # ValueError: this program has closed its own standard output.
            if not self._writes_fail:
                reason = errors.reason(error)
                self.warn(f"standard output cannot be written: {reason}; training continues")
            self._writes_fail = True
