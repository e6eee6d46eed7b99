"""Flows through the edges: products by hand, totals, summaries by their definitions."""

import numpy as np
import pytest

from skparietal.graphs import (
    activation_graph,
    edge_flows,
    entering_activations,
    flow_summary,
    total_flows,
)
from skparietal.metrics import gini_index

torch = pytest.importorskip("torch", reason="activation graphs are those of torch modules")
nn = torch.nn


@pytest.fixture
def module():
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(4 * 3 * 3, 5)),
    ).eval()


def graph(module, x, selection="all"):
    options = {"layers": "all", "quantile": 0.3, "initial": None}
    rng = np.random.RandomState(0)
    return activation_graph(module, x, selection=selection, rng=rng, **options)


def test_flows_are_absolute_products_and_their_total_is_exact(module):
    x = torch.randn(4, 2, 6, 6)
    edges = graph(module, x)
    activations, output = entering_activations(module, x, edges)
    flows = edge_flows(activations, edges)
    np.testing.assert_allclose(output, module(x).detach())
    # Single precision: the sum of about 2,500 flows is right to some of their ulps.
    np.testing.assert_allclose(
        flows.sum(axis=1, dtype=float), total_flows(activations, edges), rtol=1e-6
    )
    linear = edges.slices[1]
    entering = module[:-1](x).detach().numpy()
    expected = np.abs(module[5].weight.detach().numpy() * entering[:, None]).reshape(4, -1)
    np.testing.assert_allclose(flows[:, linear], expected, rtol=1e-6)


def test_the_total_is_that_of_all_edges_and_not_of_the_kept_ones(module):
    x = torch.randn(4, 2, 6, 6)
    every, some = graph(module, x), graph(module, x, "random")
    activations, _ = entering_activations(module, x, every)
    totals = [total_flows(activations, edges) for edges in (every, some)]
    np.testing.assert_array_equal(*totals)
    assert np.all(edge_flows(activations, some).sum(axis=1) < totals[0])


def test_flows_may_be_written_into_a_larger_array(module):
    x = torch.randn(6, 2, 6, 6)
    edges = graph(module, x)
    out = np.empty((6, len(edges.weights)), dtype=np.float32)
    for rows in (slice(0, 4), slice(4, 6)):
        edge_flows(entering_activations(module, x[rows], edges)[0], edges, out=out[rows])
    np.testing.assert_allclose(
        out, edge_flows(entering_activations(module, x, edges)[0], edges), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_modules_of_other_precisions_have_the_flows_of_single_precision(module, dtype):
    kind = getattr(torch, dtype)
    # Values that all types hold exactly: a difference would be of the code.
    for parameter in module.parameters():
        parameter.data = torch.round(parameter.data * 8) / 8
    x = torch.round(torch.randn(3, 2, 6, 6) * 4) / 4
    edges = graph(module, x)
    expected = edge_flows(entering_activations(module, x, edges)[0], edges)
    other = module.to(kind)
    edges = graph(other, x.to(kind))
    flows = edge_flows(entering_activations(other, x.to(kind), edges)[0], edges)
    assert flows.dtype == np.float32
    first, second = edges.slices
    np.testing.assert_array_equal(flows[:, first], expected[:, first])
    # What enters the second layer has passed the normalisation, which rounds to the type.
    rtol = 4 * max(torch.finfo(kind).eps, torch.finfo(torch.float32).eps)
    np.testing.assert_allclose(flows[:, second], expected[:, second], rtol=rtol, atol=rtol)


def test_summary_of_even_and_concentrated_flows():
    flows = np.array([[1.0, 1, 1, 1], [0, 0, 0, 8], [0, 0, 0, 0]])
    summary = flow_summary(flows, np.array([8.0, 8, 0]))
    np.testing.assert_allclose(summary[0], [0, 1, 0.25, 4, 0.5, 1], atol=1e-12)
    np.testing.assert_allclose(summary[1], [0.75, 0, 1, 8, 1, 8], atol=1e-12)
    np.testing.assert_allclose(summary[2], 0)


def test_summary_by_its_definitions_whatever_the_scale():
    flows = np.random.default_rng(0).exponential(size=(7, 1000)).astype(np.float32)
    flows[flows < 0.3] = 0
    summary = flow_summary(flows, np.full(7, 2000.0))
    shares = flows / flows.sum(axis=1, dtype=float)[:, None]
    some = np.where(shares > 0, shares, 1)
    np.testing.assert_allclose(summary[:, 0], [gini_index(row) for row in flows], rtol=1e-6)
    np.testing.assert_allclose(
        summary[:, 1], -np.sum(some * np.log(some), axis=1) / np.log(1000), rtol=1e-6
    )
    np.testing.assert_allclose(summary[:, 2], np.sort(shares)[:, -10:].sum(axis=1), rtol=1e-6)
    # Gini index, entropy and share of the strongest have no unit.
    scaled = flow_summary(flows * np.float32(1e-6), np.full(7, 2e-3))
    np.testing.assert_allclose(scaled[:, [0, 1, 2, 4]], summary[:, [0, 1, 2, 4]], rtol=1e-5)
