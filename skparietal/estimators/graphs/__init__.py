"""Activation graphs of a network."""

from skparietal.estimators.graphs.activation_graph_detector import ActivationGraphDetector
from skparietal.estimators.graphs.activation_graph_transformer import ActivationGraphTransformer

__all__ = ["ActivationGraphDetector", "ActivationGraphTransformer"]
