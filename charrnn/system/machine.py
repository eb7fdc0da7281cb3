"""What a process can use of its machine: the kernels of NumPy's matrix products, cores and memory."""

import contextlib
import importlib.util
import os
import re
import sys
from typing import Set


def choose_kernels() -> None:
    """Select OpenBLAS's AVX2 kernels on processors that NumPy's OpenBLAS does not recognise. Call it before NumPy.

    NumPy below 1.19, which TensorFlow 1.15 requires, contains OpenBLAS 0.3.7. On processors released after 2019 it
    falls back to kernels from 2004, which multiply at a quarter of the speed. Nothing is changed if
    OPENBLAS_CORETYPE is set, NumPy is newer or already imported, or the system does not report AVX2.
    """
    if "numpy" in sys.modules or "OPENBLAS_CORETYPE" in os.environ:
        return
    with contextlib.suppress(OSError):
        if {"avx2", "fma"} <= _processor_flags() and _is_old_numpy():
            os.environ["OPENBLAS_CORETYPE"] = "Haswell"


def _processor_flags() -> Set[str]:
    """Return what the processor can do, on Linux. Raise OSError elsewhere."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith("flags"):
                return set(line.split())
    return set()


def _is_old_numpy() -> bool:
    """Return whether NumPy is below 1.19, without importing it. Raise OSError if it has no such file."""
    module = getattr(importlib.util.find_spec("numpy"), "origin", None) or ""
    with open(module.replace("__init__", "version"), encoding="utf-8") as file:
        return bool(re.search(r"^version = '1\.1[0-8]\.", file.read(), re.MULTILINE))


def cores() -> Set[int]:
    """Return the numbers of the cores that this process may use."""
    # on Linux
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def thread_count() -> int:
    """Return the number of cores that this process may use."""
    return len(cores())
