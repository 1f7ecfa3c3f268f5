import json
import math
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import numpy as np
import pytest
from audits import FULL, ms
from msgspec.structs import replace
from samples import SAMPLES

from excise.core.audit import Audit, Beside
from excise.report.documents import DOCUMENTS, schema, schema_files, schemas, to_json

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_document_keeps_its_published_schema(name):
    jsonschema.Draft202012Validator(schemas()["audit"]).validate(json.loads(to_json(SAMPLES[name])))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_document_comes_back_as_the_same_value(name):
    assert msgspec.json.decode(to_json(SAMPLES[name]), type=Audit) == SAMPLES[name]


def test_what_is_unknown_is_null_and_never_left_out():
    written = json.loads(to_json(SAMPLES["empty"]))
    assert written["current"]["p99_ms"] is None
    assert set(written["beside"]) == set(Beside.__struct_fields__)
    assert written["schema"] == "excise/audit/v1"
    assert written["tax_rate"] is None


def test_the_schema_refuses_a_document_with_something_left_out():
    written = json.loads(to_json(FULL))
    del written["tax_rate_cost"]
    with pytest.raises(jsonschema.ValidationError, match="tax_rate_cost"):
        jsonschema.validate(written, schemas()["audit"])


def test_hotspots_say_class_as_the_contract_does():
    assert json.loads(to_json(FULL))["hotspots"][0]["class"] == "op_compute"


def test_numbers_that_are_none_become_null():
    written = json.loads(to_json(replace(FULL, tax_rate=replace(ms(1.0, 0.1), high=math.inf, low=math.nan))))
    assert written["tax_rate"]["high"] is None
    assert written["tax_rate"]["low"] is None


def test_settings_of_any_type_can_be_written():
    odd = replace(FULL, settings={"where": Path("x"), "rows": np.int64(3), "deltas": np.array([0.5])})
    assert json.loads(to_json(odd))["settings"] == {"where": "x", "rows": 3, "deltas": [0.5]}


def test_the_published_schemas_are_those_of_the_types():
    published = {path.name: path.read_bytes() for path in (ROOT / "docs" / "schemas").glob("*.json")}
    assert published == schema_files(), "run: python tools/write_schemas.py"


def test_every_document_names_its_own_schema():
    for noun, kind in DOCUMENTS.items():
        jsonschema.Draft202012Validator.check_schema(schema(noun, kind))
        assert schema(noun, kind)["$id"] == f"excise/{noun}/v1"


def test_the_tool_writes_what_is_published(tmp_path):
    tool = tmp_path / "tools" / "write_schemas.py"
    tool.parent.mkdir()
    tool.write_bytes((ROOT / "tools" / "write_schemas.py").read_bytes())
    stale = tmp_path / "docs" / "schemas" / "gone.v1.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}")
    subprocess.run([sys.executable, str(tool)], check=True, env={"PYTHONPATH": str(ROOT / "src")})
    assert {path.name: path.read_bytes() for path in stale.parent.iterdir()} == schema_files()
