"""
A small transformer un-learns greatest common divisors
======================================================

"A Tale of Tails" (Dohmatob, Feng, Yang, Charton, Kempe, 2024) trains transformers to compute the
greatest common divisor of two integers; trained on the output of another transformer they un-learn
the rarer divisors, skill by skill. In small: base 30, three digits, one layer of width 64, 20,000
rows and 300 steps a generation, labels sampled from the generation before. Much smaller than the
paper's four layers and millions of rows; which divisors are learned depends on the seed. With
100,000 rows and 1,000 steps nothing was un-learned in three generations, so a smaller budget is
shown.
"""

# %%
# The task
# --------
# gcd = k has probability 6 / (pi k)^2: a heavy tail with beta = 2. The digits of base 30 give away
# the divisors 2, 3, 5 and their products.
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

BASE, DIGITS, N_CLASSES, N_ROWS, STEPS, GENERATIONS = 30, 3, 100, 20_000, 300, 3
torch.set_num_threads(1)
rng = np.random.default_rng(0)


def to_tokens(pairs):
    powers = BASE ** np.arange(DIGITS)[::-1]
    return torch.tensor((pairs[:, :, None] // powers % BASE).reshape(len(pairs), -1))


def draw_pairs(n):
    pairs = rng.integers(1, BASE**DIGITS, size=(n, 2))
    return to_tokens(pairs), torch.tensor(np.minimum(np.gcd(*pairs.T), N_CLASSES) - 1)


def pairs_with_gcd(k, n=100):
    pairs = rng.integers(1, (BASE**DIGITS - 1) // k + 1, size=(20 * n, 2))
    return to_tokens(k * pairs[np.gcd(*pairs.T) == 1][:n])


# %%
# The transformer
# ---------------
class Transformer(nn.Module):
    """One encoder layer over the six digits, a linear read-out of all positions."""

    def __init__(self, width=64):
        super().__init__()
        self.digits = nn.Embedding(BASE, width)
        self.places = nn.Parameter(0.02 * torch.randn(2 * DIGITS, width))
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.read_out = nn.Linear(2 * DIGITS * width, N_CLASSES)

    def forward(self, tokens):
        return self.read_out(self.encoder(self.digits(tokens) + self.places).flatten(1))


def train(tokens, labels, seed):
    torch.manual_seed(seed)
    model = Transformer()
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=STEPS)
    for _ in range(STEPS):
        batch = torch.randint(len(tokens), (256,))
        optimizer.zero_grad()
        cross_entropy(model(tokens[batch]), labels[batch]).backward()
        optimizer.step()
        schedule.step()
    return model


# %%
# Generations
# -----------
# A divisor is learned when more than half of the pairs that have it are answered right.
tests = {k: pairs_with_gcd(k) for k in range(1, 61)}
tokens, labels = draw_pairs(N_ROWS)
accuracy = np.empty((GENERATIONS, len(tests)))
for generation in range(GENERATIONS):
    model = train(tokens, labels, seed=generation)
    with torch.no_grad():
        for column, (k, rows) in enumerate(tests.items()):
            accuracy[generation, column] = (model(rows).argmax(1) == k - 1).float().mean()
        tokens, _ = draw_pairs(N_ROWS)
        logits = torch.cat([model(part) for part in tokens.split(4096)])
        labels = torch.multinomial(logits.softmax(1), 1)[:, 0]
learned = [[k for k, share in zip(tests, row) if share > 0.5] for row in accuracy]

# %%
# Figure
# ------
fig, ax = plt.subplots(figsize=(8, 2.5), layout="constrained")
image = ax.imshow(accuracy[:, :30], aspect="auto", vmin=0, vmax=1, extent=(0.5, 30.5, 2.5, -0.5))
ax.set(xlabel="greatest common divisor", ylabel="generation", yticks=range(GENERATIONS))
fig.colorbar(image, label="accuracy")
plt.show()

# %%
# Claim and measurement
# ---------------------
print("claim: later generations know a subset of what generation 0 knows, and no more of it")
for generation, divisors in enumerate(learned):
    extra = sorted(set(divisors) - set(learned[0]))
    print(f"  generation {generation}: {len(divisors)} divisors {divisors}, not in 0: {extra}")
lost = sorted(set(learned[0]) - set(learned[-1]))
print(f"  un-learned by generation {GENERATIONS - 1}: {lost}")
