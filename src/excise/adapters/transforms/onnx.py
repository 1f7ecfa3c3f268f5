"""ONNX variants: export, transformer fusion, dynamic int8, graph optimization ahead of time.

All run one script, ``scripts/onnx_variant.py``, with other options; exports are shared between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from excise.adapters.models import LOADERS
from excise.adapters.transforms import SCRIPTS
from excise.core.predictor import HOLDERS, Subject
from excise.core.tax import Culprit

WEIGHTS = ("torch", "onnx", *HOLDERS)
"""Kinds that may hold matrices: estimators in files are trees and linear models, whose weights int8 does not shrink."""

BOOSTERS = ("catboost", "lightgbm", "xgboost")
EXPORTED = (*BOOSTERS, "sklearn", "torch", "onnx", *HOLDERS)
"""Kinds of which some variant is made; of the rest none is, for a reason of its own."""


class _OnnxVariant:
    """One way through the script; what the ways differ in is data."""

    name: str
    culprit: str = Culprit.MODEL_BLOAT
    script: Path = SCRIPTS / "onnx_variant.py"
    needs: Sequence[str] = ("onnx", "onnxruntime")
    kinds: ClassVar[tuple[str, ...]] = ()
    steps: ClassVar[Mapping[str, Any]] = {}
    otherwise: ClassVar[str] = ""

    @property
    def options(self) -> Mapping[str, Any]:
        """What the script gets."""
        return {"loaders": str(LOADERS), **self.steps}

    def applies(self, subject: Subject) -> str | None:
        """None where it may be tried; whether the model inside a handler fits is seen by the script."""
        if subject.kind in self.kinds:
            return None
        return self.otherwise if subject.kind in EXPORTED else f"nothing here exports a {subject.kind} model to ONNX"

    def variables(self) -> Mapping[str, str]:
        """None: ONNX Runtime's threads are set in its session."""
        return {}


class Onnx(_OnnxVariant):
    """Export by skl2onnx, onnxmltools, CatBoost or torch's legacy exporter; equal answers or no variant."""

    name = "onnx"
    kinds = (*BOOSTERS, "sklearn", "torch", *HOLDERS)
    otherwise = "it is ONNX already"


class OnnxDynamo(_OnnxVariant):
    """Export by torch.export: slower to make, and other graphs than the legacy exporter's."""

    name = "onnx_dynamo"
    kinds = ("torch", *HOLDERS)
    steps: ClassVar[Mapping[str, Any]] = {"export": "dynamo"}
    otherwise = "torch.export takes torch modules only"

    def applies(self, subject: Subject) -> str | None:
        """None for modules that the plain export traces; an exported program has one export only."""
        if subject.variant.loader.target.endswith(".pt2"):
            return "the plain export of a .pt2 is torch.export's already"
        return super().applies(subject)


class OnnxFused(_OnnxVariant):
    """Transformer blocks fused; rejected where no attention fused."""

    name = "onnx_fused"
    kinds = WEIGHTS
    steps: ClassVar[Mapping[str, Any]] = {"fuse": True}
    otherwise = "there is no attention to fuse in an estimator"


class OnnxInt8(_OnnxVariant):
    """Dynamic int8, unsigned weights."""

    name = "onnx_int8"
    kinds = WEIGHTS
    steps: ClassVar[Mapping[str, Any]] = {"quantize": "quint8"}
    otherwise = "dynamic int8 shrinks matrices, and an estimator has few"


class OnnxInt8Channel(OnnxInt8):
    """Dynamic int8, signed weights by channel, a bit given up against saturation: of the int8 ways the closest."""

    name = "onnx_int8_channel"
    steps: ClassVar[Mapping[str, Any]] = {"quantize": "qint8_channel"}


class OnnxFusedInt8(OnnxInt8):
    """Fused, then dynamic int8."""

    name = "onnx_fused_int8"
    steps: ClassVar[Mapping[str, Any]] = {"fuse": True, "quantize": "quint8"}


class OptimizedGraph(_OnnxVariant):
    """The graph as ONNX Runtime would run it, written once, run on as many threads as it pays for."""

    name = "graph"
    kinds = ("onnx",)
    steps: ClassVar[Mapping[str, Any]] = {"optimize": True}
    otherwise = "only an ONNX model has a graph to optimize; `onnx` exports one"
