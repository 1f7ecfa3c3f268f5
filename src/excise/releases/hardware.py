"""The machine, as far as it decides how fast a model runs and which kernels run it."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import msgspec
import psutil

from excise.core.environment import Hardware

FLAGS = (
    # What ONNX Runtime, oneDNN, OpenBLAS and numpy dispatch on (their CPU feature tables, 2026).
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx_vnni",
    "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16",
    "asimd", "asimdhp", "asimddp", "sve", "sve2", "i8mm", "bf16", "sme",
)  # fmt: skip
QUERY_TIMEOUT_S = 10
MIB = 1024 * 1024


@cache
def hardware() -> Hardware:
    """The machine that this process runs on; what cannot be seen is None or left out."""
    cpu, flags = processor()
    gpu, driver = accelerator()
    return Hardware(
        cpu=cpu,
        cores=cores(),
        memory_mib=psutil.virtual_memory().total // MIB,
        flags=tuple(flag for flag in FLAGS if flag in flags),
        gpu=gpu,
        driver=driver,
    )


def cores() -> int:
    """Logical cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> tuple[str, frozenset[str]]:
    """Model name and instruction-set flags."""
    if sys.platform == "darwin":
        name = answer("sysctl", "-n", "machdep.cpu.brand_string")
        flags = answer("sysctl", "-n", "machdep.cpu.features", "machdep.cpu.leaf7_features")
        return name or platform.machine(), frozenset((flags or "").lower().replace(".", "_").split())
    try:
        return parse_cpuinfo(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        return platform.processor() or platform.machine(), frozenset()


def parse_cpuinfo(text: str) -> tuple[str, frozenset[str]]:
    r"""Model name and flags of the first processor in Linux's ``/proc/cpuinfo``.

    >>> parse_cpuinfo("model name : AMD EPYC 7R32\nflags : avx2 fma\n")[0]
    'AMD EPYC 7R32'
    """
    pairs = (line.partition(":") for line in text.splitlines())
    fields: dict[str, str] = {}
    for key, _, value in pairs:
        fields.setdefault(key.strip(), value.strip())
    name = fields.get("model name") or fields.get("Model") or platform.machine()
    return name, frozenset((fields.get("flags") or fields.get("Features") or "").split())


def accelerator() -> tuple[str | None, str | None]:
    """Name and driver version of the first NVIDIA device; None without one."""
    line = answer("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    name, _, driver = (line or "").partition("\n")[0].partition(",")
    return name.strip() or None, driver.strip() or None


def answer(program: str, *arguments: str) -> str | None:
    """What a program of the system prints; None where it is missing or fails."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=QUERY_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def fingerprint(machine: Hardware, platform_name: str) -> str:
    """The part of the hardware that belongs to an environment's identity: what decides *which* code runs.

    Architecture, instruction sets, accelerator and driver choose the kernels, hence the numbers that come out.
    Clock, cores and memory only choose how fast: they stand in the Baseline, and a second machine of the same
    kind does not make a second release.
    """
    parts = (platform_name, machine.flags, machine.gpu, machine.driver)
    return "sha256:" + hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
