"""What the units of a network track, and the page that shows it."""
