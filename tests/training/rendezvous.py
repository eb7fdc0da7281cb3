"""Serve as the meeting point of processes that the tests start by hand, as horovodrun does for those that it starts.

``python rendezvous.py host1:1,host2:1`` prints its port, and serves until it is killed.
"""
import sys
import threading

if __name__ == "__main__":  # pytest looks for doctests here, also where there is no Horovod
    from horovod.runner.common.util.hosts import get_host_assignments, parse_hosts
    from horovod.runner.http.http_server import RendezvousServer

    hosts = parse_hosts(sys.argv[1])
    server = RendezvousServer(False)
    port = server.start()
    server.init(get_host_assignments(hosts, sum(host.slots for host in hosts)))
    print(port, flush=True)
    threading.Event().wait()
