"""Errors: their words for a person, and the checks of arguments that raise them."""

import re
from numbers import Integral
from typing import Any, Optional

from charrnn.system.tensorflow import TensorFlowError


class AdvisedError(ValueError):
    """An error whose advice what to do differs between Python and a command.

    Attributes:
        in_command: the message with the words of a command, where those of Python differ.
    """

    def __init__(self, fact: str, in_python: str = "", in_command: str = "") -> None:
        """Join a fact with the advice."""
        super().__init__(f"{fact}: {in_python}" if in_python else fact)
        self.in_command = f"{fact}: {in_command}" if in_command else ""


def checked_integer(name: str, value: Any, least: int, most: Optional[int] = None) -> int:
    """Return an argument of a function, also a number of NumPy, as an int.

    Raises:
        ValueError: it is no integer, or out of range.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, Integral)
        or not least <= int(value) <= (int(value) if most is None else most)
    ):
        allowed = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be an integer, {allowed}, not {value!r}")
    return int(value)


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
        cause = reason(error) if str(error) else ""
        return ": ".join(
            filter(None, ["this machine has too little memory for these arguments", cause])
        )
    if not isinstance(error, OSError) or not error.strerror:
        return (
            error.in_command if isinstance(error, AdvisedError) and error.in_command else str(error)
        )
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def reason(error: Any) -> str:
    """Return the cause of an error in one line, without its file and without TensorFlow's advice and stack traces."""
    message = (
        getattr(error, "strerror", None)
        or getattr(error, "message", None)
        or str(error)
        or type(error).__name__
    )
    # of TensorFlow 2
    message = re.split("^Node: .*\n", message.split("Original error:")[-1], flags=re.MULTILINE)[-1]
    # the name of a temporary file
    return re.sub(r"^.*\.tempstate\w*; ", "", message.strip().split("\n")[0])
