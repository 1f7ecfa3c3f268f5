"""Handlers as users write them, good and bad; loaded by workers from this file."""

import os
import sys
import threading
import time
import warnings


def spin(ms):
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


class Chain:
    """Declares its stages and does more when it is called."""

    def preprocess(self, rows):
        return [float(str(row["x"]).strip()) for row in rows]

    def predict(self, values):
        spin(1.0)
        return [2 * value for value in values]

    def postprocess(self, values):
        return [{"y": value} for value in values]

    def __call__(self, rows):
        answer = self.postprocess(self.predict(self.preprocess(rows)))
        validate_again(answer)
        return answer


def validate_again(answer):
    spin(0.5)


def double(rows):
    return [2 * row["x"] for row in rows]


def raises_on_17(rows):
    if rows[0]["x"] == 17:
        raise ValueError("no 17 here")
    return [0 for _ in rows]


def hangs(rows):
    time.sleep(60)


def prints(rows):
    print("hello from the model")
    sys.stdout.write("and more\n")
    os.write(1, b"straight to the descriptor\n")
    return [0 for _ in rows]


def dies(rows):
    os.kill(os.getpid(), 9)


def leaves(rows):
    os._exit(3)


def exits(rows):
    sys.exit("enough")


def forks(rows):
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    return [row["x"] for row in rows]


def changes_its_input(rows):
    was = type(rows[0]["x"]).__name__
    rows[0]["x"] = int(rows[0]["x"])
    return [was]


kept = []


def leaks(rows):
    kept.append(bytearray(1 << 20))
    return [0 for _ in rows]


chain = Chain()


def starts_a_spinning_thread(rows):
    """As the threads of a BLAS do, it goes on after the answer."""
    threading.Thread(target=spin, args=(60_000,), daemon=True).start()
    return [0 for _ in rows]


def counts_its_calls(rows):
    kept.append(rows)
    return [float(len(kept))]


def warns_and_dies(records):
    warnings.warn("this is the end", stacklevel=1)
    os._exit(3)
