"""What text can be written and measured with: a checkpoint, or a model that was exported."""
from charrnn import checkpoint as checkpoints
from charrnn.numpy_lstm import NumpyLSTM


def open_model(path, vocabulary=None, *, best=False):
    """Open a checkpoint or an exported model.

    Args:
        path: a run folder, a checkpoint, or a ``.npz`` file that ``charrnn-export`` wrote.
        vocabulary: a Vocabulary, for a checkpoint of the notebook's own.
        best: of a run folder, take the checkpoint with the lowest validation loss.

    Returns:
        A checkpoint.Checkpoint or a NumpyLSTM. Both have ``name``, ``vocabulary`` and ``skipped``.

    Raises:
        CheckpointError: it is missing or damaged, or best is asked of a file.
    """
    if str(path).endswith(".npz") and not str(path).endswith(".progress.npz"):
        if best:
            raise checkpoints.CheckpointError("--best is for the folder of a run, not for {}".format(path))
        return NumpyLSTM(path)
    return checkpoints.open_checkpoint(path, vocabulary, best=best)


def run_of(model):
    """Return the Run that a model comes from, or None."""
    return model.run if isinstance(model, NumpyLSTM) else checkpoints.run_of(model.prefix)
