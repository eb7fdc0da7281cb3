"""What the units of a network track, and what they do when they are held."""
