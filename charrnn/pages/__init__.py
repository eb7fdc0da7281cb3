"""The web pages of a model and of learning: what writes them. Their sources are in the folders beside this file."""
