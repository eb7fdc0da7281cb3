"""The version of charrnn."""

__version__ = "4.0.0"
