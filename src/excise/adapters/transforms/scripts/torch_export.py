"""Exports a torch module to ONNX by the legacy tracer or by torch.export.

Self-contained with the files beside it, Python 3.8 syntax.

The legacy graph is the one that ONNX Runtime's transformer fusion knows; the default exporter's graph fuses no
attention, and does not say so. Both are offered and measured.
"""

import contextlib
import importlib.util
import inspect
import json
import os
import re
import sys

LEGACY_OPSET = 17
DYNAMO_OPSET = 18
"""The lowest that torch.export's translation writes."""
IR_VERSION = 8
ANSI = re.compile("\x1b\\[[0-9;]*m")


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


def export(calls, folder, route):
    """``{"path", "loader_options", "notes"}``; kept beside the file for the next transform of the same model."""
    route = "dynamo" if calls.program is not None else route  # an exported program cannot be traced again
    path, kept = os.path.join(folder, "module-%s.onnx" % route), os.path.join(folder, "module-%s.json" % route)
    if os.path.exists(kept):
        with open(kept) as file:
            return json.load(file)
    records = calls.of("__call__")
    if not records:
        sibling("rejection").reject("the handler never calls the module itself, but %s" % ", ".join(calls.methods))
    names = [input_names(calls.model, args, kwargs) for args, kwargs, _ in records]
    if any(found != names[0] for found in names):
        sibling("rejection").reject("the module is called with different arguments from call to call")
    result = write(calls, records, names[0], path, route)
    with open(kept + ".tmp", "w") as file:
        json.dump(result, file)
    os.replace(kept + ".tmp", kept)
    return result


def write(calls, records, names, path, route):
    """Export the largest call, with every axis free that varies."""
    import onnx

    given = [tensors_of(args, kwargs) for args, kwargs, _ in records]
    axes = free_axes(names, given)
    largest = max(range(len(given)), key=lambda i: sum(t.numel() for t in given[i]))
    structure, outputs = structure_of(records[largest][2])
    module = traceable(calls, records[largest][:2])
    try:
        with fusible_attention(calls.model, route):
            run_exporter(module, widened(given[largest]), path + ".tmp", names, outputs, axes, route)
    except Exception as error:
        text = ANSI.sub("", str(error)).strip().splitlines()
        sibling("rejection").reject("torch cannot export it: %s %s" % (type(error).__name__, text[0] if text else ""))
    proto = onnx.load(path + ".tmp")
    proto.ir_version = min(proto.ir_version, IR_VERSION)
    onnx.save(proto, path)
    os.remove(path + ".tmp")
    note = "%s export, opset %d" % ("torch.export" if route == "dynamo" else "legacy", proto.opset_import[0].version)
    return {
        "path": path,
        "loader_options": {"structure": structure, "inputs": names},
        "notes": [note],
        "attention": heads_of(calls.model),
    }


@contextlib.contextmanager
def fusible_attention(model, route):
    """Attention written out while the legacy exporter traces: the graph of sdpa is one that no fusion recognizes."""
    config = getattr(model, "config", None)
    used = getattr(config, "_attn_implementation", None)
    if route == "dynamo" or used in (None, "eager") or not hasattr(model, "set_attn_implementation"):
        yield
        return
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(used)


def heads_of(model):
    """Heads and width of a transformer as its configuration has them; the fusion cannot always read them off."""
    config = getattr(model, "config", None)
    heads, width = getattr(config, "num_attention_heads", None), getattr(config, "hidden_size", None)
    return [int(heads), int(width)] if isinstance(heads, int) and isinstance(width, int) else [0, 0]


def traceable(calls, call):
    """What the exporter is given: a scripted module as it is, since it cannot be traced inside another."""
    import torch

    if isinstance(calls.model, torch.jit.ScriptModule) and not call[1]:
        return calls.model
    return Flat(calls.model, call)


def widened(tensors):
    """A batch of one is doubled: exporters take an axis of length one for a constant."""
    import torch

    return tuple(torch.cat([t, t]) if t.dim() and t.shape[0] == 1 else t for t in tensors)


def run_exporter(module, tensors, path, names, outputs, axes, route):
    """Call torch's exporter; it warns about itself on every route."""
    import warnings

    import torch

    shared = {"input_names": names, "output_names": outputs}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        if route == "dynamo":
            shapes = tuple({axis: torch.export.Dim.DYNAMIC for axis in axes[name]} for name in names)
            shapes = shapes if isinstance(module, torch.jit.ScriptModule) else (shapes,)  # *tensors is one argument
            torch.onnx.export(
                module, tensors, path, dynamo=True, external_data=False, verbose=False,
                dynamic_shapes=shapes, opset_version=DYNAMO_OPSET, **shared
            )  # fmt: skip
            return
        named = {name: {axis: "%s_%d" % (name, axis) for axis in axes[name]} for name in names}
        for output in outputs:
            named[output] = {0: "batch"}
        torch.onnx.export(
            module, tensors, path, dynamo=False, dynamic_axes=named, opset_version=LEGACY_OPSET,
            training=torch.onnx.TrainingMode.PRESERVE, **shared
        )  # fmt: skip


def make_flat():
    """A module class that takes tensors in order and answers a flat tuple; made late, since torch is imported late."""
    import torch

    class FlatModule(torch.nn.Module):
        def __init__(self, module, call):
            super().__init__()
            self.module = module.eval() if hasattr(module, "eval") and not is_exported(module) else module
            args, kwargs = call
            self.places = [i for i, value in enumerate(args) if isinstance(value, torch.Tensor)]
            self.keys = [key for key, value in kwargs.items() if isinstance(value, torch.Tensor)]
            self.args = list(args)
            self.kwargs = dict(kwargs)

        def forward(self, *tensors):
            args, kwargs = list(self.args), dict(self.kwargs)
            for place, value in zip(self.places, tensors):
                args[place] = value
            kwargs.update(zip(self.keys, tensors[len(self.places) :]))
            return tuple(flat(self.module(*args, **kwargs)))

    return FlatModule


def Flat(module, call):
    """The module of one call, with tensors in and a tuple of tensors out."""
    return make_flat()(module, call)


def is_exported(module):
    """Whether it came out of torch.export, whose modules refuse eval()."""
    return type(module).__name__.startswith("GraphModule") or hasattr(module, "_guards_fn")


def flat(output):
    """The tensors of an output, in order."""
    if isinstance(output, dict) or hasattr(output, "keys"):
        return [value for value in output.values() if value is not None]
    return list(output) if isinstance(output, (list, tuple)) else [output]


def structure_of(output):
    """How the original's output is built, and names for its tensors."""
    import torch

    tensors = flat(output)
    if any(not isinstance(value, torch.Tensor) for value in tensors):
        sibling("rejection").reject("the module answers more than tensors")
    if hasattr(output, "keys"):
        names = [str(key) for key, value in output.items() if value is not None]
        return names, names
    names = ["output_%d" % i for i in range(len(tensors))]
    return ("list" if isinstance(output, (list, tuple)) else "tensor"), names


def tensors_of(args, kwargs):
    """The tensors of a call, in order."""
    import torch

    return [value for value in list(args) + list(kwargs.values()) if isinstance(value, torch.Tensor)]


def input_names(module, args, kwargs):
    """Names of the tensors of a call, after forward's own arguments."""
    import torch

    try:
        parameters = [name for name in inspect.signature(module.forward).parameters if name not in ("args", "kwargs")]
    except (TypeError, ValueError):
        parameters = []
    known = parameters + ["input_%d" % i for i in range(len(parameters), len(args))]
    names = [known[i] for i, value in enumerate(args) if isinstance(value, torch.Tensor)]
    return names + [key for key, value in kwargs.items() if isinstance(value, torch.Tensor)]


def free_axes(names, given):
    """Axes that may vary: the first, those that did vary, and the second of integer matrices (token sequences)."""
    axes = {}
    for place, name in enumerate(names):
        shapes = [tuple(tensors[place].shape) for tensors in given]
        first = given[0][place]
        varying = {i for i in range(len(shapes[0])) if len({shape[i] for shape in shapes}) > 1}
        tokens = {1} if first.dim() == 2 and not first.is_floating_point() else set()
        axes[name] = sorted({0} | varying | tokens) if first.dim() else []
    return axes
