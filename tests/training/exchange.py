"""What processes exchange, without a network to train: each prints what it finds as a line of JSON.

``mpiexec -n 3 python exchange.py``, or with the name of an exception, which one process raises.
"""

import json
import os
import sys

from charrnn.training.distributed import start_processes

if __name__ == "__main__":  # pytest looks for doctests here
    processes = start_processes()
    rank = processes.rank
    with processes.watched("folder"):
        if len(sys.argv) > 1:
            if rank:
                raise {"KeyError": KeyError, "ValueError": ValueError}[sys.argv[1]](rank)
            processes.gather("present")
    found = {
        "rank": rank,
        "gathered": processes.gather(rank * 10),
        "signals": [processes.agree(15 if rank == 2 else None), processes.agree(None)],
        "first": processes.from_first(lambda: rank + 5),
    }
    for name, cores in [("own cores", range(4 * rank, 4 * rank + 4)), ("common cores", range(6))]:
        os.sched_getaffinity = lambda _, cores=cores: set(cores)
        found[name] = processes.threads()
    print(json.dumps(found), flush=True)
