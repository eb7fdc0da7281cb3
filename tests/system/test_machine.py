"""The memory of the machine and of the process."""
import re

from charrnn.system import machine


def test_total_memory_is_plausible():
    assert 10 ** 8 < machine.total_memory() < 10 ** 14


def test_peak_memory_is_in_megabytes():
    assert re.fullmatch(r"[\d,]+ MB", machine.peak_memory())
    assert 10 < int(machine.peak_memory().replace(",", "").split()[0]) < 10 ** 6
