"""What newer versions of NumPy and Python have removed, or refuse, and what old programs have of it while they run."""

import collections
import functools
import inspect
from types import ModuleType
from typing import Any, Callable, Dict

import numpy as np

# Names that NumPy removed in 1.24 and 2.0.
OF_NUMPY = {
    "bool": bool,
    "complex": complex,
    "float": float,
    "int": int,
    "object": object,
    "str": str,
    "unicode": str,
    "Inf": np.inf,
    "Infinity": np.inf,
    "NaN": np.nan,
    "PINF": np.inf,
    "NINF": -np.inf,
    "complex_": np.complex128,
    "float_": np.float64,
    "string_": np.bytes_,
    "unicode_": np.str_,
}
ArgSpec = collections.namedtuple("ArgSpec", ["args", "varargs", "keywords", "defaults"])


def _getargspec(function: Callable) -> ArgSpec:
    """Return the arguments of a function, as Python did before 3.11."""
    args, varargs, keywords, defaults, *_ = inspect.getfullargspec(function)
    return ArgSpec(args, varargs, keywords, defaults)


def _of_objects(make: Callable) -> Callable:
    """Return a function of NumPy that makes an array of objects from lists of different lengths, as before 1.24."""

    @functools.wraps(make)
    def array(values: Any, *args: Any, **options: Any) -> np.ndarray:
        try:
            return make(values, *args, **options)
        except ValueError as error:
            if args or "dtype" in options or "inhomogeneous" not in str(error):
                raise
            return make(values, dtype=object, **options)

    return array


def _lacking(module: ModuleType, names: Dict[str, Any]) -> Dict[str, Any]:
    """Return those of some names that a module lacks."""
    return {name: value for name, value in names.items() if name not in vars(module)}


# by module, what is set
NAMES: Dict[ModuleType, Dict[str, Any]] = {
    np: {
        **_lacking(np, OF_NUMPY),
        # np.save calls the last one
        "array": _of_objects(np.array),
        "asarray": _of_objects(np.asarray),
        "asanyarray": _of_objects(np.asanyarray),
    },
    inspect: _lacking(inspect, {"getargspec": _getargspec}),
}
