"""The options of a run that are not hyperparameters."""

from dataclasses import dataclass
from typing import Optional

from charrnn.hyperparameters import AUTO, REPORTS, SPEED, Checkable, setting
from charrnn.training.presets import PRESETS

# With tens of thousands of threads, TensorFlow ends the process.
MOST_THREADS = 1000


@dataclass(frozen=True)
class Options(Checkable):
    """The options of a run.

    Attributes:
        resume: whether to continue the run in the folder.
        preset: the hyperparameters to start from, a name in PRESETS or AUTO; None for the notebook's.
        sample_length: characters to sample at each checkpoint, 0 for none.
        threads: threads to use; None for one for each core of the process.
        summaries: whether to write TensorBoard's event files in addition to history.csv.
        quiet: whether to print nothing.
        minutes: the time that the run is to take, from its plan to its end; None if its hyperparameters say how long.
        in_python: whether what is printed says what to do in Python, not in a shell.
    """

    resume: bool = setting(False, "", "", choices=(False, True))
    preset: Optional[str] = setting(None, "", "", choices=(None, *PRESETS, AUTO))
    sample_length: int = setting(
        200, REPORTS, "characters to sample at each checkpoint; 0 for none"
    )
    threads: Optional[int] = setting(
        None,
        SPEED,
        "threads to use",
        least=1,
        most=MOST_THREADS,
        kind=int,
        otherwise="one for each core of the process",
    )
    summaries: bool = setting(
        True, REPORTS, "do not write event files for TensorBoard", choices=(True, False)
    )
    quiet: bool = setting(False, "", "", choices=(False, True))
    minutes: Optional[float] = setting(None, "", "", least=0.01, kind=float)
    in_python: bool = setting(False, "", "", choices=(False, True))
