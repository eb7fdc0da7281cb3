"""What a process finds out about its machine: the kernels that NumPy is to use."""
import io
from types import SimpleNamespace

import pytest

from charrnn.system import machine

AVX2 = "processor: 0\nflags\t\t: fpu avx2 fma sse\n"


@pytest.mark.parametrize("cpuinfo, python, modules, variables, chosen", [
    (AVX2, (3, 7, 9), (), {}, "Haswell"), (AVX2, (3, 8, 0), (), {}, None), (AVX2, (3, 7, 9), ("numpy",), {}, None),
    (AVX2, (3, 7, 9), (), {"OPENBLAS_CORETYPE": "Zen"}, "Zen"), ("flags : fpu fma\n", (3, 7, 9), (), {}, None),
    ("flags : avx2\n", (3, 7, 9), (), {}, None), ("", (3, 7, 9), (), {}, None), (None, (3, 7, 9), (), {}, None)])
def test_old_versions_of_numpy_are_told_which_kernels_to_use(monkeypatch, cpuinfo, python, modules, variables, chosen):
    """Only on processors that have them, and only if nothing else was chosen."""
    def read(*args, **options):
        if cpuinfo is None:
            raise FileNotFoundError("no /proc, as on macOS")
        return io.StringIO(cpuinfo)

    monkeypatch.setattr(machine, "open", read, raising=False)
    monkeypatch.setattr(machine, "sys", SimpleNamespace(version_info=python, modules=dict.fromkeys(modules)))
    monkeypatch.setattr(machine.os, "environ", dict(variables))
    machine.choose_kernels()
    assert machine.os.environ.get("OPENBLAS_CORETYPE") == chosen
