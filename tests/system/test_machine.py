"""What a process finds out about its machine: the kernels that NumPy is to use, and memory."""

import io
from types import SimpleNamespace

import pytest

from charrnn.system import machine

AVX2 = "processor: 0\nflags\t\t: fpu avx2 fma sse\n"


@pytest.mark.parametrize(
    "cpuinfo, numpy, modules, variables, chosen",
    [
        (AVX2, "'1.18.5'", (), {}, "Haswell"),
        (AVX2, "'1.19.0'", (), {}, None),
        (AVX2, '"2.1.18"', (), {}, None),
        (AVX2, "'1.18.5'", ("numpy",), {}, None),
        (AVX2, "'1.18.5'", (), {"OPENBLAS_CORETYPE": "Zen"}, "Zen"),
        ("flags : fpu fma\n", "'1.18.5'", (), {}, None),
        ("flags : avx2\n", "'1.18.5'", (), {}, None),
        ("", "'1.18.5'", (), {}, None),
        (None, "'1.18.5'", (), {}, None),
        (AVX2, None, (), {}, None),
    ],
)
def test_old_versions_of_numpy_are_told_which_kernels_to_use(
    monkeypatch, cpuinfo, numpy, modules, variables, chosen
):
    """Only on processors that have them, and only if nothing else was chosen, whatever the version of Python."""

    def read(path, **options):
        content = f"short_version = 0\nversion = {numpy}\n"
        if path == "/proc/cpuinfo":
            content = cpuinfo
        if None in (cpuinfo, numpy):
            raise FileNotFoundError("no /proc, as on macOS, or no version")
        return io.StringIO(content)

    monkeypatch.setattr(machine, "open", read, raising=False)
    monkeypatch.setattr(machine, "sys", SimpleNamespace(modules=dict.fromkeys(modules)))
    monkeypatch.setattr(machine.os, "environ", dict(variables))
    machine.choose_kernels()
    assert machine.os.environ.get("OPENBLAS_CORETYPE") == chosen


def test_the_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda process: {3, 5, 6}, raising=False)
    assert machine.thread_count() == 3


def test_where_the_system_does_not_say_which_all_cores_may_be_used(monkeypatch):
    monkeypatch.delattr(machine.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 7)
    assert machine.cores() == set(range(7))
