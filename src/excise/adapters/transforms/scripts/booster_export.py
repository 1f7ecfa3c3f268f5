"""Exports a booster of XGBoost, LightGBM or CatBoost to ONNX; one matrix of float32 in, production's answer out.

Self-contained with the files beside it: onnx, and onnxmltools where the library has no export of its own; Python 3.8.
"""

import os
import sys

import numpy as np


def reject(reason):
    """Give up this variant; ``onnx_variant`` has loaded the file of rejections before."""
    sys.modules["_excise_script_rejection"].reject(reason)


def export(calls, folder):
    """``{"path", "loader_options", "notes"}``; the agreement is checked by the caller."""
    matrices = [args[0] for _, args, _, _ in calls.records]
    if not all(type(matrix) is np.ndarray for matrix in matrices):
        reject("the booster takes no plain matrix: columns of text, or a handler's own calls")
    path, answer = os.path.join(folder, "booster.onnx"), calls.records[0][3]
    library = type(calls.model).__module__.partition(".")[0]
    proto = {"xgboost": of_xgboost, "lightgbm": of_lightgbm, "catboost": of_catboost}[library](
        calls.model, matrices[0].shape[1], path
    )
    output = answering(proto, np.ndim(answer) == 1)
    save(proto, path)
    options = {
        "methods": {"predict": output},
        "columns": None,
        "feature_names": calls.names,
        "flat": np.ndim(answer) == 1,
    }
    return {"path": path, "loader_options": options, "notes": ["float32 inputs"]}


def of_xgboost(booster, width, path):
    """By onnxmltools, which knows columns by number only."""
    import onnxmltools

    plain = booster.copy()
    plain.feature_names = None
    return onnxmltools.convert_xgboost(plain, initial_types=matrix_of(width))


def of_lightgbm(booster, width, path):
    """By onnxmltools."""
    import onnxmltools

    return onnxmltools.convert_lightgbm(booster, initial_types=matrix_of(width), zipmap=False)


def of_catboost(model, width, path):
    """By the library itself."""
    import onnx

    model.save_model(path, format="onnx")
    return onnx.load(path)


def matrix_of(width):
    """The one input."""
    from onnxmltools.convert.common.data_types import FloatTensorType

    return [("X", FloatTensorType([None, width]))]


def answering(proto, vector):
    """Leave the one output that production answers: probabilities, of the second class where it answers a vector."""
    import onnx

    graph = proto.graph
    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        kept = onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, [None, None])
        graph.output.remove(next(output for output in graph.output if output.name == node.output[0]))
        graph.output.append(kept)
        graph.node.remove(node)
    name = graph.output[-1].name
    classifier = len(graph.output) > 1
    if classifier and vector:
        graph.initializer.append(onnx.helper.make_tensor("second", onnx.TensorProto.INT64, [], [1]))
        graph.node.append(onnx.helper.make_node("Gather", [name, "second"], ["probability"], axis=1))
        name = "probability"
    del graph.output[:]
    shape = [None] if classifier and vector else [None, None]
    graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    return name


def save(proto, path):
    """Write it under a temporary name first."""
    import onnx

    onnx.save(proto, path + ".tmp")
    os.replace(path + ".tmp", path)
