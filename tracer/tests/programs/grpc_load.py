"""Calls the Greeter as often as it can: ADDRESS THREADS CALLS. Each thread has a stub; all share a channel and a processor.

Writes calls a second and the time of the slowest of a hundred, as the benchmarks' workloads do, to $WORKLOAD_RESULT.
Where CALLS is `-`, reads how many from each line of standard input instead, and prints the seconds that they took.
"""

import json
import os
import sys
import threading
import time

import grpc

from greeting import METHOD

# About half a second: beside a tracer that has just begun, system calls may take longer (xtask/src/bench/bystander.rs).
WARM_UP = 1500
REQUEST = b"\x0a\x01x"

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
channel = grpc.insecure_channel(sys.argv[1])
threads = int(sys.argv[2])


def work(mine, calls):
    stub = channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
    for _ in range(calls):
        began = time.perf_counter()
        stub(REQUEST, timeout=60)
        mine.append(time.perf_counter() - began)


def call(count):
    """Calls so often: how long each took, and all together."""
    took = [[] for _ in range(threads)]
    workers = [threading.Thread(target=work, args=(mine, count // threads)) for mine in took]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(time for mine in took for time in mine), time.perf_counter() - began


work([], WARM_UP)
if sys.argv[3] == "-":
    for line in sys.stdin:
        print(call(int(line))[1], flush=True)
    sys.exit()
everything, seconds = call(int(sys.argv[3]))
channel.close()
times = os.times()
with open(os.environ["WORKLOAD_RESULT"], "w") as result:
    json.dump(
        {
            "operations": len(everything),
            "seconds": seconds,
            "rate": len(everything) / seconds,
            "p99_us": everything[len(everything) * 99 // 100] * 1e6,
            "cpu_s": times.user + times.system,
        },
        result,
    )
