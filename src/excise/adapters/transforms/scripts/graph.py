"""Steps on an ONNX file: transformer fusion, dynamic int8, optimization ahead of time.

Self-contained with the files beside it: onnx and onnxruntime, Python 3.8 syntax.
"""

import collections
import os
import sys
import warnings

FUSED_ATTENTION = ("Attention", "MultiHeadAttention", "PackedAttention", "QAttention")
QUANTIZABLE = ("MatMul", "Gemm", "Attention", "FusedMatMul", "Conv", "LSTM", "Gather", "EmbedLayerNormalization")
WORTHWHILE = ("MatMul", "Gemm", "Attention", "FusedMatMul", "Conv", "LSTM")
RECIPES = {
    "quint8": {"unsigned": True, "reduce_range": False, "per_channel": False},
    "qint8_channel": {"unsigned": False, "reduce_range": True, "per_channel": True},
}
"""Signed weights saturate 16-bit sums on CPUs without VNNI unless a bit is given up: reduce_range."""


def reject(reason):
    """Give up this variant; ``onnx_variant`` has loaded the file of rejections before."""
    sys.modules["_excise_script_rejection"].reject(reason)


def operators(path):
    """Operator type -> how many nodes."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    return collections.Counter(node.op_type for node in graph.node)


def fuse(path, out, notes, attention):
    """Fuse transformer blocks; rejected where no attention was fused, since then nothing was gained.

    ``attention`` is ``[heads, width]``, zeros where they are to be read off the graph.
    """
    from onnxruntime.transformers.optimizer import optimize_model

    before = operators(path)
    if not before.get("Softmax"):
        reject("there is no attention in the graph")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = optimize_model(path, model_type="bert", num_heads=attention[0], hidden_size=attention[1], opt_level=0)
    counts = {name: n for name, n in model.get_fused_operator_statistics().items() if n}
    attention = sum(counts.get(name, 0) for name in FUSED_ATTENTION)
    if not attention:
        reject("attention did not fuse (%d Softmax nodes left as they were)" % before["Softmax"])
    notes.append("fused " + ", ".join("%d %s" % (n, name) for name, n in sorted(counts.items())))
    model.save_model_to_file(out)
    return out


def quantize(path, out, recipe, notes):
    """Dynamic int8 of the weights."""
    import logging

    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    found = operators(path)
    worth = {name: n for name, n in found.items() if name in WORTHWHILE}
    if not worth:
        reject("nothing to quantize: the graph has no matrix product (%s)" % ", ".join(sorted(found)))
    how = RECIPES[recipe]
    logging.getLogger().setLevel(logging.ERROR)
    quantize_dynamic(
        path,
        out,
        weight_type=QuantType.QUInt8 if how["unsigned"] else QuantType.QInt8,
        reduce_range=how["reduce_range"],
        per_channel=how["per_channel"],
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    notes.append("int8 %s, %d -> %d bytes" % (recipe, os.path.getsize(path), os.path.getsize(out)))
    return out


def optimize(path, out, notes):
    """Write the graph as ONNX Runtime would run it, so that no start pays for it again."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    settings.optimized_model_filepath = out
    onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    notes.append("%d -> %d nodes" % (sum(operators(path).values()), sum(operators(out).values())))
    return out
