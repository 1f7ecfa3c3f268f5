from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from excise.core.errors import CallFailed, CallTimeout, WorkerDied
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef
from excise.frontier import Prepared, Rejected, Sample, prepare, prepare_all, propose
from excise.tables import read


class Doubling:
    """A transform of a stranger."""

    culprit = "model_bloat"
    needs = ()

    def __init__(self, name, script, **options):
        self.name = name
        self.script = script
        self.options = MappingProxyType(options)

    def applies(self, subject):
        return None if subject.kind == "mine" else "only mine"

    def variables(self):
        return {"SOME_THREADS": "1"}


class InProcess:
    """A worker that runs scripts in this process and counts what it was asked."""

    def __init__(self, log):
        self.log = log

    def __enter__(self):
        self.log.append("start")
        return self

    def __exit__(self, *_):
        self.log.append("end")

    def load(self, spec):
        self.log.append(f"load {spec.target}")
        return {}

    def data(self, table, *, kind, name, rows):
        self.log.append(f"data {table.rows} {kind} {name} {len(rows)}")

    def transform(self, script, sample, rows, *, batch, out_dir, options, timeout_s):
        assert 0 < timeout_s <= 120
        self.log.append(f"transform {options['do']}")
        if options["do"] == "raise":
            raise CallFailed("the model raised ValueError", row=3)
        if options["do"] == "hang":
            raise CallTimeout("no answer")
        if options["do"] == "die":
            raise WorkerDied("ended with signal SIGKILL")
        if options["do"] == "lie":
            return {"loader": 3}
        if options["do"] == "refuse":
            return {"loader": None, "size_bytes": 0, "reason": "cannot", "notes": []}
        made = Path(out_dir) / "model.bin"
        made.write_bytes(Path(options["production"]["target"]).read_bytes() * 2)
        loader = {"loader": options["production"]["loader"], "target": str(made), "options": {}}
        return {"loader": loader, "size_bytes": made.stat().st_size, "reason": None, "notes": ["doubled"]}


@pytest.fixture
def world(tmp_path):
    """A model, its script, a sample and what a worker was asked."""
    (tmp_path / "load.py").write_text("def load(target, options): ...")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "double.py").write_text("def apply(predictor, batches, out_dir, options): ...")
    (tmp_path / "model.bin").write_bytes(b"weights")

    class World:
        def __init__(self):
            self.log = []
            self.folder = tmp_path / "variants"
            self.sample = Sample(read({"x": np.arange(5.0)}), InputKind.TENSORS, (0, 2, 4))

        def subject(self, kind="mine"):
            target = str(tmp_path / "model.bin")
            loader = LoaderSpec(loader=str(tmp_path / "load.py"), target=target)
            variant = Variant(name="production", loader=loader)
            ref = ModelRef.parse(target)
            return Subject(
                ref=ref,
                kind=kind,
                variant=variant,
                default_input=InputKind.TENSORS,
                files=() if kind == "python" else (target,),
            )

        def transform(self, do="make", name="double"):
            return Doubling(name, tmp_path / "scripts" / "double.py", do=do)

        def prepare(self, *transforms, kind="mine", **settings):
            return prepare_all(
                self.subject(kind), transforms, open_worker=lambda: InProcess(self.log), sample=self.sample,
                out_dir=self.folder, **settings,
            )  # fmt: skip

    return World()


def test_a_variant_is_made_named_and_described(world):
    (made,) = world.prepare(world.transform())
    assert isinstance(made, Prepared)
    assert made.variant.name == "double"
    assert made.variant.lineage == ("double",)
    assert made.variant.variables == {"SOME_THREADS": "1"}
    assert made.notes == ("doubled",)
    assert Path(made.variant.loader.target).read_bytes() == b"weightsweights"
    assert Path(made.variant.loader.target).parent.parent == world.folder
    assert world.log[0] == "start"
    assert world.log[2] == "data 5 tensors current 3"
    assert world.log[-1] == "end"


def test_what_was_made_is_kept_until_an_input_changes(world, tmp_path):
    first = prepare(
        world.subject(),
        world.transform(),
        open_worker=lambda: InProcess(world.log),
        sample=world.sample,
        out_dir=world.folder,
    )
    world.log.clear()
    (again,) = world.prepare(world.transform())
    assert again.variant == first.variant
    assert world.log == []
    (tmp_path / "model.bin").write_bytes(b"retrained")
    (other,) = world.prepare(world.transform())
    assert other.variant.loader.target != first.variant.loader.target
    (newer,) = world.prepare(world.transform(), environment="sha256:other")
    assert newer.variant.loader.target not in {first.variant.loader.target, other.variant.loader.target}


def test_a_handlers_variant_is_made_anew_since_its_model_files_are_not_known(world, tmp_path):
    (first,) = world.prepare(world.transform(), kind="python")
    (same,) = world.prepare(world.transform(), kind="python")
    (tmp_path / "model.bin").write_bytes(b"retrained")
    (other,) = world.prepare(world.transform(), kind="python")
    assert world.log.count("transform make") == 3
    assert first.variant == same.variant
    assert Path(other.variant.loader.target).read_bytes() == b"retrainedretrained"


@pytest.mark.parametrize(
    ("do", "says", "workers"),
    [
        ("raise", "ValueError", 1),
        ("hang", "not made within", 2),
        ("die", "SIGKILL", 2),
        ("lie", "loader", 1),
        ("refuse", "cannot", 1),
    ],
)
def test_a_failure_is_rejected_with_its_reason_and_the_next_one_goes_on(world, do, says, workers):
    bad, good = world.prepare(world.transform(do, "bad"), world.transform())
    assert isinstance(bad, Rejected)
    assert says in bad.reason
    assert isinstance(good, Prepared)
    assert world.log.count("start") == world.log.count("end") == workers
    assert [path.name for path in world.folder.iterdir() if path.name.startswith((".", "bad"))] == []


def test_a_spent_budget_is_a_reason(world):
    (late,) = world.prepare(world.transform(), budget_s=0)
    assert "--prepare-budget" in late.reason
    assert world.log == []


def test_a_folder_that_cannot_be_written_is_a_reason(world, tmp_path):
    world.folder = tmp_path / "model.bin" / "variants"
    (made,) = world.prepare(world.transform())
    assert isinstance(made, Rejected)


def test_a_broken_product_file_is_made_again(world):
    (made,) = world.prepare(world.transform())
    (Path(made.variant.loader.target).parent / "product.json").write_text("{")
    (again,) = world.prepare(world.transform())
    assert isinstance(again, Prepared)
    assert again.variant == made.variant


def test_proposals_name_the_reason_of_what_is_not_tried(world):
    transforms = [world.transform(name="b"), world.transform(name="a")]
    assert [(p.transform.name, p.applies) for p in propose(world.subject(), transforms)] == [("a", True), ("b", True)]
    assert [p.reason for p in propose(world.subject("other"), transforms)] == ["only mine", "only mine"]
    assert [p.reason for p in propose(world.subject(), transforms, only=["b"])] == [None, "not in this catalogue"]
