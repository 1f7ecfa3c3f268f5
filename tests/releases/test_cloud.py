"""Whose machine it is stands in files."""

import pytest

from excise.releases.cloud import CloudMachine, cloud_machine


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, None),
        ({"sys_vendor": "QEMU", "product_name": "Standard PC"}, None),
        ({"sys_vendor": "Amazon EC2\n", "product_name": "m5.xlarge\n"}, CloudMachine("aws", "m5.xlarge")),
        ({"sys_vendor": "Xen", "product_name": "HVM domU", "uuid": "ec2e1916-9099-7caf\n"}, CloudMachine("aws")),
        ({"sys_vendor": "Google", "product_name": "Google Compute Engine"}, CloudMachine("gcp")),
        ({"sys_vendor": "Microsoft Corporation", "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77"},
         CloudMachine("azure")),
        ({"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine"}, None),
        ({"sys_vendor": "QEMU", "chassis_asset_tag": "OracleCloud.com"}, CloudMachine("oci")),
    ],
)  # fmt: skip
def test_the_firmware_names_the_cloud(tmp_path, files, found):
    for name, content in files.items():
        folder = tmp_path / ("sys/hypervisor" if name == "uuid" else "sys/class/dmi/id")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    assert cloud_machine(tmp_path) == found
