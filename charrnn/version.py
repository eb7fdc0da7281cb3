"""The version of charrnn."""

__version__ = "3.1.0"
