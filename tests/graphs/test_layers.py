"""Layers that can carry edges: the order they are met in, and what is refused."""

import numpy as np
import pytest

from skparietal.graphs import choose_layers, weight_layers

torch = pytest.importorskip("torch", reason="activation graphs are those of torch modules")
nn = torch.nn


def network():
    return nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(4 * 3 * 3, 5)),
    ).eval()


def chosen(module, x, layers="all"):
    return [layer.name for layer in choose_layers(module, weight_layers(module, x), layers)]


def test_layers_are_chosen_in_the_order_of_the_forward_pass():
    module, x = network(), torch.zeros(1, 2, 6, 6)
    assert chosen(module, x) == ["0", "5"]
    assert chosen(module, x, "inner") == ["5"]
    assert chosen(module, x, "last") == ["5"]
    assert chosen(module, x, ["0"]) == ["0"]


class Custom(nn.Module):
    """Layers by name, and a forward pass that is given."""

    def __init__(self, layers, forward):
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.pass_ = forward

    def forward(self, x):
        return self.pass_(self, x)


def test_the_order_is_that_of_the_calls_not_of_the_definitions():
    layers = {"late": nn.Linear(3, 2), "early": nn.Linear(4, 3)}
    module = Custom(layers, lambda self, x: self.late(input=self.early(x)))
    assert chosen(module, torch.zeros(1, 4)) == ["early", "late"]


def test_hooks_are_gone_even_when_the_forward_pass_raises():
    def broken(self, x):
        self.one(x)
        raise RuntimeError("broken forward pass")

    module = Custom({"one": nn.Linear(2, 2)}, broken)
    with pytest.raises(ValueError, match="broken forward pass"):
        weight_layers(module, torch.zeros(1, 2))
    assert not module.one._forward_hooks


def twice(self, x):
    return self.again(self.again(self.first(x)))


def attention(self, x):
    return self.attend(x[:, None], x[:, None], x[:, None])[0]


TWICE = Custom({"first": nn.Linear(3, 3), "again": nn.Linear(3, 3)}, twice)
UNCALLED = Custom({"first": nn.Linear(3, 3), "aside": nn.Linear(3, 3)}, lambda s, x: s.first(x))
ROWS = Custom({"each": nn.Linear(3, 3)}, lambda s, x: s.each(x.reshape(-1, 3)).reshape(len(x), -1))


@pytest.mark.parametrize(
    "module, shape, match",
    [
        (TWICE, (1, 3), "'again' is called 2 times"),
        (UNCALLED, (1, 3), r"'aside' \(Linear\)"),
        (ROWS, (1, 6), r"'each' takes samples of shape \(2, 3\)"),
        (nn.Sequential(nn.Conv1d(1, 2, 2), nn.Flatten(), nn.Linear(4, 2)), (1, 1, 3), "Conv1d"),
        (nn.Sequential(nn.ConvTranspose2d(1, 1, 2)), (1, 1, 3, 3), "ConvTranspose2d"),
        (nn.Sequential(nn.RNN(3, 2)), (1, 3), r"RNN"),
        (nn.Sequential(nn.LSTM(3, 2)), (1, 3), r"LSTM"),
        (Custom({"attend": nn.MultiheadAttention(4, 2)}, attention), (1, 4), "MultiheadAttention"),
        (nn.Sequential(nn.Embedding(9, 2)), (1,), "Embedding"),
        (nn.Sequential(nn.Bilinear(2, 2, 2), nn.Linear(2, 2)), None, "Bilinear"),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")), (1, 1, 4, 4), "0"),
        (nn.Sequential(nn.Linear(3, 2)), (1, 5, 3), "must take vectors"),
        (nn.Sequential(nn.LazyLinear(3)), (1, 4), "has no weights before its first call"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_layers_without_an_activation_graph_are_named(module, shape, match):
    if shape is None:
        module = Custom(dict(module.named_children()), lambda self, x: getattr(self, "1")(x))
        shape = (1, 2)
    x = torch.zeros(shape, dtype=torch.long if match == "Embedding" else torch.float)
    with pytest.raises(NotImplementedError, match=match):
        chosen(module.eval(), x)


def test_quantised_weights_are_refused():
    class Quantised(nn.Module):
        """As torch's own: no parameter, a method that unpacks the weights."""

        def weight(self):
            return torch.zeros(2, 2)

        def forward(self, x):
            return x

    with pytest.raises(NotImplementedError, match=r"'1' \(Quantised\)"):
        chosen(nn.Sequential(nn.Linear(2, 2), Quantised()).eval(), torch.zeros(1, 2))


def test_unsupported_layers_may_stay_out_of_the_graph():
    assert chosen(TWICE, torch.zeros(1, 3), ["first"]) == ["first"]
    sequence = nn.Sequential(nn.Conv1d(1, 2, 2), nn.Flatten(), nn.Linear(4, 2))
    assert chosen(sequence, torch.zeros(1, 1, 3), ["2"]) == ["2"]


def test_normalisation_carries_no_edges_and_hinders_none():
    parts = (nn.Linear(4, 4), nn.LayerNorm(4), nn.PReLU(), nn.Dropout(), nn.Linear(4, 2))
    assert chosen(nn.Sequential(*parts).eval(), torch.zeros(1, 4)) == ["0", "4"]
    images = (nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True))
    assert chosen(nn.Sequential(*images).eval(), torch.zeros(1, 2, 6, 6)) == ["0"]


def test_bad_layers_and_shapes_are_named():
    module, x = network(), torch.zeros(1, 2, 6, 6)
    with pytest.raises(ValueError, match="which the module lacks"):
        chosen(module, x, ["conv"])
    with pytest.raises(ValueError, match="leaves no layer"):
        chosen(nn.Sequential(nn.Linear(2, 2)), torch.zeros(1, 2), "inner")
    with pytest.raises(ValueError, match="leaves no layer"):
        chosen(nn.Sequential(nn.ReLU()), torch.zeros(1, 2))
    with pytest.raises(ValueError, match=r"cannot take samples of shape \(72,\).*input_shape"):
        weight_layers(module, torch.tensor(np.zeros((1, 72), dtype=np.float32)))
