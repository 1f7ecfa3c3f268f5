"""TensorFlow's SavedModel folders, and Keras models in files: ``.keras`` and ``.h5``."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import HDF5, ZIP, demand_trust, head_of, truncated, whole_zip, wrong_type
from excise.adapters.models.protobuf import outer_fields
from excise.core.errors import ModelError

GRAPH, INDEX, SHARDS = "saved_model.pb", "variables/variables.index", "variables/variables.data-*"
META_GRAPHS_FIELD = 2
"""``SavedModel.meta_graphs``."""
VARIABLE = b"VarHandleOp"
"""The operator of every variable since TensorFlow 2."""
KERAS, H5 = ".keras", ".h5"
CONFIG = "config.json"
MODEL_CONFIG = b"model_config"
"""HDF5 attribute of a whole model; weights alone have none."""
LAMBDA = b'"class_name": "Lambda"'
END_OF_FILE = {0: slice(40, 48), 1: slice(44, 52), 2: slice(28, 36), 3: slice(28, 36)}
"""Where a superblock states the file's length, by its version (HDF5 file format, section II.A)."""


class TensorFlowModels(ModelFiles):
    """Graphs and Keras models, run by TensorFlow."""

    name = "tensorflow"
    suffixes = (KERAS, H5)
    members = (GRAPH,)
    packages = ("tensorflow",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Look for all parts of a folder, for the ends of a file, and for code inside it."""
        if path.is_dir():
            _demand_parts(path)
        elif path.suffix.lower() == H5:
            _demand_hdf5(path, trusted=trusted)
        else:
            _demand_archive(path, trusted=trusted)

    def options(self, path: Path, *, trusted: bool) -> dict[str, Any]:
        """Trust in the code of a Keras model where it was given."""
        return {"trusted": True} if trusted and not path.is_dir() else {}


def _demand_parts(folder: Path) -> None:
    """Refuse a folder whose graph was cut, or whose variables were left behind."""
    graph = folder / GRAPH
    if META_GRAPHS_FIELD not in outer_fields(graph):
        raise wrong_type(graph, head_of(graph))
    if VARIABLE not in graph.read_bytes():
        return
    shards = sorted(folder.glob(SHARDS))
    stated = int(shards[0].name.rpartition("-of-")[2]) if shards else 1
    if not (folder / INDEX).is_file() or len(shards) < stated:
        message = f"{folder} lacks its variables: {INDEX} and {stated} of {SHARDS}"
        raise ModelError(message, hint="copy the folder with all that is below it")


def _demand_hdf5(file: Path, *, trusted: bool) -> None:
    data = file.read_bytes()
    if not data.startswith(HDF5):
        raise wrong_type(file, data[:64])
    stated = int.from_bytes(data[END_OF_FILE.get(data[8], slice(0))], "little") if len(data) > len(HDF5) * 2 else 1
    if stated > len(data):
        raise truncated(file, f"its superblock states {stated} bytes")
    if MODEL_CONFIG not in data:
        raise ModelError(f"{file} holds weights and no model", hint="save all of it: model.save(...), as .keras")
    _demand_no_code(file, data, trusted=trusted)


def _demand_archive(file: Path, *, trusted: bool) -> None:
    if not head_of(file).startswith(ZIP):
        raise wrong_type(file, head_of(file))
    whole_zip(file, CONFIG)
    with zipfile.ZipFile(file) as archive:
        _demand_no_code(file, archive.read(CONFIG), trusted=trusted)


def _demand_no_code(file: Path, config: bytes, *, trusted: bool) -> None:
    """A Lambda layer is marshaled bytecode."""
    if LAMBDA in config:
        demand_trust(file, trusted=trusted, without="a model without Lambda layers")
