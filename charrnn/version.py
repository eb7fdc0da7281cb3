"""The version of charrnn."""

__version__ = "3.2.0"
