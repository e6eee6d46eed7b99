"""The network behind an activation graph: the user's, copied, or one trained on the table."""

import copy

import numpy as np
from sklearn.preprocessing import StandardScaler

# Columns beyond this many standard deviations say no more than that they are far out.
CLIP = 50.0


class UserNetwork:
    """Private copy of a user's module in evaluation mode, and the shape of its input.

    Parameters
    ----------
    module : torch.nn.Module
        Left as it is.
    initial_state : torch.nn.Module, dict of str to torch.Tensor, or None
        State before training.
    input_shape : tuple of int or None
        Shape of one sample; None means as given.
    device : str
        Where to run.
    """

    def __init__(self, module, initial_state, input_shape, device):
        self.module = copy.deepcopy(module).eval().to(device)
        state = initial_state
        if hasattr(state, "state_dict"):
            state = state.state_dict()
        self.initial = None if state is None else {k: v.detach().clone() for k, v in state.items()}
        self.input_shape = input_shape
        self.device = device

    def tensor(self, X):
        """Rows as the module takes them.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...)
            Rows.

        Returns
        -------
        batch : torch.Tensor
            In the floating type of the module.
        """
        import torch

        if self.input_shape is not None:
            if np.prod(self.input_shape) != np.prod(X.shape[1:]):
                raise ValueError(
                    f"input_shape={self.input_shape} does not hold the {X.shape[1:]} values of a "
                    "sample of X."
                )
            X = X.reshape(-1, *self.input_shape)
        parameter = next(self.module.parameters(), torch.empty(0))
        return torch.as_tensor(X, dtype=parameter.dtype, device=self.device)


class TrainedNetwork:
    """Autoencoder of a plain table: standardised columns -> 16 -> 8 -> columns.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows.
    seed : int
        Of the initial weights.
    n_steps : int, default=100
        Full-batch steps of Adam.
    """

    def __init__(self, X, seed, n_steps=100):
        import torch
        from torch import nn

        self.scaler = StandardScaler().set_output(transform="default").fit(X.astype(float))
        self.device = "cpu"
        n_features = X.shape[1]
        # Double precision: a row's edges then do not depend on the rows around it.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.module = nn.Sequential(
                *(nn.Linear(n_features, 16), nn.Tanh(), nn.Linear(16, 8), nn.Tanh()),
                nn.Linear(8, n_features),
            ).double()
        self.initial = copy.deepcopy(self.module.state_dict())
        batch, optimizer = self.tensor(X), torch.optim.Adam(self.module.parameters(), lr=1e-2)
        for _ in range(n_steps):
            optimizer.zero_grad()
            nn.functional.mse_loss(self.module(batch), batch).backward()
            optimizer.step()
        self.module.eval()

    def tensor(self, X):
        """Rows, standardised.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        batch : torch.Tensor
            In double precision.
        """
        import torch

        return torch.from_numpy(np.clip(self.scaler.transform(X.astype(float)), -CLIP, CLIP))
