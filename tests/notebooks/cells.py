"""The cells of the notebooks that a reader writes. Unlike the checks, this needs no TensorFlow."""

import generate
from conftest import ROOT

FOLDER = ROOT / "notebooks"
NETWORK = (
    "get_batches",
    "build_inputs",
    "build_lstm",
    "build_output",
    "build_loss",
    "build_optimizer",
    "CharRNN",
)
EXERCISE_CELLS = tuple(cell["id"] for cell in generate.all_cells() if "exercise" in cell["tags"])
# the exercises that are a function or a class
WRITTEN = tuple(name for name in EXERCISE_CELLS if name not in ("repairs", "quiz"))
