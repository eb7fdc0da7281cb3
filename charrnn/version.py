"""The version of charrnn."""
__version__ = "2.0.0"
