"""A training run on disk: its record, its checkpoints, their weights, and saving."""
