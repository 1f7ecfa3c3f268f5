"""MLflow models: folders with a file ``MLmodel`` that says which flavors they can be loaded as."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from excise.adapters.models import LOADERS, find, installed
from excise.adapters.models.inspection import demand_packages, existing_file
from excise.core.errors import ModelError, UntrustedPickle
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef, RefKind

DESCRIPTION = "MLmodel"
FILE_KEYS = ("pickled_model", "data", "model_data")
"""Under which a flavor names its model file, relative to the folder (``save_model`` of MLflow's modules)."""
GENERIC = "python_function"


class MlflowModels:
    """The model file of a flavor that another adapter knows, else ``mlflow.pyfunc``."""

    name = "mlflow"
    suffixes: ClassVar[tuple[str, ...]] = ()

    def matches(self, ref: ModelRef) -> bool:
        """Whether it is a folder with ``MLmodel``."""
        return ref.kind is RefKind.PATH and (Path(ref.target) / DESCRIPTION).is_file()

    def describe(self, ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
        """Describe the folder by its ``MLmodel``; nothing is loaded.

        Raises:
            ModelError: ``MLmodel`` cannot be read, or names a file that is not there or not inside.
            UntrustedPickle: without trust, since what pyfunc loads is code.
            MissingExtra: MLflow, or the library of the flavor, is not installed.
        """
        folder = Path(ref.target).absolute()
        demand_packages("mlflow", "yaml")
        flavors = flavors_in(folder)
        if (native := next(native_files(folder, flavors), None)) is not None:
            return msgspec.structs.replace(find(native, trust_pickle=trust_pickle), ref=ref)
        return as_pyfunc(ref, folder, flavors, trust_pickle=trust_pickle)


def flavors_in(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Every flavor with its fields.

    Raises:
        ModelError: the description cannot be read, or has none.
    """
    yaml = importlib.import_module("yaml")
    try:
        described = yaml.safe_load(existing_file(str(folder / DESCRIPTION)).read_text(encoding="utf-8"))
        flavors = {str(name): dict(fields or {}) for name, fields in described["flavors"].items()}
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
        why = str(error).partition("\n")[0]
        raise ModelError(f"{folder / DESCRIPTION} describes no model: {why}", hint="log the model again") from None
    return flavors


def native_files(folder: Path, flavors: Mapping[str, Mapping[str, Any]]) -> Iterator[ModelRef]:
    """Model files of flavors that an adapter for files knows.

    Raises:
        ModelError: a flavor names a file outside the folder.
    """
    for flavor, fields in flavors.items():
        for named in (fields[key] for key in FILE_KEYS if flavor != GENERIC and isinstance(fields.get(key), str)):
            file = folder / named
            if not file.resolve().is_relative_to(folder.resolve()):
                raise ModelError(f"{folder / DESCRIPTION} names {named}, outside its folder", hint="do not use it")
            ref = ModelRef(kind=RefKind.PATH, text=str(file), target=str(file))
            if file.is_file() and any(adapter.matches(ref) for adapter in installed()):
                yield ref


def as_pyfunc(ref: ModelRef, folder: Path, flavors: Mapping[str, Any], *, trust_pickle: bool) -> Subject:
    """The model as ``mlflow.pyfunc`` loads it."""
    if GENERIC not in flavors:
        raise ModelError(f"{folder} has no pyfunc flavor, only {', '.join(flavors)}", hint="name its model file")
    if not trust_pickle:
        raise UntrustedPickle(
            f"{folder} is loaded by mlflow.pyfunc, which runs whatever code it holds",
            hint="if you know who made it, add --trust-pickle; logging it as ONNX is the way without",
        )
    demand_packages("mlflow", "mlflow")
    files = tuple(str(file) for file in sorted(folder.rglob("*")) if file.is_file())
    size = sum(Path(file).stat().st_size for file in files)
    loader = LoaderSpec(loader=str(LOADERS / "mlflow.py"), target=str(folder / DESCRIPTION))
    return Subject(
        ref=ref,
        kind=MlflowModels.name,
        variant=Variant(name="production", loader=loader, size_bytes=size),
        default_input=InputKind.FRAME,
        files=files,
    )
