"""Opening a model: a run folder, a checkpoint, a file, or a known name. :func:`open_model` returns a Model."""

import contextlib
from pathlib import Path
from typing import Iterable, Iterator, Optional, Tuple

from charrnn.checkpoints import record
from charrnn.checkpoints.find import file_of, find, is_model_file, known_model
from charrnn.checkpoints.record import TEXT_FILE, CheckpointError, RunRecord
from charrnn.checkpoints.weights import read_packed, read_saved
from charrnn.data import StrPath, Vocabulary, load_text
from charrnn.engines.trained_model import Model
from charrnn.system import errors, terminal
from charrnn.text.corpus import read


def open_model(
    path: StrPath,
    vocabulary: Optional[Iterable[str]] = None,
    *,
    best: bool = False,
    train_text: Optional[StrPath] = None,
) -> Model:
    """Open a model.

    Args:
        path: a run folder, for its newest checkpoint; a checkpoint, a ``.npz`` file, or the name of a known model.
        vocabulary: the characters of a checkpoint of the notebook, which does not record them, in the order of their
            ids: usually ``sorted(set(text))`` of the text that it was trained on. By default those of ``text.txt`` in
            its folder.
        best: take the checkpoint of a run folder that has the lowest validation loss.
        train_text: the path or known name of the text that it was trained on, if the model does not have it.

    Raises:
        CheckpointError: the model is missing or damaged, ``best`` is given for a file, or ``vocabulary`` is missing
            or differs from the one that the model records.
        ValueError: ``text.txt`` in the folder of a checkpoint of the notebook is not text in UTF-8.
    """
    model = _open(path, vocabulary, best)
    if train_text is not None:
        model.train_text = read(train_text)
        terminal.print_skipped(model.train_text.skipped)
    return model


def _open(path: StrPath, chars: Optional[Iterable[str]], best: bool) -> Model:
    """Open a model without its text."""
    vocabulary = None
    if chars is not None:
        vocabulary = Vocabulary(chars)
    file: Optional[StrPath] = known_model(path)
    if file is None and is_model_file(path):
        file = path
    if file is not None:
        if best:
            raise CheckpointError(f"{path} is a single model, not a run folder: leave out best")
        return _open_file(file, str(path), vocabulary)

    with contextlib.suppress(CheckpointError):
        model = _open_checkpoint(path, vocabulary, best)
        if not model.skipped:
            return model
    # Once more, because a training may have removed the checkpoint while it was opened.
    return _open_checkpoint(path, vocabulary, best)


def open_known(name: str) -> Model:
    """Open a model that comes with charrnn, whatever is in the working folder."""
    return _open_file(file_of(name), name, None)


def _open_checkpoint(path: StrPath, vocabulary: Optional[Vocabulary], best: bool) -> Model:
    prefix, run, skipped = find(path, best=best, suffix=".npz")
    if run:
        return _open_file(f"{prefix}.npz", prefix, vocabulary, run=run, skipped=skipped)

    # It is a checkpoint of the notebook.
    if vocabulary is None:
        text = Path(prefix).with_name(TEXT_FILE)
        if not text.is_file():
            raise CheckpointError(
                f"{prefix} does not record its vocabulary: give vocabulary=sorted(set(text)) of the text that it was "
                "trained on, or name that text with --vocab-from TEXT, or a .json file with the order of its "
                "characters"
            )
        vocabulary = Vocabulary.from_text(load_text(text))
    weights = read_saved(prefix)
    with _checking(prefix):
        return Model(prefix, vocabulary, weights)


def _open_file(
    path: StrPath,
    name: str,
    vocabulary: Optional[Vocabulary],
    run: Optional[RunRecord] = None,
    skipped: Tuple[str, ...] = (),
) -> Model:
    """Open a ``.npz`` file. The run of a checkpoint is known; that of an exported model is in the file."""
    packed = read_packed(path)
    about = packed.about
    try:
        recorded = Vocabulary(about["vocabulary"])
        if run is None and "hyperparameters" in about:
            run = record.from_json(about)
        # A file without a run may have a beginning all the same: the page that learns writes it.
        beginning = about.get("beginning")
        if beginning is not None and not isinstance(beginning, str):
            raise TypeError("its beginning is no text")
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the model {path} cannot be read: {errors.reason(error)}")

    if vocabulary is not None and vocabulary != recorded:
        raise CheckpointError(
            f"{name} records its vocabulary of {len(recorded)} characters, and the given vocabulary "
            f"of {len(vocabulary)} differs from it: leave it out"
        )
    with _checking(name):
        return Model(
            name,
            vocabulary=recorded,
            weights=packed.weights,
            run=run,
            skipped=skipped,
            beginning=beginning,
            sha256=packed.sha256,
            words=packed.words,
            text=packed.text,
        )


@contextlib.contextmanager
def _checking(name: str) -> Iterator[None]:
    """Raise CheckpointError in place of the ValueError of a Model whose weights are not those of a network."""
    try:
        yield
    except ValueError as error:
        raise CheckpointError(f"{name} cannot be used: {error}")
