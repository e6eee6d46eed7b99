"""Memories trained by stochastic gradients on the cross-entropy of their scores (torch)."""

from dataclasses import dataclass

import numpy as np

from skparietal._torch import check_device, import_torch


@dataclass(frozen=True)
class TrainedMemory:  # numpydoc ignore=PR02
    """Result of `train_memory`.

    Parameters
    ----------
    matrix : ndarray of shape (..., n_components, n_components)
        Memory W.
    key_embeddings : ndarray of shape (..., n_keys, n_components)
        As given, or learned.
    label_embeddings : ndarray of shape (..., n_classes, n_components)
        As given, or learned.
    loss : float
        Mean cross-entropy (natural log) of the last tenth of the steps.
    """

    matrix: np.ndarray
    key_embeddings: np.ndarray
    label_embeddings: np.ndarray
    loss: float


def draw_batches(keys, labels, probabilities, *, batch_size, n_steps, random_state):
    """Draw (key, label) pairs with replacement, batch by batch.

    Parameters
    ----------
    keys : ndarray of shape (n_pairs,) of int
        Index of the key of each pair.
    labels : ndarray of shape (n_pairs,) of int
        Index of the label of each pair.
    probabilities : ndarray of shape (n_pairs,)
        Probabilities of the pairs, up to a factor.
    batch_size : int
        Pairs in a batch.
    n_steps : int
        Number of batches.
    random_state : numpy.random.Generator
        Draws the pairs.

    Yields
    ------
    batch : tuple of two ndarrays of shape (batch_size,)
        Keys and labels.
    """
    # Adding up once and searching is the fastest way to draw from a fixed discrete law.
    cumulative = np.cumsum(probabilities)
    for _ in range(n_steps):
        points = random_state.uniform(high=cumulative[-1], size=batch_size)
        drawn = np.minimum(np.searchsorted(cumulative, points), len(keys) - 1)
        yield keys[drawn], labels[drawn]


def train_memory(
    start,
    key_embeddings,
    label_embeddings,
    batches,
    *,
    optimizer="sgd",
    learning_rate=10.0,
    layer_norm=False,
    learn_embeddings=False,
    device="cpu",
):
    """Minimise the cross-entropy of the label given softmax(u_y' W e_x), a step for each batch.

    With leading axes, equal for all arrays, that many memories are trained side by side, each on
    its own batches.

    Parameters
    ----------
    start : ndarray of shape (..., n_components, n_components)
        Initial memory W.
    key_embeddings : ndarray of shape (..., n_keys, n_components)
        Embeddings e_x.
    label_embeddings : ndarray of shape (..., n_classes, n_components)
        Embeddings u_y.
    batches : iterable of tuples of two ndarrays of shape (..., batch_size)
        Indices of keys and of labels; see `draw_batches`.
    optimizer : {"sgd", "adam"}, default="sgd"
        Adam has betas (0, 0): a step of equal size for every entry, by the sign of its gradient.
    learning_rate : float, default=10.0
        Step on the mean loss of a batch. "adam" divides it by n_components for W, and by the square
        root of n_components for embeddings, as large as their entries are.
    layer_norm : bool, default=False
        Whether W e is divided by sqrt(|W e|^2 + 1e-6) before it meets the labels.
    learn_embeddings : bool, default=False
        Whether the embeddings are trained as well.
    device : str, default="cpu"
        Where torch computes.

    Returns
    -------
    trained : TrainedMemory
        In float32.

    References
    ----------
    Cabannes, Dohmatob, Bietti, Scaling laws for associative memories, 2024: the model, and the
    optimisers, step sizes and layer norm of its experiments.
    """
    torch = import_torch()
    device = check_device(device)
    shapes = [np.shape(array) for array in (start, key_embeddings, label_embeddings)]
    W, E, U = (
        torch.tensor(
            np.reshape(array, (-1, *shape[-2:])), dtype=torch.float32, device=device
        ).requires_grad_(array is start or learn_embeddings)
        for array, shape in zip((start, key_embeddings, label_embeddings), shapes)
    )
    step = _optimizer(torch, W, [E, U] if learn_embeddings else [], optimizer, learning_rate)
    problems, losses = torch.arange(len(W), device=device)[:, None], []
    for batch in batches:
        keys, labels = (torch.as_tensor(part, device=device).reshape(len(W), -1) for part in batch)
        output = E[problems, keys] @ W.mT
        if layer_norm:
            output = output / torch.sqrt(output.square().sum(-1, keepdim=True) + 1e-6)
        loss = torch.nn.functional.cross_entropy((output @ U.mT).flatten(0, 1), labels.flatten())
        step.zero_grad()
        # The gradients of a mean over problems would shrink with their number.
        (loss * len(W)).backward()
        step.step()
        losses.append(loss.detach())
    last = torch.stack(losses[-max(len(losses) // 10, 1) :]).mean().item()
    arrays = (part.detach().cpu().numpy().reshape(s) for part, s in zip((W, E, U), shapes))
    return TrainedMemory(*arrays, last)


def _optimizer(torch, memory, embeddings, name, learning_rate):
    if name == "sgd":
        return torch.optim.SGD([memory, *embeddings], lr=learning_rate)
    d = memory.shape[-1]
    groups = [{"params": [memory], "lr": learning_rate / d}]
    if embeddings:
        groups.append({"params": embeddings, "lr": learning_rate / d**0.5})
    return torch.optim.Adam(groups, betas=(0.0, 0.0))
