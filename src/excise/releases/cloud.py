"""Whose machine this is, by what its firmware says in files; nobody is asked over the network.

Source: the clouds' own pages on identifying their machines (DMI fields; /sys/hypervisor/uuid of EC2 on Xen), 2026.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

DMI = Path("sys/class/dmi/id")
AZURE_TAG = "7783-7084-3265-9085-8269-3286-77"
"""Chassis asset tag of every virtual machine of Azure; Hyper-V elsewhere has another vendor's."""


class CloudMachine(NamedTuple):
    """A cloud, by the price book's name for it, and the machine's type where the firmware tells it."""

    cloud: str
    type: str | None = None


def cloud_machine(root: Path = Path("/")) -> CloudMachine | None:
    """The cloud that this machine belongs to; None where no file says so.

    Args:
        root: of the file system.
    """
    vendor, product, tag = (read(root / DMI / name) for name in ("sys_vendor", "product_name", "chassis_asset_tag"))
    if vendor == "Amazon EC2":
        return CloudMachine("aws", product or None)
    if read(root / "sys/hypervisor/uuid").startswith("ec2") or "amazon" in product.lower():
        return CloudMachine("aws")
    if vendor == "Google" and product == "Google Compute Engine":
        return CloudMachine("gcp")
    if tag == AZURE_TAG:
        return CloudMachine("azure")
    return CloudMachine("oci") if tag == "OracleCloud.com" else None


def read(path: Path) -> str:
    """A file's text without the blanks around it; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
