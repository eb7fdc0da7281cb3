"""What the notebooks use besides the reader's own code: pictures, properties of a text, shares of real words."""
import os
import re
import textwrap
from typing import Any, Dict, Iterable, List, Sequence, Tuple

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.colors import LinearSegmentedColormap

BLUE, GREEN, ORANGE, VIOLET, GREY = "#1d5f9e", "#2b7354", "#b3540a", "#6a4ba3", "#66727f"
# As on the network's web page: red where a unit is low, white at 0, blue where it is high; black is legible on all.
RED_TO_BLUE = LinearSegmentedColormap.from_list("unit", ["#f48668", "#ffffff", "#60a5eb"])
COLUMNS = 80  # of a line of written text


def show(figure: Any, alt: str) -> None:
    """Show a figure, with words for those who cannot see it."""
    display(figure, metadata={"image/png": {"alt": alt}})
    plt.close(figure)


def show_text(text: str) -> None:
    """Print a written text; long lines are broken between words."""
    for line in text.split("\n"):
        print(line if len(line) <= COLUMNS else
              textwrap.fill(line, COLUMNS, break_long_words=False, break_on_hyphens=False))


def show_losses(losses: Dict[str, float]) -> None:
    """Print losses on the held-out text as a table, with a bar for each."""
    for name, loss in losses.items():
        print(f"{name:38} {loss:6.3f}  {'█' * int(round(8 * loss))}")


def plot_by_heart(losses: Sequence[float], even: float) -> None:
    """Show the losses of a network that learns one batch by heart."""
    figure, axes = plt.subplots(figsize=(8, 3))
    axes.semilogy(range(1, len(losses) + 1), losses, color=BLUE)
    axes.axhline(even, color=ORANGE, linestyle="--", label=f"even guessing, {even:.2f}")
    axes.set(xlabel="step", ylabel="loss on this batch (nats)", xlim=(1, len(losses)))
    axes.legend(frameon=False)
    show(figure, f"Curve of the loss on one batch: it falls from {losses[0]:.2f} to {losses[-1]:.3f} nats in "
                 f"{len(losses)} steps.")


def plot_faults(curves: Dict[str, Sequence[float]], correct: Sequence[float]) -> None:
    """Show the losses of broken programs, each beside those of the correct one."""
    figure, columns = plt.subplots(1, len(curves), figsize=(9, 3), sharey=True)
    for axes, (name, losses) in zip(columns, curves.items()):
        axes.plot(_smooth(correct), color=GREY, label="correct")
        axes.plot(_smooth(losses), color=ORANGE, label=name)
        axes.set(title=name, xlabel="step")
        axes.legend(frameon=False)
    columns[0].set_ylabel("loss (nats)")
    figure.tight_layout()
    ends = ", ".join(f"{name} {np.mean(losses[-50:]):.2f}" for name, losses in curves.items())
    show(figure, f"Three pairs of falling curves. Over the last 50 steps the mean loss is {ends}, and "
                 f"{np.mean(correct[-50:]):.2f} for the correct program.")


def _smooth(losses: Sequence[float], width: int = 20) -> np.ndarray:
    return np.convolve(losses, np.full(width, 1 / width), mode="valid")


def reference(setting: str, text_name: str) -> Tuple[Any, Any]:
    """Return the steps and losses of a run to compare with, or two empty lists."""
    names = {"own": "assets/reference.csv", "recipe": "assets/reference-recipe.csv"}
    name = names.get(setting, "")
    if text_name != "anna" or not os.path.exists(name):
        return [], []
    return tuple(np.loadtxt(name, delimiter=",", skiprows=1, unpack=True))


def plot_losses(losses: Sequence[float], held_out: Sequence[Tuple[int, float]], epochs: int,
                lines: Dict[str, float], compared: Tuple[Any, Any]) -> None:
    """Show the losses of a run.

    Args:
        losses: of every step.
        held_out: (step, loss) on the held-out text.
        epochs: how many there were.
        lines: losses that horizontal lines show, by name.
        compared: the steps and losses of another run.
    """
    figure, axes = plt.subplots(figsize=(8, 4.5))
    if len(compared[0]):
        axes.plot(*compared, color="#8a97a3", linewidth=3, alpha=0.6, label="reference")
    axes.plot(np.arange(1, len(losses) + 1), losses, color=BLUE, linewidth=0.8, label="LSTM, training")
    axes.plot(*zip(*held_out), color=GREEN, marker="o", markersize=4, label="LSTM, held out")
    for (name, loss), color in zip(lines.items(), (ORANGE, VIOLET)):
        axes.axhline(loss, color=color, linestyle="--", label=f"{name}, {loss:.2f}")
    for epoch in range(1, epochs + 1):
        axes.axvline(epoch * len(losses) // epochs, color=GREY, linestyle=":", linewidth=1)
    ticks = [1.2, 1.5, 2, 2.5, 3, 4]
    axes.set(xscale="log", yscale="log", xlabel="step", ylabel="loss (nats per character)",
             xlim=(1, len(losses) * 1.1), yticks=ticks, yticklabels=ticks)
    axes.minorticks_off()
    axes.legend(frameon=False, loc="lower left")
    show(figure, f"Curve of the training loss over {len(losses)} steps, from {losses[0]:.2f} to {losses[-1]:.2f} nats, "
                 f"with the held-out loss, which ends at {held_out[-1][1]:.2f}.")


def plot_fits(fits: Dict[str, np.ndarray]) -> None:
    """Show for some networks the training and the held-out loss of each epoch, [2, epochs]."""
    figure, columns = plt.subplots(1, len(fits), figsize=(9, 3), sharey=True)
    for axes, (title, (training, unseen)) in zip(columns, fits.items()):
        axes.plot(range(1, len(training) + 1), training, color=BLUE, label="training")
        axes.plot(range(1, len(training) + 1), unseen, color=GREEN, label="held out")
        axes.set(title=title, xlabel="epoch")
    columns[0].set_ylabel("loss (nats)")
    columns[0].legend(frameon=False)
    figure.tight_layout()
    show(figure, "Training and held-out loss by epoch, for each network. " + " ".join(
        f"{title}: they end at {training[-1]:.2f} and {unseen[-1]:.2f}." for title, (training, unseen) in fits.items()))


def words_of(text: str) -> List[str]:
    """Return the words of a text in small letters."""
    return re.findall(r"[a-z]+", text.lower())


def share_of_real_words(written: str, known: Iterable[str]) -> float:
    """Return which share of the words of a text is known."""
    return float(np.mean([word in known for word in words_of(written)] or [0]))


def properties_of(passage: str) -> Dict[str, np.ndarray]:
    """Return what a unit might follow: each property's value at each character."""
    line_starts = np.cumsum([len(line) + 1 for line in passage.split("\n")])
    places = np.arange(len(passage))
    starts = np.append(0, line_starts)[np.searchsorted(line_starts, places, side="right")]
    return {"inside a quotation": np.cumsum([char == '"' for char in passage]) % 2,
            "position in the line": places - starts,
            "beginning of a word": np.array([0] + [char == " " for char in passage[:-1]]),
            "capital letter": np.array([char.isupper() for char in passage])}


def correlations(memory: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the correlation of each unit, [T, L], with a property, [T]: [L]."""
    return _standardized(memory).T @ _standardized(values) / len(values)


def _standardized(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)


def coloured(passage: str, values: np.ndarray, title: str) -> None:
    """Show a passage on colours, scaled to the largest value: blue above 0, red below."""
    lines, most = passage.split("\n"), float(np.abs(values).max()) or 1.0
    ground = np.zeros((len(lines), max(map(len, lines))))
    figure, axes = plt.subplots(figsize=(9, 0.2 * len(lines) + 0.6))
    place = 0
    for row, line in enumerate(lines):
        ground[row, :len(line)] = values[place:place + len(line)]
        place += len(line) + 1
        for column, char in enumerate(line):
            axes.text(column, row, char, family="monospace", size=9, ha="center", va="center", color="black")
    axes.imshow(ground, cmap=RED_TO_BLUE, vmin=-most, vmax=most, aspect="auto")
    axes.set_title(f"{title} (blue: {most:.2f}, white: 0, red: {-most:.2f})", loc="left", size=10)
    axes.axis("off")
    high = "".join(char for char, value in zip(passage, values) if value > most / 2)
    show(figure, f"{title}. A passage of {len(passage)} characters on coloured ground. Blue, where the unit is high, "
                 f"are: {' '.join(high.split())[:200]}")
