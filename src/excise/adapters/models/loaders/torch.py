"""Loads a PyTorch model: ``.pt2`` (torch.export), TorchScript ``.pt``/``.pth``/``.ts``, ``.safetensors`` with a module.

Self-contained with the files beside it: numpy and torch only (safetensors for its weights), Python 3.8 syntax. A module object comes through the python loader and ``wrap``.

Options:
    threads: intra-op threads; 0 or absent leaves it to torch.
    inputs: names of the inputs in the order of ``forward``'s arguments, where the model does not say.
    dtype: of float inputs, ``float32`` unless said.
"""

import inspect
import os
import runpy
import types

import numpy as np
import torch

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)

COPIES = (
    "copy_",
    "_to_copy",
    "aten::to",
    "contiguous",
    "clone",
    "aten::cat",
    "aten::stack",
    "empty",
    "fill_",
    "zero_",
    "resize_",
)
INDEXING = ("index", "gather", "embedding", "slice", "select", "scatter", "narrow", "take", "masked", "as_strided")
VIEWS = (
    "view",
    "reshape",
    "transpose",
    "aten::t",
    "permute",
    "expand",
    "unsqueeze",
    "squeeze",
    "detach",
    "alias",
    "size",
)
HOST_DEVICE = ("Memcpy", "memcpy", "pin_memory")


def load(target, options):
    """Read the file and wrap what is in it."""
    suffix = os.path.splitext(target)[1].lower()
    if suffix == ".pt2":
        program = torch.export.load(target)
        return wrap(program.module(), options, program=program)
    if suffix == ".safetensors":
        return wrap(module_with(target), options)
    return wrap(torch.jit.load(target, map_location="cpu"), options)


def module_with(weights):
    """The module that the Python file of the same name defines as ``module``, with its weights.

    Raises:
        ValueError: the weights are those of another module; the first names are told.
    """
    import safetensors.torch

    python = types.SimpleNamespace(
        **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "python.py"))
    )
    module = python.resolve(os.path.splitext(weights)[0] + ".py:module", {})
    module = module if isinstance(module, torch.nn.Module) else module()
    odd = module.load_state_dict(safetensors.torch.load_file(weights), strict=False)
    if odd.missing_keys or odd.unexpected_keys:
        lacking, beyond = ", ".join(odd.missing_keys[:3]) or "none", ", ".join(odd.unexpected_keys[:3]) or "none"
        raise ValueError("the weights are not the module's: missing %s; without a place %s" % (lacking, beyond))
    return module


def wrap(module, options, program=None):
    """A predictor around a module that is there already."""
    if options.get("threads"):
        torch.set_num_threads(int(options["threads"]))
    return ModulePredictor(module, options, program)


def input_specs(module, options, program):
    """Name, dtype and shape of every argument of ``forward``."""
    if program is not None:
        return exported_specs(program)
    names = options.get("inputs") or forward_names(module)
    return [{"name": name, "dtype": options.get("dtype") or "float32", "shape": [None]} for name in names]


def exported_specs(program):
    """The inputs that an exported program was traced with; symbolic sizes are free."""
    wanted = set(program.graph_signature.user_inputs)
    specs = []
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in wanted:
            value = node.meta["val"]
            shape = [n if isinstance(n, int) else None for n in value.shape]
            specs.append({"name": node.name, "dtype": str(value.dtype).replace("torch.", ""), "shape": shape})
    return specs


def forward_names(module):
    """Names of ``forward``'s arguments that have no default."""
    schema = getattr(getattr(module, "forward", None), "schema", None)
    if schema is not None:
        return [a.name for a in schema.arguments[1:] if not a.has_default_value()]
    parameters = inspect.signature(module.forward).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in positional and p.default is inspect.Parameter.empty]
    return names or ["input"]


class ModulePredictor(shared.OneStage):
    """A module behind the predictor's interface: evaluation mode, no gradients, arrays in and out."""

    def __init__(self, module, options, program):
        if program is None:
            module.eval()
        self.program = program
        inputs = input_specs(module, options, program)
        self.names = [spec["name"] for spec in inputs]
        self.dtypes = [getattr(torch, spec["dtype"], torch.float32) for spec in inputs]
        shared.OneStage.__init__(self, module, inputs, [])

    def predict(self, batch):
        """Answer a dict of arrays (``{"": 2-D}`` for a model of one input), a frame, an array or a list of dicts."""
        with torch.inference_mode():
            return arrays(self.model(*self.tensors(batch)))

    def tensors(self, batch):
        """``forward``'s arguments."""
        if hasattr(batch, "detach") or isinstance(batch, np.ndarray):
            return [tensor(batch, self.dtypes[0], self.names[0])]
        return self._from_columns(shared.columns_of(batch))

    def _from_columns(self, columns):
        if all(name in columns for name in self.names):
            return [tensor(columns[name], dtype, name) for name, dtype in zip(self.names, self.dtypes)]
        if len(self.names) > 1:
            missing = [name for name in self.names if name not in columns]
            raise shared.missing(missing, (), "input")
        found = list(columns.values())
        array = found[0] if len(found) == 1 else np.column_stack(found)
        return [tensor(array, self.dtypes[0], self.names[0])]

    def profile_ops(self, batches):
        """Self times by operator, per call, from torch.profiler."""
        batches = list(batches)
        for batch in batches[:1]:
            self.predict(batch)  # the first call also plans and allocates
        activities = [torch.profiler.ProfilerActivity.CPU]
        with torch.profiler.profile(activities=activities) as profile:
            for batch in batches:
                self.predict(batch)
        calls = float(max(len(batches), 1))
        rows = [profile_row(event, calls) for event in profile.key_averages()]
        return sorted(rows, key=lambda found: -found["self_ms"])


def tensor(array, dtype, name):
    """A tensor in the model's dtype; shares the array's memory where it can."""
    array = np.asarray(array)
    if array.dtype.kind in "OUS":
        raise TypeError("input %r holds %s, the model needs %s" % (name, array.dtype, str(dtype).replace("torch.", "")))
    if not array.flags.writeable or not array.flags.c_contiguous:
        array = np.array(array)
    found = torch.from_numpy(array)
    return found if found.dtype == dtype else found.to(dtype)


def arrays(output):
    """Tensors of any nesting as arrays."""
    if isinstance(output, torch.Tensor):
        return output.numpy()
    if isinstance(output, dict):
        return {str(key): arrays(value) for key, value in output.items() if value is not None}
    if isinstance(output, (list, tuple)):
        return [arrays(value) for value in output]
    return output


def profile_row(event, calls):
    """One row of a profile."""
    return {
        "name": event.key,
        "where": "torch",
        "self_ms": event.self_cpu_time_total / 1000.0 / calls,
        "calls": event.count / calls,
        "class": classify(event.key),
    }


def classify(key):
    """The class of work that an operator does."""
    if any(mark in key for mark in HOST_DEVICE):
        return "host_device"
    if any(mark in key for mark in COPIES):
        return "copies_casts"
    if any(mark in key for mark in INDEXING):
        return "indexing"
    plain = not key.startswith("aten::") or any(mark in key for mark in VIEWS)
    return "framework" if plain else "op_compute"
