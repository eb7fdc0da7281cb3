"""The kernels of NumPy's matrix products, on processors that are newer than the NumPy of Python 3.7."""
import math
import os
import sys


def choose_kernels():
    """Have OpenBLAS use its kernels for AVX2 where it would not know the processor. To be called before NumPy.

    NumPy below 1.19, the one that TensorFlow 1.15 can use, brings OpenBLAS 0.3.7, which takes a processor made after
    2019 for one of 2004, and multiplies at a quarter of the speed. Does nothing where OPENBLAS_CORETYPE is set, NumPy
    is imported already, Python is newer (and so is its NumPy), or the system does not tell that there is AVX2.
    """
    if sys.version_info >= (3, 8) or "numpy" in sys.modules or "OPENBLAS_CORETYPE" in os.environ:
        return
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            flags = next((line.split() for line in file if line.startswith("flags")), [])
    except OSError:  # not Linux
        return
    if "avx2" in flags and "fma" in flags:
        os.environ["OPENBLAS_CORETYPE"] = "Haswell"


def total_memory() -> float:
    """Return this machine's memory in bytes; infinity where the system does not report it."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def peak_memory() -> str:
    """Return the largest amount of memory that this process has used so far, for display."""
    try:
        import resource
    except ImportError:  # Windows
        return "unknown on this system"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return f"{peak / 1e6:,.0f} MB"
