"""What processes exchange, without a network to train: each prints what it has then as a line of JSON.

``mpiexec -n 3 python exchange.py``, or with the name of an exception, which one process raises.
"""

import json
import os
import sys

from charrnn.training.distributed import connect_processes


def cores_to_itself(processes, cores):
    """Return how many threads a process has, where the operating system lets it use some cores."""
    os.sched_getaffinity = lambda _: set(cores)
    return processes.threads()


def main():
    processes = connect_processes()
    rank = processes.rank
    with processes.watched("folder"):
        if len(sys.argv) > 1:
            if rank == 1:
                raise {"KeyError": KeyError, "ValueError": ValueError}[sys.argv[1]](rank)
            processes.gather("present")

    exchanged = {
        "rank": rank,
        "gathered": processes.gather(rank * 10),
        "signals": [processes.agree(15 if rank == 2 else None), processes.agree(None)],
        "first": processes.from_first(lambda: rank + 5),
        "own cores": cores_to_itself(processes, range(4 * rank, 4 * rank + 4)),
        "common cores": cores_to_itself(processes, range(6)),
    }
    print(json.dumps(exchanged), flush=True)


if __name__ == "__main__":
    main()
