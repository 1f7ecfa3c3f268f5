"""A release brings what the model needs, found without running it."""

import textwrap
from pathlib import Path

import pytest

from excise.core.errors import ModelError, NotFound, StoreError
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef
from excise.releases.bundle import LOADERS, collect, loader_in, staged
from excise.releases.imports import local_modules
from excise.releases.probe import probe

LOADER = """
import importlib.util, os, sys

class Predictor:
    thread_safe = True
    def __init__(self, handler):
        self.handler = handler
        inputs = [{"name": "x", "dtype": "float64", "shape": [None, 3]}]
        self.signature = {"inputs": inputs, "outputs": [], "batch_axis": 0}
    def predict(self, batch):
        return self.handler(batch)
    def close(self):
        pass

def load(target, options):
    place, _, attribute = target.rpartition(":")
    sys.path.insert(0, os.path.dirname(place))
    if "project" in options:
        sys.path.insert(0, options["project"])
    spec = importlib.util.spec_from_file_location("handler", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Predictor(getattr(module, attribute))
"""


@pytest.fixture
def project(tmp_path):
    files = {
        "loader.py": LOADER,
        "serving/handler.py": """
            import json, numpy
            from pathlib import Path
            import cleaning
            from features.build import make
            from . import nothing
            print("handlers print")
            WEIGHTS = (Path(__file__).parent.parent / "weights" / "w.json").read_text()
            def handler(rows):
                return [json.loads(WEIGHTS) for row in rows]
            """,
        "serving/cleaning.py": "import importlib\nlazy = importlib.import_module('late')\n",
        "serving/late.py": "",
        "serving/unused.py": "",
        "features/__init__.py": "",
        "features/build.py": "from .deep import x\nfrom . import side\nmake = 1\n",
        "features/deep/__init__.py": "x = 1\n",
        "features/side.py": "import features.build\n",
        "features/other.py": "",
        "weights/w.json": "1.5",
        "weights/__pycache__/junk.pyc": "",
    }
    for name, content in files.items():
        path = tmp_path / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content))
    handler = tmp_path / "app/serving/handler.py"
    handler.write_text(handler.read_text().replace("from . import nothing\n", ""))
    return tmp_path / "app"


def subject(folder, target="serving/handler.py:handler", **options):
    spec = LoaderSpec(loader=str(folder / "loader.py"), target=str(folder / target), options=options)
    return Subject(
        ref=ModelRef.parse(str(folder / target)),
        kind="python",
        variant=Variant(name="production", loader=spec),
        default_input=InputKind.RECORDS,
    )


def test_imports_are_followed_without_running_anything(project):
    found = local_modules(project / "serving/handler.py", [project / "serving", project])
    assert [path.relative_to(project).as_posix() for path in found] == [
        "features/__init__.py",
        "features/build.py",
        "features/deep/__init__.py",
        "features/side.py",
        "serving/cleaning.py",
        "serving/handler.py",
        "serving/late.py",
    ]


def test_a_handler_brings_its_modules_and_what_was_included(project):
    bundle = collect(subject(project, project=str(project)), include=[project / "weights"])
    roles = {file.path: file.role for file in bundle.files}
    assert roles["serving/handler.py"] == roles["features/side.py"] == roles["loader.py"] == "code"
    assert roles["weights/w.json"] == "data"
    assert not {"features/other.py", "serving/unused.py", "weights/__pycache__/junk.pyc"} & set(roles)
    assert (bundle.target, bundle.loader) == ("serving/handler.py:handler", "loader.py")
    assert bundle.options == {"project": "."}


def test_it_loads_from_where_it_was_laid_out(project, tmp_path):
    bundle = collect(subject(project, project=str(project)), include=[project / "weights"])
    (tmp_path / "store").mkdir()
    with staged(bundle, tmp_path / "store") as root:
        (project / "weights/w.json").unlink()
        found = probe(loader_in(root, bundle.loader, bundle.target, bundle.options), folder=root)
    assert found.signature.inputs[0].shape == (None, 3)
    assert "numpy" in found.roots
    assert list((tmp_path / "store").iterdir()) == []


def test_a_file_that_was_not_included_is_missed_when_the_release_is_made(project, tmp_path):
    bundle = collect(subject(project, project=str(project)))
    with staged(bundle, tmp_path) as root, pytest.raises(ModelError, match=r"w\.json") as failure:
        probe(loader_in(root, bundle.loader, bundle.target, bundle.options), folder=root)
    assert "--include" in failure.value.hint


def test_a_module_stays_a_module(project, monkeypatch):
    monkeypatch.chdir(project)
    spec = LoaderSpec(loader=str(LOADERS / "python.py"), target="features.build:make")
    described = Subject(
        ref=ModelRef.parse("features.build:make"),
        kind="python",
        variant=Variant(name="production", loader=spec),
        default_input=InputKind.RECORDS,
    )
    bundle = collect(described)
    assert bundle.target == "features.build:make"
    assert bundle.options == {"project": "."}
    assert "features/build.py" in {file.path for file in bundle.files}
    laid = loader_in(Path("/laid"), bundle.loader, bundle.target, bundle.options)
    assert (laid.target, laid.options) == ("features.build:make", {"project": "/laid"})


def test_a_link_keeps_its_name_and_gives_its_content(project):
    blob = project / "cache" / "0af3"
    blob.parent.mkdir()
    blob.write_bytes(b"weights")
    (project / "model.onnx").symlink_to(blob)
    spec = LoaderSpec(loader=str(LOADERS / "onnx.py"), target=str(project / "model.onnx"))
    described = Subject(
        ref=ModelRef.parse("model.onnx"),
        kind="onnx",
        variant=Variant(name="production", loader=spec),
        default_input=InputKind.TENSORS,
        files=(str(project / "model.onnx"),),
    )
    bundle = collect(described)
    assert [file.path for file in bundle.files] == ["model.onnx"]
    assert bundle.size == 7


def test_files_that_lie_far_apart_are_refused(project):
    with pytest.raises(StoreError, match="far apart"):
        collect(subject(project), include=["/etc/passwd"])


def test_what_is_missing_or_no_python_is_said_in_one_line(project):
    with pytest.raises(NotFound, match="nowhere"):
        collect(subject(project), include=[project / "nowhere"])
    (project / "serving/cleaning.py").write_text("def (")
    with pytest.raises(ModelError, match=r"cleaning\.py is not Python"):
        collect(subject(project))


def test_a_model_that_is_a_folder_keeps_its_name_inside_the_release(tmp_path):
    folder = tmp_path / "encoder"
    (folder / "1_Pooling").mkdir(parents=True)
    files = [folder / "config.json", folder / "1_Pooling" / "config.json"]
    for file in files:
        file.write_text("{}")
    subject = Subject(
        ref=ModelRef.parse(str(folder)),
        kind="transformers",
        variant=Variant(
            name="production", loader=LoaderSpec(loader=str(LOADERS / "transformers.py"), target=str(folder))
        ),
        default_input=InputKind.RECORDS,
        files=tuple(map(str, files)),
    )
    bundle = collect(subject)
    assert bundle.target == "encoder"
    assert [file.path for file in bundle.files] == ["encoder/1_Pooling/config.json", "encoder/config.json"]
    with staged(bundle, tmp_path) as root:
        assert loader_in(root, bundle.loader, bundle.target, bundle.options).target == str(root / "encoder")
