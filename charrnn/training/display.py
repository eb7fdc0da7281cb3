"""What a training run prints: its plan, a line for each event, samples, and a progress bar."""
import contextlib
import sys
from dataclasses import dataclass
from typing import Iterable, Iterator, List, Optional, Tuple

import tqdm

from charrnn.checkpoints import Run
from charrnn.data import StrPath
from charrnn.system import console
from charrnn.system.console import plural
from charrnn.training.hyperparameters import Hyperparameters, advice
from charrnn.training.stopping import StopRequests
from charrnn.training.transfer import Transfer


@dataclass(frozen=True)
class Plan:
    """What a run is about to do.

    Attributes:
        run: its record.
        hyperparameters: its hyperparameters.
        folder: its folder.
        n_training: characters to train on.
        n_held_out: characters to evaluate on.
        n_windows: K, windows in an epoch.
        n_parameters: weights and biases of the network.
        transfer: where the initial weights come from; None for random ones.
        n_test: characters of the test text.
    """

    run: Run
    hyperparameters: Hyperparameters
    folder: StrPath
    n_training: int
    n_held_out: int
    n_windows: int
    n_parameters: int
    transfer: Optional[Transfer] = None
    n_test: int = 0

    @property
    def _n_characters(self) -> int:
        return self.n_training + self.n_held_out + self.n_test

    @property
    def n_steps(self) -> int:
        """Steps of all epochs."""
        return self.n_windows * self.hyperparameters.epochs

    @property
    def characters_per_step(self) -> int:
        """Characters in a window of all sequences, N·M."""
        return self.hyperparameters.batch_size * self.hyperparameters.num_steps

    def rows(self) -> List[Tuple[str, str]]:
        """Return the plan as pairs of a name and a value."""
        run, hyper = self.run, self.hyperparameters
        left_over = self.n_training - self.n_windows * self.characters_per_step
        rows = [("text", f"{run.text_name}, {self._n_characters:,} characters, "
                         f"{len(run.vocabulary):,} distinct")]
        if self.n_held_out:
            when = f"every {hyper.eval_every_n:,} steps and " if hyper.eval_every_n else ""
            which = "characters before the test text" if self.n_test else "characters"
            rows.append((
                "held out", f"the last {self.n_held_out:,} {which}, evaluated {when}at each checkpoint"))
        if self.n_test:
            rows.append(("test", f"the last {self.n_test:,} characters, evaluated once at the end"))
        rows += [
            ("windows", f"{self.n_windows:,} of {hyper.batch_size} x {hyper.num_steps} per epoch, "
                        f"{left_over:,} characters left over"),
            ("network", self._network()),
            ("steps", f"{self.n_steps:,} in {plural(hyper.epochs, 'epoch')}, seed {hyper.seed}"),
            ("folder", f"{self.folder}, a checkpoint every {hyper.save_every_n:,} steps"),
        ]
        flags = advice(hyper, self._n_characters, self.n_windows)
        if flags:
            rows.append(("advice", f"{plural(self.n_windows, 'step')} per epoch are few for these sizes; for a text of "
                                   f"this length try {flags}"))
        if self.transfer:
            new = console.listed(map(repr, self.transfer.new_characters))
            rows.append(("weights", f"from {self.transfer.checkpoint.name}, " + (
                f"with new rows for {new}" if new else "which has all characters of the text")))
        return rows

    def _network(self) -> str:
        hyper = self.hyperparameters
        kind = "" if hyper.cell == "lstm" else hyper.cell + " "
        slow = ", unrolled with dynamic_rnn (the fused unroll supports only lstm without dropout on inputs)"
        return (f"{plural(hyper.num_layers, 'layer')} of {plural(hyper.lstm_size, kind + 'unit')}, "
                f"{self.n_parameters:,} parameters{slow if hyper.fused and not hyper.unrolls_fused else ''}")


class Display:
    """Prints what happens in a run, above a progress bar if standard error is a terminal."""

    _bar: tqdm.tqdm  # set by bar()

    def __init__(self, plan: Plan, stop: StopRequests) -> None:
        """Prepare to print.

        Args:
            plan: the plan of the run.
            stop: notified when the reader of the output has gone.
        """
        self._plan, self._stop, self._output_closed = plan, stop, False
        self._writes_fail = False  # from a line that could not be printed until one that could

    def plan(self) -> None:
        """Print the plan."""
        self._table(self._plan.rows())

    def trial(self, seconds: float, memory: str) -> None:
        """Print what a few steps have shown: seconds a step, and the memory used."""
        total = duration(seconds * self._plan.n_steps)
        self._table([
            ("memory", memory),
            ("time", f"{seconds:.4f} s/batch, {total} for all steps, without checkpoints and evaluations")])

    def skipped(self, lines: Iterable[str]) -> None:
        """Print why newer checkpoints were skipped."""
        self._table([("skipped", line) for line in lines])

    def history(self, lost: int) -> None:
        """Print how many rows of the history are lost, if there are any."""
        if lost > 0:
            self._table([("history", f"{plural(lost, 'row')} of history.csv, written before this checkpoint, "
                                     f"{'is' if lost == 1 else 'are'} lost")])

    def resumed(self, step: int) -> None:
        """Print where the run resumes."""
        self._table([("resumed", f"after step {step:,}, {max(0, self._plan.n_steps - step):,} to go")])

    @contextlib.contextmanager
    def bar(self, step: int) -> Iterator[None]:
        """Show a progress bar, which begins at a step."""
        self._bar = tqdm.tqdm(total=self._plan.n_steps, initial=step, unit=" steps", disable=None,
                              dynamic_ncols=True, smoothing=0.05)
        with self._bar:
            yield

    def advance(self, loss: float) -> None:
        """Advance the bar by a step."""
        self._bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
        self._bar.update(1)

    def step(self, step: int, loss: float, seconds: float) -> None:
        """Print the notebook's line about a step."""
        self._print(f"{self._place(step)}  loss {loss:.4f}  {seconds:.4f} s/batch")

    def epoch(self, epoch: int, mean_loss: float) -> None:
        """Print the mean loss of an epoch."""
        self._print(f"epoch {epoch:,}/{self._plan.hyperparameters.epochs:,}  mean loss {mean_loss:.4f}")

    def validation(self, step: int, loss: float, best_loss: float, best_step: int) -> None:
        """Print the result of an evaluation."""
        best = "the best so far" if step == best_step else f"the best {best_loss:.4f} at step {best_step:,}"
        self._print(f"{self._place(step)}  validation loss {loss:.4f}, {best}")

    def test(self, loss: float, name: str) -> None:
        """Print the loss on the test text, and the checkpoint that has it."""
        self._print(f"test loss {loss:.4f}, of {name}")

    def saved(self, prefix: str) -> None:
        """Print which checkpoint was saved."""
        self._print(f"saved {prefix}")

    def sample(self, text: str) -> None:
        """Print a text that the network generated."""
        self._print(f"{'-' * 70}\n{text}\n{'-' * 70}")

    def ended_early(self, step: int, evaluations: int, best_step: int) -> None:
        """Print that training ended because the validation loss no longer improved."""
        self._print(f"ended early after step {step:,}: {plural(evaluations, 'evaluation')} without improvement since "
                    f"step {best_step:,}")

    def stopped(self, by: str, step: int) -> None:
        """Print that a signal ended the training, and how to resume it."""
        message = (f"stopped by {by} after step {step:,}; the checkpoint is saved. To resume: "
                   f"{console.resume_command(self._plan.folder)}")
        self._print(message)
        if self._output_closed:
            self.warn(message)

    def finished(self, step: int, limit: str = "--epochs") -> None:
        """Print that training has ended, and what to do next; limit is the flag that ended it."""
        folder = [] if str(self._plan.folder) == "checkpoints" else [console.quoted(self._plan.folder)]
        arguments = " ".join([*folder, *(["--best"] if self._plan.n_held_out else [])])
        self._print(f"finished after step {step:,}. To write text: {console.command('charrnn-sample', arguments)}\n"
                    f"To train longer, add {limit} N: {console.resume_command(self._plan.folder)}")

    def warn(self, message: object) -> None:
        """Print a warning on standard error."""
        with contextlib.suppress(OSError), tqdm.tqdm.external_write_mode(file=sys.stderr):
            console.print_note(f"charrnn-train: {message}")

    def _place(self, step: int) -> str:
        plan = self._plan
        epoch = (step - 1) // plan.n_windows + 1
        return f"epoch {epoch:,}/{plan.hyperparameters.epochs:,}  step {step:,}/{plan.n_steps:,}"

    def _table(self, rows: Iterable[Tuple[str, str]]) -> None:
        for name, value in rows:
            self._print(f"{name:<9}{value}")

    def _print(self, line: str) -> None:
        try:
            with tqdm.tqdm.external_write_mode(file=sys.stdout):
                console.write(f"{line}\n", sys.stdout)
            self._writes_fail = False
        except BrokenPipeError:
            console.drop_output()
            self._output_closed = True
            self._stop.reader_left()
        except OSError as error:
            if not self._writes_fail:
                self.warn(f"standard output cannot be written: {console.reason(error)}; training continues")
            self._writes_fail = True


def duration(seconds: float) -> str:
    """Return a length of time in words.

    >>> duration(42), duration(5000)
    ('42 s', '1 h 23 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
