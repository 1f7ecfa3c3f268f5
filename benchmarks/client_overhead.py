"""What the client of endpoints adds to a call: at most 40 µs over a bare socket that reads as many bytes.

A server that answers the same bytes to every request runs in a process of its own. One number per fresh pair of
processes, from interleaved rounds of both clients on kept connections; medians over pairs, with the largest. Beside
it, for scale, the standard library's ``http.client`` with its JSON decoded.

Usage: python benchmarks/client_overhead.py [--pairs 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

from excise.adapters.models import LOADERS

LIMIT_US = 40.0
SERVER = """
import socket
ANSWER = b"HTTP/1.1 200 OK\\r\\ndate: x\\r\\nserver: x\\r\\ncontent-length: 22\\r\\n"
ANSWER += b'content-type: application/json\\r\\n\\r\\n{"probability":0.7312}'
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        made, _ = listener.accept()
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            asked = made.recv(65536)
            while asked and not asked.endswith(b"}"):  # http.client sends head and body apart
                asked += made.recv(65536)
            if not asked:
                break
            made.sendall(ANSWER)
"""
INSIDE = f"""
import http.client, importlib.util, json, socket, statistics, subprocess, sys, time
server = subprocess.Popen([sys.executable, "-c", {SERVER!r}], stdout=subprocess.PIPE, text=True)
port = int(server.stdout.readline())
spec = importlib.util.spec_from_file_location("endpoint", {str(LOADERS / "endpoint.py")!r})
endpoint = importlib.util.module_from_spec(spec)
spec.loader.exec_module(endpoint)
CALLS, ROUNDS = 500, 15
row = {{"x%d" % index: index / 7 for index in range(30)}}
predictor = endpoint.load("http://127.0.0.1:%d" % port, {{"request": {{"path": "/predict"}}}})
calls = predictor.prepare([row])
def ours():
    predictor.ask(calls)
data = calls[0].data
def connected():
    made = socket.create_connection(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
def round_of(call):
    call()
    start = time.perf_counter_ns()
    for _ in range(CALLS):
        call()
    return (time.perf_counter_ns() - start) / 1e3 / CALLS
body = json.dumps(row)
found = {{"bare": [], "ours": [], "http.client": []}}
for _ in range(ROUNDS):
    raw = connected()
    def bare():
        raw.sendall(data)
        raw.recv(65536)
    found["bare"].append(round_of(bare))
    raw.close()
    found["ours"].append(round_of(ours))
    predictor.failures()
    predictor.close()
    client = http.client.HTTPConnection("127.0.0.1", port)
    def library():
        client.request("POST", "/predict", body, {{"Content-Type": "application/json"}})
        json.loads(client.getresponse().read())
    found["http.client"].append(round_of(library))
    client.close()
server.kill()
server.communicate()
print(json.dumps({{name: statistics.median(walls) for name, walls in found.items()}}))
"""


def main() -> int:
    """Print what each client takes; 1 where ours adds more than its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    given = parser.parse_args()
    found = [json.loads(subprocess.check_output([sys.executable, "-c", INSIDE])) for _ in range(given.pairs)]
    added = [one["ours"] - one["bare"] for one in found]
    for name in found[0]:
        print(f"{name:12} {statistics.median(one[name] for one in found):6.1f} µs a call")
    middle = statistics.median(added)
    print(f"ours adds    {middle:6.1f} µs, at most {max(added):.1f} in {given.pairs} pairs   (limit {LIMIT_US:g})")
    return int(middle > LIMIT_US)


if __name__ == "__main__":
    sys.exit(main())
