"""The choice of OpenBLAS's kernels, and the memory of the machine and the process."""
import io
import os
import re
import sys

import pytest

from charrnn.system import machine


@pytest.fixture
def fresh(monkeypatch):
    """A process that has not imported NumPy, on a processor with AVX2."""
    if sys.version_info >= (3, 8):
        pytest.skip("only for the NumPy of Python 3.7")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "for the clean-up")
    monkeypatch.delenv("OPENBLAS_CORETYPE")
    monkeypatch.delitem(sys.modules, "numpy")
    cpuinfo = "processor\t: 0\nflags\t\t: fpu fma avx avx2\n"
    monkeypatch.setattr("builtins.open", lambda *args, **kwargs: io.StringIO(cpuinfo))
    return monkeypatch


def test_kernels_for_avx2_are_chosen(fresh):
    machine.choose_kernels()
    assert os.environ["OPENBLAS_CORETYPE"] == "Haswell"


def test_the_users_choice_of_kernels_is_kept(fresh):
    fresh.setenv("OPENBLAS_CORETYPE", "Zen")
    machine.choose_kernels()
    assert os.environ["OPENBLAS_CORETYPE"] == "Zen"


def test_total_memory_is_plausible():
    assert 10 ** 8 < machine.total_memory() < 10 ** 14


def test_peak_memory_is_in_megabytes():
    assert re.fullmatch(r"[\d,]+ MB", machine.peak_memory())
    assert 10 < int(machine.peak_memory().replace(",", "").split()[0]) < 10 ** 6
