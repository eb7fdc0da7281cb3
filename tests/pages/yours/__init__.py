"""The page on which a network learns."""
