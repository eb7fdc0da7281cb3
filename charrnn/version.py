"""The version of charrnn."""
__version__ = "3.0.0"
