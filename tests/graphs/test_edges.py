"""Edges of an activation graph: they are the layer, whatever its geometry and its network."""

import copy

import numpy as np
import pytest

from skparietal.graphs import activation_graph, layer_edges, out_strengths, weight_layers

torch = pytest.importorskip("torch", reason="activation graphs are those of torch modules")
nn = torch.nn


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(4 * 3 * 3, 5)),
    ).eval()


def graph(module, x, *, layers="all", selection="all", quantile=0.3, initial=None):
    return activation_graph(
        module,
        x,
        layers=layers,
        selection=selection,
        quantile=quantile,
        initial=initial,
        rng=np.random.RandomState(0),
    )


def sums_over_edges(layer, inputs):
    """Sum of weight times input over the edges into each output unit, for each sample."""
    rows, cols, weights = layer_edges(layer, np.arange(layer.layer.weight.numel()))
    output = np.zeros((len(inputs), int(np.prod(layer.out_shape))))
    for sums, values in zip(output, inputs.flatten(1).double().numpy()):
        np.add.at(sums, rows, weights * values[cols])
    return output


def without_bias(layer, output):
    if layer.bias is None:
        return output.flatten(1).double().detach().numpy()
    bias = layer.bias[:, None, None] if output.dim() == 4 else layer.bias
    return (output - bias).flatten(1).double().detach().numpy()


GEOMETRIES = [
    {"stride": 2, "padding": 1},
    {"padding": "same", "dilation": 2},
    {"padding": "same", "kernel_size": (2, 4), "dilation": (3, 1)},
    {"padding": "valid"},
    {"groups": 2, "padding": 2},
    {"groups": 4, "out_channels": 8, "bias": False},
    {"stride": (1, 2), "dilation": (2, 1), "kernel_size": (2, 3)},
    {"stride": 3, "padding": (2, 1), "dilation": 2, "groups": 2},
    {"kernel_size": 1, "stride": 2},
]


def convolution(settings):
    torch.manual_seed(0)
    return nn.Conv2d(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3, **settings}).eval()


# torch says that it copies its input there: not of interest.
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("settings", GEOMETRIES, ids=str)
def test_edges_of_a_convolution_add_up_to_its_output(settings):
    module, x = convolution(settings), torch.randn(3, 4, 9, 8)
    (layer,) = weight_layers(module, x)
    # Single precision: a few ulps of sums of up to 36 terms of size 1.
    np.testing.assert_allclose(
        sums_over_edges(layer, x), without_bias(module, module(x)), atol=1e-5
    )


# torch says that it copies its input there: not of interest.
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("settings", GEOMETRIES, ids=str)
def test_strengths_are_the_sums_over_the_edges_that_leave_a_unit(settings):
    module, x = convolution(settings), torch.randn(1, 4, 9, 8)
    (layer,) = weight_layers(module, x)
    _, cols, weights = layer_edges(layer, np.arange(module.weight.numel()))
    expected = np.bincount(cols, np.abs(weights), minlength=x.numel())
    np.testing.assert_allclose(out_strengths(layer), expected, rtol=1e-12)


class Residual(nn.Module):
    """Two residual blocks with normalisation and pooling, activations written in place."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
                *(nn.Conv2d(4, 4, 3, padding="same"), nn.BatchNorm2d(4)),
            )
            for _ in range(2)
        )
        self.pool = nn.AvgPool2d(2)
        self.head = nn.Linear(4 * 4 * 4, 3)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = torch.relu_(block(x) + x)
        return self.head(self.pool(x).flatten(1))


def test_edges_are_each_layer_of_a_residual_network():
    torch.manual_seed(0)
    module, x = Residual(), torch.randn(5, 1, 8, 8)
    module(x)  # moves the running means of the normalisation
    module.eval()
    seen = {}
    for name, layer in module.named_modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(
                lambda _, inputs, output, name=name: seen.update(
                    {name: (inputs[0].clone(), output.clone())}
                )
            )
    with torch.no_grad():
        module(x)
    layers = weight_layers(module, x)
    assert [layer.name for layer in layers] == [
        *("stem", "blocks.0.0", "blocks.0.3", "blocks.1.0", "blocks.1.3", "head")
    ]
    with torch.no_grad():
        module(x)
    for layer in layers:
        inputs, output = seen[layer.name]
        np.testing.assert_allclose(
            sums_over_edges(layer, inputs), without_bias(layer.layer, output), atol=1e-5
        )


def test_weights_that_are_computed_are_taken_as_they_come_out():
    torch.manual_seed(0)
    plain = nn.Linear(3, 4)
    normed = nn.utils.parametrizations.weight_norm(copy.deepcopy(plain))
    x = torch.randn(2, 3)
    expected = graph(plain, x)
    with pytest.raises(NotImplementedError, match="parametrizations"):
        graph(nn.Sequential(normed), x)
    edges = graph(nn.Sequential(normed), x, layers=["0"])
    # The norm and the direction multiply back to the weight, but for rounding.
    np.testing.assert_allclose(edges.weights, expected.weights, rtol=1e-6)
    np.testing.assert_allclose(edges.strengths[0], expected.strengths[0], rtol=1e-6)


def test_joined_layers_share_their_units():
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).eval()
    edges = graph(module, torch.zeros(1, 3))
    heads, tails, n_nodes = edges.nodes(merge=True)
    assert n_nodes == 3 + 4 + 2
    assert set(heads[edges.slices[0]]) == set(tails[edges.slices[1]])
    assert edges.nodes(merge=False)[2] == 3 + 4 + 4 + 2
    # A layer that is left out in between separates its neighbours.
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)).eval()
    assert graph(module, torch.zeros(1, 4), layers=["0", "2"]).joined == (False,)


def test_a_quantile_for_each_layer():
    module, x = network(), torch.zeros(1, 2, 6, 6)
    edges = graph(module, x, selection="small_final", quantile={"0": 1.0, "5": 0.1})
    # Of 180 weights 18 are below the quantile .1; the convolution is kept whole.
    assert np.diff([s.start for s in edges.slices] + [len(edges.weights)])[1] == 18
    with pytest.raises(ValueError, match="for the layer '5'"):
        graph(module, x, selection="small_final", quantile={"0": 0.5})


def test_bad_initial_states_are_named():
    module, x = network(), torch.zeros(1, 2, 6, 6)
    state = copy.deepcopy(module.state_dict())
    options = {"selection": "magnitude_increase"}
    with pytest.raises(ValueError, match="weights equal the initial state in the layer '0'"):
        graph(module, x, initial=state, **options)
    with pytest.raises(ValueError, match=r"initial_state has no 0\.weight"):
        graph(module, x, initial={}, **options)
    state["0.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"shape \(1,\), the module's \(4, 2, 3, 3\)"):
        graph(module, x, initial=state, **options)
    # A layer that was frozen may stay out.
    state["5.weight"] += 1
    assert graph(module, x, initial=state, layers=["5"], **options).layer_names == ("5",)
