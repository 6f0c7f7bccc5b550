"""Calls the Greeter as often as it can: ADDRESS THREADS CALLS. Each thread has a stub; all share a channel and a processor.

Writes calls a second and the time of the slowest of a hundred, as the benchmarks' workloads do, to $WORKLOAD_RESULT.
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
threads, calls = int(sys.argv[2]), int(sys.argv[3])
took = [[] for _ in range(threads)]


def work(mine, calls):
    stub = channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
    for _ in range(calls):
        began = time.perf_counter()
        stub(REQUEST, timeout=60)
        mine.append(time.perf_counter() - began)


work([], WARM_UP)
workers = [threading.Thread(target=work, args=(mine, calls // threads)) for mine in took]
began = time.perf_counter()
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
seconds = time.perf_counter() - began
channel.close()
everything = sorted(time for mine in took for time in mine)
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
