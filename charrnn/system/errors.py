"""Errors: their words for a person, and the checks of arguments that raise them."""

import re
from numbers import Integral
from typing import Any, Optional

from charrnn.system.tensorflow import TensorFlowError


def checked_integer(name: str, value: Any, least: int, most: Optional[int] = None) -> int:
    """Return an argument of a function, also a number of NumPy, as an int.

    Raises:
        ValueError: it is no integer, or out of range.
    """
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if is_integer and least <= value and (most is None or value <= most):
        return int(value)
    allowed = f"at least {least}" if most is None else f"from {least} to {most}"
    raise ValueError(f"{name} must be an integer, {allowed}, not {value!r}")


def lacks_memory(error: Exception) -> bool:
    """Return whether an error is Python's or TensorFlow's for too little memory."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def described(error: Exception) -> str:
    """Return the message of an error. That of a system error has the file that it is about, but no number."""
    if isinstance(error, TensorFlowError):
        return (
            f"{error}. Without TensorFlow, models of lstm cells work in charrnn-sample, charrnn-evaluate, "
            "charrnn-inspect and charrnn-export (.npz and .html)"
        )
    if lacks_memory(error):
        fact = "this machine has too little memory for these arguments"
        return f"{fact}: {reason(error)}" if str(error) else fact
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    if not error.filename:
        return error.strerror
    return f"{error.filename}: {error.strerror}"


def reason(error: Any) -> str:
    """Return the cause of an error in one line, without its file and without TensorFlow's advice and stack traces."""
    message = (
        getattr(error, "strerror", None)
        or getattr(error, "message", None)
        or str(error)
        or type(error).__name__
    )
    # TensorFlow 2 puts its stack traces before the cause, and names the node in a line.
    *_, message = message.split("Original error:")
    *_, message = re.split("^Node: .*\n", message, flags=re.MULTILINE)

    first_line, *_ = message.strip().split("\n")
    without_temporary_file = re.sub(r"^.*\.tempstate\w*; ", "", first_line)
    return without_temporary_file
