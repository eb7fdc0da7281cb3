"""What a training run prints."""

import contextlib
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Iterable, Iterator, Optional, Tuple

import tqdm

from charrnn.checkpoints.record import RunRecord
from charrnn.hyperparameters import AUTO, TO_ZERO, learning_rate_at
from charrnn.system import errors, terminal, words
from charrnn.system.interrupts import StopRequests
from charrnn.system.words import plural
from charrnn.text import lists
from charrnn.training.job import Job
from charrnn.training.presets import FEW_CHARACTERS, FEW_STEPS, steps_of_auto

if TYPE_CHECKING:
    from charrnn.training.evaluation import Evaluation

LINES = 20  # that are proposed to be written at the end of a run
BAR = "{desc} {percentage:3.0f}%|{bar}| {n:,}/{total:,} {elapsed}<{remaining}"  # fits 50 columns


class Display:
    """Prints what happens in a run, above a progress bar if standard error is a terminal."""

    _bar: tqdm.tqdm  # set by bar()

    def __init__(
        self, job: Job, n_parameters: int, stop: StopRequests, quiet: bool = False
    ) -> None:
        """Prepare to print. ``stop`` is told when nobody reads that any more."""
        self.job = job
        self.folder = job.folder
        self._n_parameters = n_parameters
        self._stop = stop
        self._quiet = quiet
        self._writes_fail = False  # whether the last line could not be printed

    def plan(self) -> None:
        """Print what the run is about to do."""
        job = self.job
        run = self.job.record
        hyper = self.job.hyperparameters
        n_held_out = len(job.held_out)
        n_test = len(job.test)
        left_over = len(job.training) - job.n_windows * hyper.batch_size * hyper.num_steps
        # with init_from, the vocabulary also has the characters of the other model
        n_distinct = len(set(job.text) if run.init_from else run.vocabulary.chars)
        rows = [
            ("text", f"{run.text_name:.60}, {len(job.text):,} characters, {n_distinct:,} distinct")
        ]
        if hyper.shuffle == "lines":
            why = (
                f", because it is a list ({lists.RULE}); shuffle none keeps their order"
                * job.is_list
            )
            rows.append(("order", f"the lines of the text are shuffled{why}"))
        if n_held_out:
            when = f"every {hyper.eval_every_n:,} steps and " if hyper.eval_every_n else ""
            which = "characters before the test text" if n_test else "characters"
            rows.append(
                ("held out", f"the last {n_held_out:,} {which}, evaluated {when}at each checkpoint")
            )
        if n_test:
            rows.append(("test", f"the last {n_test:,} characters, evaluated once at the end"))
        rows += [
            (
                "windows",
                f"{job.n_windows:,} of {hyper.batch_size} x {hyper.num_steps} per epoch, "
                f"{left_over:,} characters left over",
            ),
            ("network", self._network()),
            ("steps", f"{job.total_steps:,} in {plural(hyper.epochs, 'epoch')}, seed {hyper.seed}"),
            ("folder", f"{self.folder}, a checkpoint every {hyper.save_every_n:,} steps"),
        ]
        rows += [("note", note) for note in ([] if job.options.resume else self._notes())]
        if job.time_in_words:
            rows.append(("time", job.time_in_words))
        if job.speedup is not None:  # it was measured
            rows.append(
                (
                    "precision",
                    f"bfloat16, {job.speedup:.1f} times as fast here"
                    if hyper.precision == "bfloat16"
                    else f"float32; bfloat16 is {job.speedup:.2f} times as fast here",
                )
            )
        if job.init_from:
            new = words.listed(
                map(repr, job.init_from.vocabulary.unknown("".join(run.vocabulary.chars)))
            )
            rows.append(
                (
                    "weights",
                    f"from {job.init_from.name}, "
                    + (
                        f"with new weights for {new}"
                        if new
                        else "which has all characters of the text"
                    ),
                )
            )
        self._table(rows)

    def _notes(self) -> Iterator[str]:
        """Yield what would be better for a new run."""
        job = self.job
        is_auto = self.job.options.preset == AUTO
        if len(job.text) < FEW_CHARACTERS and not job.of_lines:
            yield f"with fewer than {FEW_CHARACTERS:,} characters, counts of 5 characters predict better than a network"
        better = 0 if is_auto or job.total_steps >= FEW_STEPS else steps_of_auto(len(job.text))
        if better > job.total_steps:
            yield f"{job.total_steps:,} steps are few to learn from; the preset auto makes {better:,}"
        if job.is_list and not is_auto and job.hyperparameters.shuffle == "none":
            yield (
                f"the text is a list ({lists.RULE}), but not shuffled, so what is held out may be unlike the rest: "
                "take shuffle lines"
            )

    def _network(self) -> str:
        hyper = self.job.hyperparameters
        kind = "" if hyper.cell == "lstm" else hyper.cell + " "
        network = (
            f"{plural(hyper.num_layers, 'layer')} of {plural(hyper.lstm_size, kind + 'unit')}, "
            f"{self._n_parameters:,} parameters, {hyper.precision}"
        )
        if hyper.fused and not hyper.unrolls_fused:
            network += ", unrolled with dynamic_rnn (the fused unroll supports only lstm without dropout on inputs)"
        return network

    def trial(self, seconds: float, memory: str) -> None:
        """Print the estimate of a dry run: the memory, and the time from the seconds that a step takes."""
        total = timedelta(seconds=round(seconds * self.job.total_steps))
        self._table(
            [
                ("memory", memory),
                (
                    "time",
                    f"{seconds:.4f} s/batch, {total} for all steps, without checkpoints and evaluations",
                ),
            ]
        )

    def skipped(self, lines: Iterable[str]) -> None:
        """Print why newer checkpoints were skipped."""
        self._table([("skipped", line) for line in lines])

    def resumed(self, step: int, before: Optional[RunRecord]) -> None:
        """Print where the run resumes, and, if it raises the learning rate, from where to where.

        Args:
            step: number of steps done.
            before: the record of the checkpoint that was restored; None if there was none.
        """
        self._table(
            [("resumed", f"after step {step:,}, {max(0, self.job.total_steps - step):,} to go")]
        )
        new = self.job.hyperparameters
        old = before.hyperparameters if before else new
        last, same, rate = (
            learning_rate_at(hyper, place, self.job.n_windows)
            for hyper, place in ((old, max(0, step - 1)), (old, step), (new, step))
        )
        if rate > same:
            self._table([("rate", f"the learning rate rises from {last:.2g} to {rate:.2g}")])
        if not new.unrolls_fused and min(new.keep_prob, new.input_keep_prob) < 1:
            self._table(
                [("dropout", "its masks are others than in a run that was not interrupted")]
            )

    @contextlib.contextmanager
    def bar(self, step: int) -> Iterator[None]:
        """Show a progress bar that begins at a step."""
        self._bar = tqdm.tqdm(
            total=self.job.total_steps,
            initial=step,
            dynamic_ncols=True,
            smoothing=0.05,
            disable=self._quiet or not terminal.is_terminal(sys.stderr),
            bar_format=BAR,
            miniters=1,
        )  # so that no other thread writes
        with self._bar:
            yield

    def advance(self, loss: float) -> None:
        """Advance the bar by a step."""
        self._bar.set_description_str(f"loss {loss:.4f}", refresh=False)
        self._bar.update(1)

    def step(self, step: int, loss: float, seconds: float) -> None:
        """Print the notebook's line about a step."""
        self._print(f"{self._place(step)}  loss {loss:.4f}  {seconds:.4f} s/batch")

    def epoch(self, epoch: int, mean_loss: float) -> None:
        """Print the mean loss of an epoch."""
        self._print(
            f"epoch {epoch:,}/{self.job.hyperparameters.epochs:,}  mean loss {mean_loss:.4f}"
        )

    def validation(self, found: "Evaluation") -> None:
        """Print the result of an evaluation."""
        best = (
            "the best so far"
            if found.is_best
            else f"the best {found.best_loss:.4f} at step {found.best_step:,}"
        )
        self._print(f"{self._place(found.step)}  validation loss {found.loss:.4f}, {best}")

    def test(self, loss: float, name: str) -> None:
        """Print the loss on the test text, and the name of the checkpoint."""
        self._print(f"test loss {loss:.4f}, of {name}")

    def saved(self, prefix: str) -> None:
        """Print which checkpoint was saved."""
        self._print(f"saved {prefix}")

    def not_saved(self, error: OSError, has_checkpoint: bool) -> None:
        """Print why a checkpoint could not be saved, and that training continues."""
        so_far = (
            "earlier checkpoints are intact" if has_checkpoint else "there is no checkpoint yet"
        )
        self.warn(f"{errors.described(error)}; {so_far}, and training continues")

    def sample(self, text: str) -> None:
        """Print a text that the network generated."""
        self._print(f"{'-' * 70}\n{text}\n{'-' * 70}")

    def ended_early(self, step: int, last: "Evaluation") -> None:
        """Print that training ended because the validation loss no longer improved."""
        self._print(
            f"ended early after step {step:,}: {plural(last.since_best, 'evaluation')} without improvement "
            f"since step {last.best_step:,}"
        )

    def stopped(self, by: str, step: int) -> None:
        """Print that a signal ended the training, and how to resume it."""
        message = f"stopped by {by} after step {step:,}; the checkpoint is saved. To resume: {self._resumption()}"
        self._print(message)
        if by == "SIGPIPE":  # the reader of the output has gone
            self.warn(message)

    def finished(self, step: int, limit: str) -> None:
        """Print that training has ended, and what to do next; limit is the hyperparameter that ended it."""
        folder = self.folder
        best = bool(len(self.job.held_out))
        of_lines = self.job.of_lines
        schedule = self.job.hyperparameters.schedule if limit == "epochs" else ""
        again = ", and raise the learning rate again" * (schedule in TO_ZERO)
        if self.job.options.in_python:
            how = (
                f"open_model({str(folder)!r}{', best=True' * best})."
                f"{f'write_lines({LINES})' if of_lines else 'write()'}"
            )
            longer = f"To train longer{again}: {self._resumption(f', {limit}=N')}"
        else:
            how = words.command(
                "sample", words.quoted(folder) + " --best" * best + f" --lines {LINES}" * of_lines
            )
            longer = (
                f"To train longer{again}, add --{limit.replace('_', '-')} N: {self._resumption()}"
            )
        self._print(
            f"finished after step {step:,}. To write {'lines' if of_lines else 'text'}: {how}\n{longer}"
        )

    def _resumption(self, arguments: str = "") -> str:
        """Return how to resume the run, in Python with more arguments."""
        if self.job.options.in_python:
            return f"train_model(None, {str(self.folder)!r}, resume=True{arguments})"
        return words.resume_command(self.folder)

    def warn(self, message: object) -> None:
        """Print a warning on standard error."""
        if self._quiet:
            return
        with contextlib.suppress(OSError, ValueError), tqdm.tqdm.external_write_mode(
            file=sys.stderr
        ):
            terminal.print_note(f"charrnn-train: {message}")

    def _place(self, step: int) -> str:
        job = self.job
        epoch = (step - 1) // job.n_windows + 1
        return f"epoch {epoch:,}/{job.hyperparameters.epochs:,}  step {step:,}/{job.total_steps:,}"

    def _table(self, rows: Iterable[Tuple[str, str]]) -> None:
        for name, value in rows:
            self._print(f"{name:<8} {value}")

    def _print(self, line: str) -> None:
        if self._quiet:
            return
        try:
            with tqdm.tqdm.external_write_mode(file=sys.stdout):
                terminal.write(f"{line}\n", sys.stdout)
            self._writes_fail = False
        except BrokenPipeError:
            terminal.drop_output(sys.stdout)
            self._stop.reader_left()
        except (OSError, ValueError) as error:  # ValueError: it is closed
            if not self._writes_fail:
                self.warn(
                    f"standard output cannot be written: {errors.reason(error)}; training continues"
                )
            self._writes_fail = True
