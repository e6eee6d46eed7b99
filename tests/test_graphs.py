"""Activation graphs: the edges are the layer, selections by hand, what is refused."""

import copy

import numpy as np
import pytest

from skparietal.graphs import (
    activation_graph,
    edge_flows,
    flow_summary,
    layer_edges,
    select_entries,
    total_flows,
    weight_layers,
)

torch = pytest.importorskip("torch", reason="activation graphs are those of torch modules")
nn = torch.nn


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * 3 * 3, 5),
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


@pytest.mark.parametrize(
    "settings",
    [
        {"stride": 2, "padding": 1},
        {"padding": "same", "dilation": 2},
        {"padding": "valid"},
        {"groups": 2, "padding": 2},
        {"stride": (1, 2), "dilation": (2, 1), "kernel_size": (2, 3)},
    ],
    ids=str,
)
def test_edges_of_a_convolution_add_up_to_its_output(settings):
    torch.manual_seed(0)
    module = nn.Conv2d(4, 6, **{"kernel_size": 3, **settings}).eval()
    x = torch.randn(3, 4, 9, 8)
    (layer,) = weight_layers(module, x)
    rows, cols, weights = layer_edges(layer, np.arange(module.weight.numel()))
    output = np.zeros((3, int(np.prod(layer.out_shape))))
    for sums, values in zip(output, x.flatten(1).numpy()):
        np.add.at(sums, rows, weights * values[cols])
    exact = (module(x) - module.bias[:, None, None]).detach().flatten(1).numpy()
    # Single precision: a few ulps of sums of up to 36 terms of size 1.
    np.testing.assert_allclose(output, exact, atol=1e-5)


def test_flows_are_absolute_products_and_their_total_is_exact():
    module, x = network(), torch.randn(4, 2, 6, 6)
    edges = graph(module, x)
    flows, output = edge_flows(module, x, edges)
    np.testing.assert_allclose(output, module(x).detach())
    np.testing.assert_allclose(flows.sum(axis=1), total_flows(module, x, edges), rtol=1e-4)
    linear = edges.slices[1]
    entering = module[:-1](x).detach().numpy()
    expected = np.abs(module[5].weight.detach().numpy() * entering[:, None]).reshape(4, -1)
    np.testing.assert_allclose(flows[:, linear], expected, rtol=1e-6)


def test_selections_by_hand():
    final, initial = np.array([[1.0, -4.0], [2.0, 0.5]]), np.array([[2.0, 1.0], [-2.0, 0.0]])
    rng = np.random.RandomState(0)
    pick = {
        # Increases of magnitude: -1, 3, 0, .5; strictly below the quantile .5 are -1 and 0.
        "magnitude_increase": [0, 2],
        "magnitude_decrease": [1, 3],
        "small_final": [0, 3],
        "large_final": [1, 2],
        "all": [0, 1, 2, 3],
    }
    for selection, expected in pick.items():
        kept = select_entries(final, initial, selection=selection, quantile=0.5, rng=rng)
        np.testing.assert_array_equal(kept, expected)
    kept = select_entries(np.ones((20, 50)), None, selection="random", quantile=0.1, rng=rng)
    assert len(kept) == 100


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


def test_layers_are_chosen_in_the_order_of_the_forward_pass():
    module, x = network(), torch.zeros(1, 2, 6, 6)
    assert graph(module, x).layer_names == ("0", "5")
    assert graph(module, x, layers="inner").layer_names == ("5",)
    assert graph(module, x, layers="last").layer_names == ("5",)
    assert graph(module, x, layers=["0"]).layer_names == ("0",)


def test_a_quantile_for_each_layer():
    module, x = network(), torch.zeros(1, 2, 6, 6)
    edges = graph(module, x, selection="small_final", quantile={"0": 1.0, "5": 0.1})
    # Of 180 weights 18 are below the quantile .1; the convolution is kept whole.
    assert np.diff([s.start for s in edges.slices] + [len(edges.weights)])[1] == 18


def test_summary_of_even_and_concentrated_flows():
    flows = np.array([[1.0, 1, 1, 1], [0, 0, 0, 8], [0, 0, 0, 0]])
    summary = flow_summary(flows, np.array([8.0, 8, 0]))
    np.testing.assert_allclose(summary[0], [0, 1, 0.25, 4, 0.5, 1], atol=1e-12)
    np.testing.assert_allclose(summary[1], [0.75, 0, 1, 8, 1, 8], atol=1e-12)
    np.testing.assert_allclose(summary[2], 0)


def test_hooks_are_gone_even_when_the_forward_pass_raises():
    class Breaks(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(2, 2)

        def forward(self, x):
            self.one(x)
            raise RuntimeError("broken forward pass")

    module = Breaks()
    with pytest.raises(RuntimeError, match="broken forward pass"):
        weight_layers(module, torch.zeros(1, 2))
    assert not module.one._forward_hooks


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.again = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        return self.again(self.again(self.first(x)))


@pytest.mark.parametrize(
    "module, shape, match",
    [
        (Twice(), (1, 3), "'again' is called 2 times"),
        (nn.Sequential(nn.Conv1d(1, 2, 2), nn.Flatten(), nn.Linear(4, 2)), (1, 1, 3), "Conv1d"),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")), (1, 1, 4, 4), "0"),
        (nn.Sequential(nn.Linear(3, 2)), (1, 5, 3), "must take vectors"),
    ],
    ids=["twice", "conv1d", "circular", "sequence"],
)
def test_layers_without_an_activation_graph_are_named(module, shape, match):
    with pytest.raises(NotImplementedError, match=match):
        graph(module.eval(), torch.zeros(shape))


def test_unsupported_layers_may_stay_out_of_the_graph():
    edges = graph(Twice().eval(), torch.zeros(1, 3), layers=["first"])
    assert edges.layer_names == ("first",)


def test_bad_settings_name_the_argument():
    module, x = network(), torch.zeros(1, 2, 6, 6)
    state = copy.deepcopy(module.state_dict())
    with pytest.raises(ValueError, match="the weights equal the initial state"):
        graph(module, x, selection="magnitude_increase", initial=state)
    with pytest.raises(ValueError, match=r"initial_state has no 0\.weight"):
        graph(module, x, selection="magnitude_increase", initial={})
    state["0.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"shape \(1,\), the module's \(4, 2, 3, 3\)"):
        graph(module, x, selection="magnitude_increase", initial=state)
    with pytest.raises(ValueError, match="which the module lacks"):
        graph(module, x, layers=["conv"])
    with pytest.raises(ValueError, match="leaves no layer"):
        graph(nn.Sequential(nn.Linear(2, 2)), torch.zeros(1, 2), layers="inner")
    with pytest.raises(ValueError, match="keeps no edge"):
        select_entries(np.ones(9), None, selection="small_final", quantile=0.5, rng=None)
    with pytest.raises(ValueError, match="for the layer '5'"):
        graph(module, x, selection="small_final", quantile={"0": 0.5})
