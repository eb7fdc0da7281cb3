"""The number of threads, and the session settings."""
import os

import pytest

from charrnn.fused.session import session_config, thread_count
from charrnn.system.tensorflow import tf


def test_session_runs_one_thread_for_each_operation():
    config = session_config(3)
    assert isinstance(config, tf.ConfigProto)
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (1, 3)


def test_session_uses_all_cores_by_default():
    assert session_config().inter_op_parallelism_threads == thread_count()


@pytest.mark.parametrize("threads", [0, -2])
def test_threads_below_1_are_refused(threads):
    with pytest.raises(ValueError, match=f"threads must be at least 1, not {threads}"):
        session_config(threads)


def test_thread_count_is_the_number_of_allowed_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1, 4, 6}, raising=False)
    assert thread_count() == 3


def test_thread_count_where_the_system_has_no_affinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert thread_count() == 5
