"""The first thing a user does: ``excise demo``, from an empty folder to a tax return."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_the_demo_ends_with_a_tax_return_and_a_page(tmp_path):
    run = subprocess.run(
        [sys.executable, "-P", "-m", "excise", "demo", "--dir", "flights", "--budget", "20s", "--force", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in {0, 3}, run.stderr
    audit = json.loads(run.stdout)
    assert audit["schema"] == "excise/audit/v1"
    assert audit["model"]["ref"] == "flights@1"
    for told in ("staged", "$ excise release create", "$ excise audit flights@1"):
        assert told in run.stderr
    page = (tmp_path / "flights" / "tax-return.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert {path.name for path in tmp_path.iterdir()} == {"flights"}
    if run.returncode == 0:
        assert audit["tax_rate"]["value"] > 0.2
        assert {"cast", "drop_shadow"} & set(audit["attainable"]["remedies"])
