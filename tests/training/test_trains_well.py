"""A network learns as fast as was measured, at a size that is used."""

import numpy as np
import pytest
from conftest import TENSORFLOW_1, known_text

from charrnn import train_model

# The mean loss of the last 20 of 300 steps was 2.3277 on TensorFlow 1.15 and on 2.21, and 2.3166 in bfloat16.
LIMIT = 2.35
# The validation loss of the preset quick was 1.4577 in float32 and 1.4600 in bfloat16, on 2.21.
QUICK = 1.459


@pytest.fixture
def text():
    return known_text("tiny-shakespeare")


needs_bfloat16 = pytest.mark.skipif(TENSORFLOW_1, reason="TensorFlow 1.15 trains in float32")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=needs_bfloat16)])
def test_300_steps_on_tiny_shakespeare_reach_the_loss_that_was_measured(text, tmp_path, precision):
    run = train_model(
        text[: 32 * 64 * 300],
        tmp_path / "run",
        batch_size=32,
        num_steps=64,
        lstm_size=128,
        epochs=1,
        learning_rate=0.003,
        keep_prob=0.8,
        seed=1,
        precision=precision,
        quiet=True,
        sample_length=0,
        summaries=False,
    )

    assert len(run.losses) == 300
    assert 4 < run.losses[0] < 4.4  # ln 65 is 4.17
    assert run.losses[-20:].mean() < LIMIT


@pytest.mark.slow
def test_the_preset_quick_reaches_the_loss_that_was_measured(text, tmp_path):
    run = train_model(
        text, tmp_path / "run", preset="quick", seed=1, quiet=True, sample_length=0, summaries=False
    )
    assert np.nanmin(run.history["val_loss"]) == pytest.approx(QUICK, abs=0.02)
