"""What the notebooks use besides the reader's own code: pictures, folded answers, earlier runs, stored figures."""

import ast
import base64
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import types
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import matplotlib.pyplot as plt
import numpy as np
from folded import COLUMNS, folded
from IPython import get_ipython
from IPython.core.magic import register_cell_magic
from IPython.display import display
from matplotlib.colors import LinearSegmentedColormap

from charrnn.system.tensorflow import tf

BLUE = "#1d5f9e"
GREEN = "#2b7354"
ORANGE = "#b3540a"
VIOLET = "#6a4ba3"
GREY = "#66727f"
# As on the network's web page: red where a unit is low, white at 0, blue where it is high; black is legible on all.
RED_TO_BLUE = LinearSegmentedColormap.from_list("unit", ["#f48668", "#ffffff", "#60a5eb"])
# at the top of the picture of learning rates: a little above even guessing, ln 83
HIGHEST_LOSS = 5
LETTERS = {"family": "monospace", "color": "black"}
STORED = "assets/measured.json"
PAGE_PICTURE = "../docs/images/anna-page.png"
PAGE_IN_WORDS = "The top of the page of the model anna: two texts, in which one of its numbers is held low and high."
# the results of this session, by experiment
_measured: Dict[str, Dict[str, Any]] = {}


def run_first_session() -> None:
    """Run a session: the first one writes to the standard error of the process, as of TensorFlow 2.19. It is lost."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing, tf.Graph().as_default(), tf.Session() as session:
            os.dup2(nothing.fileno(), 2)
            session.run(tf.constant(0))
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def show(figure: Any, alt: str) -> None:
    """Show a figure, with words for those who cannot see it."""
    display(figure, metadata={"image/png": {"alt": alt}})
    plt.close(figure)


def show_page_folded() -> None:
    """Show a folded picture of a network's web page, for where a frame stays empty."""
    with open(PAGE_PICTURE, "rb") as file:
        picture = base64.b64encode(file.read()).decode()
    page = (
        f"<details><summary>A picture of such a page</summary>"
        f'<img src="data:image/png;base64,{picture}" alt="{PAGE_IN_WORDS}" width="800"></details>'
    )
    display({"text/html": page, "text/plain": PAGE_IN_WORDS}, raw=True)


def unfold(name: str, prediction: Any) -> None:
    """Show the answer to a question, folded, once there is a prediction."""
    if prediction is None or prediction is ... or not str(prediction).strip():
        print(
            "Write your prediction in place of the dots and run this cell: then the answer can be unfolded."
        )
        return
    display(folded(name), raw=True)
    shell = get_ipython()
    if shell and shell.user_ns.get("setting") == "small":
        print("Its figures are those of the setting own: with small, yours are others.")


def show_text(text: str) -> None:
    """Print a written text. A line that is too long is broken between words, and goes on after an arrow."""
    for line in text.split("\n"):
        if len(line) > COLUMNS:
            line = textwrap.fill(line, COLUMNS, subsequent_indent="  ↳ ", break_on_hyphens=False)
        print(line)


def measured(experiment: str, anew: bool, measure: Dict[str, Callable]) -> Dict[str, np.ndarray]:
    """Return what each function of an experiment measures, or what the solution's run has stored of it."""
    if anew:
        figures = {name: _four_digits(function()) for name, function in measure.items()}
    else:
        print(
            "These figures are those of the solution's run, on Anna Karenina. To measure\n"
            "them here, set measure = True below Hyperparameters, and run both cells again."
        )
        figures = _stored()[experiment]
    _measured[experiment] = figures
    return latest(experiment)


def latest(experiment: str) -> Dict[str, np.ndarray]:
    """Return what an experiment has measured or shown in this session, or else what the solution's run has stored."""
    figures = _measured[experiment] if experiment in _measured else _stored()[experiment]
    return {name: np.array(values) for name, values in figures.items()}


def _stored() -> Dict[str, Any]:
    with open(STORED, encoding="utf-8") as file:
        return dict(json.load(file))


def _four_digits(values: Any) -> Any:
    rounded = np.vectorize(lambda value: float(f"{value:.4g}"))
    return rounded(values).tolist()


def store_measured() -> None:
    """Write what was measured in this session to the file of stored figures.

    Experiments that the notebooks no longer have stay, for those who have begun with an earlier version.
    """
    text = json.dumps({**_stored(), **_measured})
    with open(STORED, "w", encoding="utf-8") as file:
        file.write(text.replace("}, ", "},\n") + "\n")


def show_losses(losses: Dict[str, Any]) -> None:
    """Print losses on the held-out text as a table, with bars that begin at the loss of bigrams.

    Of several losses for one name the mean is shown, and from where to where they lie.
    """
    begin = losses.get("bigrams", 0)
    if begin:
        print(f"the bars begin at the bigrams, {begin:.3f}, and grow as the loss falls")
    values = {name: np.atleast_1d(loss) for name, loss in losses.items()}
    has_spread = any(of_name.size > 1 for of_name in values.values())
    widest = 22 if has_spread else 30
    best = min(of_name.min() for of_name in values.values())
    scale = widest / max(begin - best, 0.3)

    for name, of_name in values.items():
        mean = of_name.mean()
        spread = f"({of_name.min():.3f} to {of_name.max():.3f})" if of_name.size > 1 else ""
        bar = "█" * int(round(scale * (begin - mean)))
        print(f"{name:33}{mean:6.3f} {spread:16} {bar}".rstrip())


def show_places(losses: Sequence[float]) -> None:
    """Print the losses on the pieces of a text, in their order, with bars that begin at the smallest."""
    print(f"the bars begin at the smallest, {min(losses):.2f}")
    for number, loss in enumerate(losses, start=1):
        bar = "█" * int(round(50 * (loss - min(losses))))
        print(f"piece {number:2}: {loss:.2f}  {bar}".rstrip())


def show_shares(names: Sequence[str], distances: Sequence[int], right: np.ndarray) -> None:
    """Print how often each network is right at each distance, [seeds, names, distances]: the mean, lowest, highest."""
    print("right, in percent: the mean of the seeds, and from where to where they lie")
    heads = [f"after {distance}" for distance in distances]
    print(" " * 20 + _columns(heads))
    for name, percent in zip(names, np.rollaxis(100 * right, 1)):  # [seeds, distances]
        cells = [
            f"{seeds.mean():.0f} ({seeds.min():.0f} to {seeds.max():.0f})" for seeds in percent.T
        ]
        print(f"{name:20}{_columns(cells)}")


def _columns(cells: Sequence[str]) -> str:
    return "".join(f"{cell:>17}" for cell in cells)


def plot_gates(gates: np.ndarray, read: Sequence[str]) -> None:
    """Show a unit's tanh(c) while it reads texts, and its gates in the text that moves it most.

    Args:
        gates: i, f and tanh(c) of the unit, [texts, T, 3].
        read: the texts, which differ in the bracket that is opened at place 4 and closed at the end.
    """
    between = gates[:, 5:-1]
    means = between[..., 2].mean(axis=1)  # [texts]
    most = int(np.abs(means).argmax())
    text = read[most]
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 4), sharex=True)
    styles = [(BLUE, "-"), (ORANGE, "-"), (GREEN, "--")]

    for written, of_text, (color, style) in zip(read, gates, styles):
        above.plot(of_text[:, 2], style, color=color, label=f"after {written[4]}")
    input_gate, forget_gate, _ = gates[most].T
    below.plot(forget_gate, color=VIOLET, label=f"forget gate f, after {text[4]}")
    below.plot(input_gate, color=GREY, label=f"input gate i, after {text[4]}")

    above.set(ylabel="tanh(c)", ylim=(-1.05, 1.05))
    places = range(len(text))
    below.set(ylabel="gate", ylim=(-0.05, 1.05), xticks=places, xticklabels=list(text))
    for axes in (above, below):
        axes.axvline(4, color=GREY, linestyle=":", linewidth=1)
        axes.axvline(len(text) - 1, color=GREY, linestyle=":", linewidth=1)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))

    figure.tight_layout()

    sentences = []
    for written, of_text in zip(read, between):
        input_gate, forget_gate, memory = of_text.T
        sentences.append(
            f"after {written[4]}: tanh(c) from {memory.min():.2f} to {memory.max():.2f}, "
            f"f {forget_gate.mean():.3f} and i {input_gate.mean():.3f} on average"
        )

    show(figure, f"One unit between brackets. {'; '.join(sentences)}.")
    print("the unit of the picture between the brackets,\n" + "\n".join(sentences))


def plot_reach(lengths: Dict[str, Sequence[np.ndarray]]) -> None:
    """Show how long gradients are by the distance from the loss: of each network all of it, and what comes along c."""
    figure, axes = plt.subplots(figsize=(8, 4))
    sentences = []
    for (name, parts), color in zip(lengths.items(), (GREY, VIOLET, ORANGE, BLUE)):
        for way, length, style in zip(("in all", "along c"), parts, ("-", "--")):
            share = length / length[0]
            steps = range(1, len(share) + 1)
            axes.semilogy(steps, share, style, color=color, label=f"{name}, {way}")
            sentences.append(
                f"{name:20} {way:8} {share[9]:9.3g} after 10 steps, {share[29]:9.3g} after 30"
            )

    axes.set(xlabel="steps between the state and the loss", ylabel="length (1: next to the loss)")
    axes.legend(frameon=False)
    show(figure, f"Length of the gradient by the distance from the loss. {'; '.join(sentences)}.")
    print("\n".join(sentences))


def plot_rates(curves: Dict[str, np.ndarray], bigram: float) -> None:
    """Show the losses of some learning rates side by side, each the mean of 10 steps.

    A curve that goes far above even guessing leaves the picture, so that the others are not squeezed.
    """
    figure, columns = plt.subplots(1, len(curves), figsize=(9, 3), sharey=True)
    sentences = []
    for axes, (rate, losses) in zip(columns, curves.items()):
        axes.plot(10 * np.arange(1, len(losses) + 1), losses, color=BLUE)
        axes.axhline(bigram, color=VIOLET, linestyle="--", label=f"bigrams, {bigram:.2f}")
        axes.set(title=f"rate {rate}", xlabel="step", ylim=(1.5, HIGHEST_LOSS))
        if np.max(losses) > HIGHEST_LOSS:
            above = f"above the picture:\nup to {np.max(losses):.0f}, {losses[-1]:.0f} at the end"
            axes.text(0.5, 0.82, above, transform=axes.transAxes, ha="center")
        sentences.append(f"rate {rate:7} loss of the last 50 steps {np.mean(losses[-5:]):.2f}")

    columns[0].set_ylabel("loss (nats)")
    columns[0].legend(frameon=False)
    figure.tight_layout()
    show(figure, f"Four curves of the loss. {'; '.join(sentences)}.")
    print("\n".join(sentences))


def plot_by_heart(losses: Sequence[float], even: float) -> None:
    """Show the losses of a network that learns one batch by heart."""
    figure, axes = plt.subplots(figsize=(8, 3))
    axes.semilogy(range(1, len(losses) + 1), losses, color=BLUE)
    axes.axhline(even, color=ORANGE, linestyle="--", label=f"even guessing, {even:.2f}")
    axes.set(xlabel="step", ylabel="loss on this batch (nats)", xlim=(1, len(losses)))
    axes.legend(frameon=False)
    show(
        figure,
        f"Curve of the loss on one batch: it falls from {losses[0]:.2f} to {losses[-1]:.3f} nats in "
        f"{len(losses)} steps.",
    )


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
    show(
        figure,
        f"Three pairs of falling curves. Over the last 50 steps the mean loss is {ends}, and "
        f"{np.mean(correct[-50:]):.2f} for the correct program.",
    )


def _smooth(losses: Sequence[float], width: int = 20) -> np.ndarray:
    return np.convolve(losses, np.full(width, 1 / width), mode="valid")


def reference(setting: str, text_name: str) -> Tuple[Any, Any]:
    """Return the steps and losses of a run to compare with, or two empty lists."""
    path = {"own": "assets/reference.csv", "recipe": "assets/reference-recipe.csv"}.get(setting)
    if path is None or text_name != "anna" or not os.path.exists(path):
        return [], []
    steps, losses = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    return steps, losses


def plot_clipping(results: Dict[str, np.ndarray], steps: Sequence[int]) -> None:
    """Show norms of the gradient by the number of steps, each of some seeds, [seeds, steps].

    Args:
        results: by name. A notebook of version 3.1 has losses, too, which are only printed.
        steps: how many steps each norm is of.
    """
    figure, axes = plt.subplots(figsize=(8, 3.5))
    sentences = []
    colors = {"norm, as it begins": GREY, "norm, larger": ORANGE}
    for name, of_seeds in results.items():
        ends = " ".join(f"{end:.3g}" for end in of_seeds[:, -1])
        sentences.append(f"{name}, at the end: {ends}")
        if name in colors:
            lines = axes.semilogy(steps, of_seeds.T, color=colors[name], linewidth=1)
            lines[0].set_label(name)

    axes.axhline(5, color=VIOLET, linestyle="--", label="a limit of 5")
    axes.set(xlabel="steps", ylabel="norm of the gradient")
    axes.legend(frameon=False)
    show(figure, f"Norms of the gradient by the number of steps. {'; '.join(sentences)}.")
    print("\n".join(sentences))


def plot_losses(
    losses: Sequence[float],
    held_out: Sequence[Tuple[int, float]],
    n_windows: int,
    lines: Dict[str, float],
    compared: Tuple[Any, Any],
) -> None:
    """Show the losses of a run.

    Args:
        losses: of every step.
        held_out: (step, loss) on the held-out text.
        n_windows: steps of an epoch.
        lines: losses that horizontal lines show, by name.
        compared: the steps and losses of another run.
    """
    figure, axes = plt.subplots(figsize=(8, 4.5))
    steps = np.arange(1, len(losses) + 1)
    axes.plot(steps, losses, color=BLUE, linewidth=0.8, alpha=0.6, label="LSTM, training")
    # in front of the losses, whose noise would hide it
    if len(compared[0]):
        axes.plot(*compared, color="black", linewidth=1.5, label="reference")
    axes.plot(*zip(*held_out), color=GREEN, marker="o", markersize=4, label="LSTM, held out")

    for (name, loss), color in zip(lines.items(), (ORANGE, VIOLET)):
        axes.axhline(loss, color=color, linestyle="--", label=f"{name}, {loss:.2f}")
    for end in range(n_windows, len(losses) + 1, n_windows):
        axes.axvline(end, color=GREY, linestyle=":", linewidth=1)

    ticks = [1.2, 1.5, 2, 2.5, 3, 4]
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="step",
        ylabel="loss (nats per character)",
        xlim=(1, len(losses) * 1.1),
        yticks=ticks,
        yticklabels=ticks,
    )
    axes.minorticks_off()
    axes.legend(frameon=False, loc="lower left")
    _, last = held_out[-1]
    show(
        figure,
        f"Curve of the training loss over {len(losses)} steps, from {losses[0]:.2f} to {losses[-1]:.2f} nats, "
        f"with the held-out loss, which ends at {last:.2f}.",
    )


def plot_fits(fits: Dict[str, np.ndarray]) -> None:
    """Show for some networks the training and the held-out loss of each epoch, [2, epochs]."""
    figure, columns = plt.subplots(1, len(fits), figsize=(9, 3), sharey=True)
    sentences = []
    for axes, (title, (training, held_out)) in zip(columns, fits.items()):
        epochs = range(1, len(training) + 1)
        axes.plot(epochs, training, color=BLUE, label="training")
        axes.plot(epochs, held_out, color=GREEN, label="held out")
        axes.set(title=title, xlabel="epoch")
        sentences.append(f"{title}: they end at {training[-1]:.2f} and {held_out[-1]:.2f}.")

    columns[0].set_ylabel("loss (nats)")
    columns[0].legend(frameon=False)
    figure.tight_layout()
    show(
        figure,
        f"Training and held-out loss by epoch, for each network. {' '.join(sentences)}",
    )


def words_of(text: str) -> List[str]:
    """Return the words of a text in small letters."""
    return re.findall(r"[a-z]+", text.lower())


def share_of_real_words(written: str, known: Iterable[str]) -> float:
    """Return which share of the words of a text is known."""
    is_known = [word in known for word in words_of(written)]
    return float(np.mean(is_known or [0]))


def module_of(path: str, piece: str, other: str) -> Any:
    """Load a Python file as a module, with one piece of its text replaced by another; an empty piece changes nothing.

    Raises:
        ValueError: the piece is not in the file exactly once.
    """
    with open(path, encoding="utf-8") as file:
        source = file.read()
    if piece:
        if source.count(piece) != 1:
            raise ValueError(f"{piece!r} is {source.count(piece)} times in {path}, not once")
        source = source.replace(piece, other)
    module = types.ModuleType("changed")
    exec(compile(source, path, "exec"), vars(module))
    return module


def properties_of(passage: str) -> Dict[str, np.ndarray]:
    """Return what a unit might follow: each property's value at each character."""
    lengths = [len(line) + 1 for line in passage.split("\n")]
    line_ends = np.cumsum(lengths)
    places = np.arange(len(passage))
    line_of = np.searchsorted(line_ends, places, side="right")
    line_starts = np.append(0, line_ends)[line_of]
    is_space = [char == " " for char in passage]
    return {
        "inside a quotation": _inside_quotations(passage),
        "position in the line": places - line_starts,
        "beginning of a word": np.array([0, *is_space[:-1]]),
        "capital letter": np.array([char.isupper() for char in passage]),
    }


def _inside_quotations(passage: str) -> np.ndarray:
    """Return 1 between quotation marks, 0 elsewhere. What is not closed ends with its paragraph."""
    inside = []
    is_inside = False
    for place, char in enumerate(passage):
        if char == '"':
            is_inside = not is_inside
        elif passage[max(0, place - 1) : place + 1] == "\n\n":
            is_inside = False
        inside.append(int(is_inside))
    return np.array(inside)


def correlations(memory: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the correlation of each unit, [T, L], with a property, [T]: [L]."""
    return _standardized(memory).T @ _standardized(values) / len(values)


def _standardized(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)


def coloured(passage: str, values: np.ndarray, title: str) -> None:
    """Show a passage on colours, scaled to the largest value: blue above 0, red below."""
    lines = passage.split("\n")
    most = float(np.abs(values).max()) or 1.0
    ground = np.zeros((len(lines), max(map(len, lines))))
    figure, axes = plt.subplots(figsize=(9, 0.2 * len(lines) + 0.6))

    place = 0
    for row, line in enumerate(lines):
        ground[row, : len(line)] = values[place : place + len(line)]
        place += len(line) + 1
        for column, char in enumerate(line):
            axes.text(column, row, char, size=9, ha="center", va="center", **LETTERS)

    axes.imshow(ground, cmap=RED_TO_BLUE, vmin=-most, vmax=most, aspect="auto")
    axes.set_title(f"{title} (blue: {most:.2f}, white: 0, red: {-most:.2f})", loc="left", size=10)
    axes.axis("off")
    high = "".join(char for char, value in zip(passage, values) if value > most / 2)
    show(
        figure,
        f"{title}. A passage of {len(passage)} characters on coloured ground. Blue, where the unit is high, "
        f"are: {' '.join(high.split())[:200]}",
    )


def find_run(
    saved: Sequence[str],
    checkpoint_dir: str,
    vocab: Sequence[str],
    other: Optional[str],
    network: Any,
) -> List[str]:
    """Return the checkpoints to write from, and say where they are.

    Args:
        saved: the checkpoints of this session's run.
        checkpoint_dir: where runs are saved, with a number after the name from the second one on.
        vocab: the characters of the text.
        other: the folder of another run, or "anna"; None for the newest one.
        network: the class CharRNN, for "anna".
    """
    if other == "anna":
        paths = _shipped(vocab, checkpoint_dir, network)
    elif other:
        paths = _checkpoints_in([other], len(vocab))
    elif saved:
        paths = list(saved)
    else:
        folders = glob.glob(f"{checkpoint_dir}*")
        newest_first = sorted(folders, key=os.path.getmtime, reverse=True)
        paths = _checkpoints_in(newest_first, len(vocab))

    paths = [path for path in paths if os.path.exists(path + ".index")]
    if paths:
        print(os.path.dirname(paths[-1]))
        print(textwrap.fill(" ".join(map(os.path.basename, paths)), COLUMNS))
    else:
        print(
            "There is no trained network for this text yet. Run the training above, or write\n"
            'other_run = "anna" in this cell, for the model that comes with the package.'
        )
    return paths


def _checkpoints_in(folders: Iterable[str], num_classes: int) -> List[str]:
    """Return the checkpoints of the first run with so many characters, or none."""
    for folder in folders:
        state = tf.train.get_checkpoint_state(folder)
        if state is None:
            continue
        paths = list(state.all_model_checkpoint_paths)
        _, characters = _shape(paths[-1])
        if characters == num_classes:
            return paths
    return []


def sizes_of(checkpoint: str) -> Tuple[int, int]:
    """Return how many units a layer has, and how many layers there are, in a checkpoint."""
    lstm_size, _ = _shape(checkpoint)
    names = [name for name, _ in tf.train.list_variables(checkpoint)]
    return lstm_size, sum(name.endswith("basic_lstm_cell/kernel") for name in names)


def _shape(checkpoint: str) -> Tuple[int, int]:
    """Return L and C of a checkpoint, or zeros."""
    try:
        shapes = dict(tf.train.list_variables(checkpoint))
    except (tf.errors.OpError, ValueError):
        return 0, 0
    lstm_size, num_classes = shapes.get("softmax/Variable", (0, 0))
    return lstm_size, num_classes


def _shipped(vocab: Sequence[str], checkpoint_dir: str, network: Any) -> List[str]:
    """Save the model that comes with the package as a checkpoint of this notebook; return its path."""
    from charrnn import open_model

    model = open_model("anna")
    if list(model.vocabulary.chars) != list(vocab):
        print("The model anna has other characters than this text.")
        return []
    # with Adam's averages
    network(len(vocab), lstm_size=model.lstm_size, num_layers=model.num_layers)

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for variable in tf.trainable_variables():
            variable.load(model.weights[variable.op.name], session)
        return [tf.train.Saver().save(session, f"{checkpoint_dir}-anna/anna.ckpt")]


BATCHES = """
import sys
from importlib.util import find_spec
if find_spec({package!r}) is None:
    sys.exit("Not run: the package {package} is not installed here.")
import numpy as np
ids, C = np.load({path!r}), {size}
def batches(N, M, steps):
    n_windows = len(ids) // (N * M)
    if not n_windows:
        sys.exit(f"Not run: the text has {{len(ids)}} characters to train on, fewer than {{N}} x {{M}}.")
    rows = ids[:N * M * n_windows].reshape(N, -1)
    for step in range(steps):  # a short text is read several times
        start = step % n_windows * M
        yield rows[:, start:start + M], np.roll(rows, -1, axis=1)[:, start:start + M]
"""


def elsewhere(package: str, cell: str) -> None:
    """Run a cell in a Python process of its own, if a package is installed; it knows C and batches(N, M, steps).

    The Python is the one that BRIDGE_PYTHON names, or else this one.
    """
    names = get_ipython().user_ns
    if "training_ids" not in names or "vocab" not in names:
        print(NEEDS.format("training_ids"))
        return
    others = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3")

    for ours in ("TF_USE_LEGACY_KERAS", "MPLBACKEND"):
        others.pop(ours, None)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "ids.npy")
        np.save(path, names["training_ids"])
        begin = BATCHES.format(package=package.strip(), path=path, size=len(names["vocab"]))
        process = subprocess.run(
            [os.environ.get("BRIDGE_PYTHON", sys.executable), "-c", begin + cell],
            capture_output=True,
            text=True,
            env=others,
        )

    print(process.stdout, end="")
    if process.returncode:
        print(process.stderr[-1500:], end="")


NEEDS = (
    "This cell needs {}, which a cell above defines. After a restart, set again = False in the settings, so\n"
    "that nothing is trained a second time, and choose Run All Above in the menu Run (or Cell)."
)


def defined_names() -> Set[str]:
    """Return the names that the cells of the notebooks in this folder define, outside of functions."""
    names: Set[str] = set()
    for path in glob.glob("*.ipynb"):
        with open(path, encoding="utf-8") as file:
            cells = json.load(file)["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                names |= _defined_in("".join(cell["source"]))
    return names


def _defined_in(source: str) -> Set[str]:
    """Return the names that a cell defines, or none where it has a line for IPython or a mistake."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return set()

    names = set()
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.add(statement.name)
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
    return names


def explain_missing(
    shell: Any, kind: Any, error: NameError, trace: Any, tb_offset: Optional[int] = None
) -> None:
    """Say in place of an exception that a cell needs a name of a cell above; other exceptions are shown as usual."""
    undefined = re.match(r"name '(\w+)' is not defined", str(error))
    if undefined and undefined.group(1) in defined_names() - set(shell.user_ns):
        print(NEEDS.format(undefined.group(1)))
    else:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


if get_ipython():
    register_cell_magic(elsewhere)
    get_ipython().set_custom_exc((NameError,), explain_missing)
    run_first_session()
