"""What a process can use of its machine: the kernels of NumPy's matrix products, and memory."""

import contextlib
import importlib.util
import os
import re
import sys


def choose_kernels() -> None:
    """Select OpenBLAS's AVX2 kernels on processors that NumPy's OpenBLAS does not recognise. Call it before NumPy.

    NumPy below 1.19, which TensorFlow 1.15 requires, contains OpenBLAS 0.3.7. On processors released after 2019 it
    falls back to kernels from 2004, which multiply at a quarter of the speed. Nothing is changed if
    OPENBLAS_CORETYPE is set, NumPy is newer or already imported, or the system does not report AVX2.
    """
    if "numpy" in sys.modules or "OPENBLAS_CORETYPE" in os.environ:
        return
    module = getattr(importlib.util.find_spec("numpy"), "origin", None) or ""
    # on Linux
    with contextlib.suppress(OSError), open(
        "/proc/cpuinfo", encoding="ascii", errors="replace"
    ) as file:
        flags = next((line for line in file if line.startswith("flags")), "").split()
        with open(module.replace("__init__", "version"), encoding="utf-8") as version:
            if {"avx2", "fma"} <= {*flags} and re.search(
                "^version = '1\\.1[0-8]\\.", version.read(), re.MULTILINE
            ):
                os.environ["OPENBLAS_CORETYPE"] = "Haswell"


def peak_memory() -> str:
    """Return the peak memory use of this process, formatted for display."""
    try:
        import resource
    except ImportError:  # Windows
        return "unknown on this system"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )
    return f"{peak / 1e6:,.0f} MB"
