"""Exports a scikit-learn estimator or pipeline by skl2onnx, in the narrowest number type that gives equal answers.

Self-contained with the files beside it, Python 3.8 syntax.

Trees compare against thresholds. scikit-learn's classic trees compare float32(x), so float32 inputs lose nothing as
long as nothing was computed before the tree. Histogram boosting compares float64, and a scaler before a tree rounds
otherwise in float32: there float64 comes first. An export is taken only when it agrees on every sample row.
"""

import contextlib
import importlib.util
import json
import os
import sys

import numpy as np

OPSETS = {"": 17, "ai.onnx.ml": 3}
"""Read by every ONNX Runtime since 1.14; newer opsets shut old environments out."""
IR_VERSION = 8
TOLERANCE = 1e-6
SUPPORTED = ("predict_proba", "predict")
TREE_MARKS = ("Tree", "Forest", "Boosting")


def sibling(name):
    """The file beside this one, by path."""
    key = "_excise_script_" + name
    if key not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location(key, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[key] = module
    return sys.modules[key]


def export(calls, folder):
    """``{"path", "loader_options", "notes"}``; kept beside the file for the next transform of the same model."""
    path, kept = os.path.join(folder, "estimator.onnx"), os.path.join(folder, "estimator.json")
    if os.path.exists(kept):
        with open(kept) as file:
            return json.load(file)
    unsupported = [name for name in calls.methods if name not in SUPPORTED]
    if unsupported:
        sibling("rejection").reject("the handler calls %s(), which the export does not offer" % unsupported[0])
    result = try_types(calls, path)
    with open(kept + ".tmp", "w") as file:
        json.dump(result, file)
    os.replace(kept + ".tmp", kept)
    return result


def try_types(calls, path):
    """The first number type whose export agrees with the original."""
    sample = sibling("capture").stack([args[0] for _, args, _, _ in calls.records])
    reasons = []
    for number, integers in attempts(calls.model, sample):
        try:
            loader_options = convert(calls, sample, path, number, integers)
            inner = {"loader": None, "target": path, "options": loader_options}
            found = sibling("agreement").difference(calls, inner, TOLERANCE)
        except Exception as error:
            reasons.append("%s: %s" % (number, first_line(error)))
            continue
        if found["agrees"]:
            note = "%s inputs, max difference %.1e on %d rows" % (number, found["worst"], found["rows"])
            return {"path": path, "loader_options": loader_options, "notes": [note]}
        reasons.append("%s: %s" % (number, found["why"]))
    sibling("rejection").reject("no export of %s agrees (%s)" % (calls.type_name, "; ".join(reasons)))


def first_line(error):
    """An exception as a short line."""
    text = str(error).strip().splitlines()
    return "%s %s" % (type(error).__name__, text[0][:160] if text else "")


def attempts(model, sample):
    """Number types in the order in which they are tried, and whether integer columns stay integers."""
    steps = [step for _, step in getattr(model, "steps", [("only", model)])]
    names = [type(step).__name__ for step in steps]
    histogram = any("HistGradientBoosting" in name for name in names)
    tree_after_arithmetic = len(steps) > 1 and any(mark in names[-1] for mark in TREE_MARKS)
    numbers = ["float64", "float32"] if histogram or tree_after_arithmetic else ["float32", "float64"]
    tried = [(number, False) for number in numbers]
    if by_column(model, sample) and any(kind.kind in "iu" for kind in map(np.dtype, numeric_dtypes(sample))):
        tried += [(number, True) for number in numbers]
    return tried


def numeric_dtypes(frame):
    """The numpy dtypes of a frame's numeric columns."""
    return [dtype for dtype in frame.dtypes if isinstance(dtype, np.dtype) and dtype.kind in "iufb"]


def by_column(model, sample):
    """Whether every column needs an input of its own: the estimator selects columns, or some hold text."""
    if not hasattr(sample, "iloc"):
        return False
    steps = [model] + [step for _, step in getattr(model, "steps", [])]
    selects = any(hasattr(step, "transformers_") for step in steps)
    return selects or len(numeric_dtypes(sample)) < sample.shape[1]


def convert(calls, sample, path, number, integers):
    """Write the file and return what its loader must be told."""
    from skl2onnx import to_onnx

    model, columns = calls.model, None
    if by_column(model, sample):
        columns = [str(name) for name in sample.columns]
    classifier = hasattr(model, "classes_") and hasattr(model, "predict_proba")
    histogram = "HistGradientBoosting" in type(getattr(model, "steps", [("", model)])[-1][1]).__name__
    with plain_attributes(), own_thresholds(histogram and number == "float64"):
        proto = to_onnx(
            model,
            initial_types=initial_types(sample, columns, number, integers),
            options={id(model): {"zipmap": False}} if classifier else None,
            target_opset=OPSETS,
        )
    finish(proto, path)
    return loader_options(calls, proto, columns, classifier)


def loader_options(calls, proto, columns, classifier):
    """Which output answers which method."""
    outputs = [output.name for output in proto.graph.output]
    methods = {"predict_proba": outputs[1], "predict": outputs[0]} if classifier else {"predict": outputs[0]}
    wanted = {name: methods[name] for name in methods if name in calls.methods}
    others = {name: methods[name] for name in methods if name not in wanted}
    wanted.update(others)
    squeeze = not classifier and np.ndim(calls.records[0][3]) == 1
    return {"methods": wanted, "columns": columns, "feature_names": calls.names, "flat": squeeze}


def initial_types(sample, columns, number, integers):
    """One 2-D input, or one column input each."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType

    numeric = DoubleTensorType if number == "float64" else FloatTensorType
    if columns is None:
        return [("X", numeric([None, int(np.shape(sample)[1])]))]
    types = []
    for name, dtype in zip(columns, sample.dtypes):
        text = not isinstance(dtype, np.dtype) or dtype.kind not in "iufb"
        kept = integers and not text and dtype.kind in "iu"
        types.append((name, (StringTensorType if text else Int64TensorType if kept else numeric)([None, 1])))
    return types


@contextlib.contextmanager
def plain_attributes():
    """Node attributes as plain Python numbers: onnx >= 1.20 refuses the numpy scalars that skl2onnx writes."""
    from skl2onnx.common import _container

    original = _container.make_node

    def make_node(kind, inputs, outputs, **attributes):
        return original(kind, inputs, outputs, **{key: plain(value) for key, value in attributes.items()})

    _container.make_node = make_node
    try:
        yield
    finally:
        _container.make_node = original


def plain(value):
    """Arrays and numpy scalars as lists and numbers; tensors and names as they are."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, bool) else value


@contextlib.contextmanager
def own_thresholds(wanted):
    """Thresholds of histogram boosting as they are: it compares float64, where classic trees compare float32."""
    from skl2onnx.common import tree_ensemble

    original = tree_ensemble.sklearn_threshold
    if wanted:
        tree_ensemble.sklearn_threshold = lambda threshold, dtype, mode: threshold
    try:
        yield
    finally:
        tree_ensemble.sklearn_threshold = original


def finish(proto, path):
    """Cast what trees answer in float32, drop opsets that no node uses, and write."""
    import onnx

    cast_tree_outputs(proto)
    used = {node.domain for node in proto.graph.node}
    imports = {entry.domain: entry.version for entry in proto.opset_import if entry.domain in used or not entry.domain}
    if "ai.onnx.ml" in imports:
        imports["ai.onnx.ml"] = max(imports["ai.onnx.ml"], minimum_ml_opset(proto))
    del proto.opset_import[:]
    proto.opset_import.extend(onnx.helper.make_opsetid(domain, version) for domain, version in imports.items())
    proto.ir_version = IR_VERSION
    onnx.save(proto, path + ".tmp")
    os.replace(path + ".tmp", path)


def minimum_ml_opset(proto):
    """3 where an ensemble holds float64 tensors, else 1."""
    attributes = {attribute.name for node in proto.graph.node for attribute in node.attribute}
    return 3 if any(name.endswith("_as_tensor") for name in attributes) else 1


def cast_tree_outputs(proto):
    """Ensembles answer float32 whatever their inputs; where the graph goes on in float64, a cast is put between."""
    import onnx

    double = onnx.TensorProto.DOUBLE
    if not any(i.type.tensor_type.elem_type == double for i in proto.graph.input):
        return
    nodes = []
    for node in proto.graph.node:
        nodes.append(node)
        index = {"TreeEnsembleClassifier": 1, "TreeEnsembleRegressor": 0}.get(node.op_type)
        if index is None or any(
            other.op_type == "Cast" and node.output[index] in other.input for other in proto.graph.node
        ):
            continue
        name = node.output[index]
        node.output[index] = name + "_float32"
        nodes.append(onnx.helper.make_node("Cast", [name + "_float32"], [name], to=double))
        for output in proto.graph.output:
            if output.name == name:
                output.type.tensor_type.elem_type = double
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
