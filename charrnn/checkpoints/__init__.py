"""A training run on disk: its record, its checkpoints, their weights, and saving."""
from charrnn.checkpoints.find import (
    Checkpoint,
    check_same_vocabulary,
    is_intact,
    list_checkpoints,
    newest_intact,
    open_checkpoint,
    run_of,
    verify,
)
from charrnn.checkpoints.record import (
    FORMAT_VERSION,
    IMMUTABLE,
    LOCK_FILE,
    RUN_FILE,
    STAGE,
    CheckpointError,
    NoCheckpointError,
    Run,
    check_name,
    check_unused,
    checkpoint_prefix,
    find_run,
    fingerprint,
    is_run,
    read_run,
    record_of,
    run_from_record,
    write_run,
)
from charrnn.checkpoints.saving import NotListedError, Progress, read_progress, remove_leftovers, reserved, save
from charrnn.checkpoints.weights import (
    AVERAGE,
    CELL_SCOPES,
    LARGEST_WEIGHT,
    are_usable,
    load_weights,
    read_weights,
    restore,
)
