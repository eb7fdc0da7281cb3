"""What the units of a network track, and what is written while a direction of its memory is held."""
