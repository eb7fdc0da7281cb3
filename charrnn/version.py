"""The version of charrnn."""
__version__ = "0.1.0"
