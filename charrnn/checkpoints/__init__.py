"""A training run on disk: its record, its checkpoints, their weights, and saving."""
from charrnn.checkpoints.find import find, is_intact, list_checkpoints, newest_intact, verify
from charrnn.checkpoints.folders import KNOWN_MODELS, known_model, newest_with_checkpoint, reserve, run_folder
from charrnn.checkpoints.record import (
    CheckpointError,
    NoCheckpointError,
    RunRecord,
    check_unused,
    checkpoint_prefix,
    is_run,
    read_run,
    read_signed,
    read_text,
    record_of,
    run_from_record,
    step_of,
    text_sha256,
    write_run,
    write_text,
)
from charrnn.checkpoints.saving import Progress, finish_save, read_progress, remove_leftovers, save
from charrnn.checkpoints.weights import AVERAGE, packed, read_packed, read_saved, restore
