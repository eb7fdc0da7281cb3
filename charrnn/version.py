"""The version of charrnn."""
__version__ = "1.0.0"
