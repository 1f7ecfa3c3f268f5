"""Weights in ``.safetensors``, with the module of the same name beside them."""

import pytest

from excise.adapters.models import find
from excise.adapters.models.conformance import check_predictor, check_worker
from excise.core.errors import ModelError
from excise.core.refs import ModelRef
from excise.tables import read

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

ROWS = 6
MODULE = """
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(30, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))

    def forward(self, x):
        return torch.softmax(self.layers(x), -1)
"""
WAYS = {
    "a class": "module = Net",
    "a function": "def module():\n    return Net()",
    "a module": "module = Net()",
}


def described(path):
    return find(ModelRef.parse(str(path)))


@pytest.fixture
def net(tmp_path):
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(30, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    safetensors.save_file(
        {f"layers.{name}": value for name, value in layers.state_dict().items()}, tmp_path / "net.safetensors"
    )
    (tmp_path / "net.py").write_text(f"{MODULE}\n\n{WAYS['a class']}\n")
    return tmp_path / "net.safetensors"


@pytest.mark.parametrize("way", WAYS)
def test_weights_go_into_the_module_beside_them(net, cancer, load, way):
    net.with_suffix(".py").write_text(f"{MODULE}\n\n{WAYS[way]}\n")
    predictor = load(described(net).variant.loader)
    whole = {"": cancer.array[:ROWS]}
    check_predictor(
        predictor,
        batches=[{"": cancer.array[i : i + 1]} for i in range(ROWS)],
        whole=whole,
        broken={"a wrong shape": {"": cancer.array[:2, :3]}},
    )
    assert torch.equal(predictor.model.layers[0].weight, safetensors.load_file(net)["layers.0.weight"])


def test_answers_in_process_and_in_a_worker_are_equal_bytes(net, cancer, load):
    subject = described(net)
    assert subject.kind == "torch"
    assert subject.files == (str(net), str(net.with_suffix(".py")))
    check_worker(
        load(subject.variant.loader), subject.variant.loader, read(cancer.frame[:ROWS]), kind=subject.default_input
    )


def test_weights_without_a_module_say_how_to_give_one(net):
    net.with_suffix(".py").write_text("x = 1\n")
    with pytest.raises(ModelError, match="does not define 'module'"):
        described(net)
    net.with_suffix(".py").unlink()
    with pytest.raises(ModelError, match="no module") as caught:
        described(net)
    assert "put a net.py beside it" in caught.value.hint


def test_weights_of_another_module_name_what_does_not_fit(net, load):
    net.with_suffix(".py").write_text("import torch\n\nmodule = torch.nn.Linear(3, 2)\n")
    with pytest.raises(ValueError, match="missing weight, bias; without a place layers"):
        load(described(net).variant.loader)


def test_weights_inside_a_transformers_folder_name_the_folder(net):
    net.with_suffix(".py").unlink()
    (net.parent / "config.json").write_text("{}")
    with pytest.raises(ModelError) as caught:
        described(net)
    assert caught.value.hint == f"name the folder: {net.parent}"


@pytest.mark.parametrize("share", [0.01, 0.2, 0.9, 0.9999])
def test_weights_that_were_cut_anywhere_are_refused(net, share):
    data = net.read_bytes()
    net.write_bytes(data[: max(4, int(len(data) * share))])
    with pytest.raises(ModelError, match="truncated"):
        described(net)


def test_a_file_that_holds_no_weights_is_refused(net):
    net.write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(ModelError, match="it is text"):
        described(net)
