"""Starting up is cheap: ``excise --help`` costs at most 60 ms of CPU over a bare interpreter."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("startup", Path(__file__).parents[1] / "benchmarks" / "startup.py")
startup = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(startup)


@pytest.mark.alone
def test_help_costs_little_over_a_bare_interpreter():
    command = startup.COMMANDS[startup.HELD]
    startup.cpu_ms(command)
    _, _, over = startup.over_bare_ms(command)
    assert over <= startup.LIMIT_MS
