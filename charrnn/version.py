"""The version of charrnn."""

__version__ = "5.0.0"
