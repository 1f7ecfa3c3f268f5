"""What replaying adds to a service's call, and what recording adds to a request.

Replaying: at most 15 µs over awaiting the application directly, with a scope and two callables as a server makes them.
Recording: at most 20 µs a request at a rate of 1 %, over the same application without. Both on an application without
a framework, so that nothing hides what is added. One number per fresh process, from interleaved rounds inside it;
medians over processes, with the largest.

Usage: python benchmarks/service_overhead.py [--processes 9]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

from excise.adapters.models import LOADERS

LIMITS = {"replaying": 15.0, "recording at 1 %": 20.0}
INSIDE = f"""
import asyncio, importlib.util, json, statistics, sys, tempfile, time, types
import excise
spec = importlib.util.spec_from_file_location("service", {str(LOADERS / "service.py")!r})
service = importlib.util.module_from_spec(spec)
spec.loader.exec_module(service)
START = {{"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}}
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({{"type": "lifespan.startup.complete"}})
        await receive()
        return await send({{"type": "lifespan.shutdown.complete"}})
    message = await receive()
    await send(START)
    await send({{"type": "http.response.body", "body": message["body"]}})
made = types.ModuleType("made"); made.app = app; sys.modules["made"] = made
loaded = service.load("made:app", {{"interface": "asgi", "request": {{"method": "POST", "path": "/predict"}}}})
CALLS, ROUNDS = 1000, 15
batch = loaded.prepare([{{"x%d" % index: index / 7 for index in range(10)}}])
request = batch[0]
folder = tempfile.mkdtemp()
sampled = excise.record(app, out=folder + "/sampled.jsonl", rate=0.01)
async def direct(app):
    body = request.body
    async def receive(): return {{"type": "http.request", "body": body, "more_body": False}}
    async def send(message): pass
    await app(dict(request.cache), receive, send)
async def us(call, argument):
    start = time.perf_counter_ns()
    for _ in range(CALLS):
        await call(argument)
    return (time.perf_counter_ns() - start) / 1e3 / CALLS
async def main():
    found = {{"replaying": [], "recording at 1 %": []}}
    for _ in range(ROUNDS):
        bare = await us(direct, app)
        found["replaying"].append(await us(loaded.ask, batch) - bare)
        found["recording at 1 %"].append(await us(direct, sampled) - bare)
        time.sleep(0.05)
    return found
found = loaded.on_loop(main)
print(json.dumps({{name: statistics.median(values) for name, values in found.items()}}))
loaded.close()
"""


def main() -> int:
    """Print what each costs; 1 where the median is above its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--processes", type=int, default=9)
    given = parser.parse_args()
    found = [json.loads(subprocess.check_output([sys.executable, "-c", INSIDE])) for _ in range(given.processes)]
    missed = False
    for name, limit in LIMITS.items():
        values = [one[name] for one in found]
        middle = statistics.median(values)
        missed |= middle > limit
        print(f"{name:<18} {middle:6.2f} µs, largest {max(values):6.2f} (at most {limit:g})")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
