"""Activation graph of a network: its edges, the under-optimised ones, what flows through them."""

from skparietal.graphs.edges import Edges, activation_graph, layer_edges, out_strengths
from skparietal.graphs.flows import edge_flows, entering_activations, flow_summary, total_flows
from skparietal.graphs.layers import WeightLayer, choose_layers, float_array, weight_layers
from skparietal.graphs.selection import NEEDS_INITIAL, SELECTIONS, select_entries

__all__ = [
    "NEEDS_INITIAL",
    "SELECTIONS",
    "Edges",
    "WeightLayer",
    "activation_graph",
    "choose_layers",
    "edge_flows",
    "entering_activations",
    "float_array",
    "flow_summary",
    "layer_edges",
    "out_strengths",
    "select_entries",
    "total_flows",
    "weight_layers",
]
