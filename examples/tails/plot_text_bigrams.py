"""
Text from a generator stops teaching new word pairs
===================================================

In "A Tale of Tails" (Dohmatob, Feng, Yang, Charton, Kempe, 2024) the perplexity of a Llama-2 stops
improving on text that a Llama-2 wrote. In small, without a network: how much of held-out text
consists of word pairs that a memory of n pairs has never seen, when those come from real text, from
a generator that knows 10,000 pairs, from its nucleus, at low temperature, or with a tenth of real
text. Smaller here: pairs of words of Python's manual, and of Reuters news where installed.
"""

# %%
# Real texts
# ----------
import matplotlib.pyplot as plt
import numpy as np

from skparietal import TailMemoryClassifier
from skparietal.datasets import load_python_topics, load_reuters

N_GENERATOR, TOP_P, TEMPERATURE, REAL = 10_000, 0.9, 0.67, 0.1


def word_pairs(texts, rng):
    """Shuffled (first word, second word) numbers of all texts."""
    words = np.array(" . ".join(texts).lower().split())
    _, numbers = np.unique(words, return_inverse=True)
    pairs = np.column_stack([numbers[:-1], numbers[1:]])
    return pairs[rng.permutation(len(pairs))]


corpora = {"Python's manual": load_python_topics(80, min_words=1)[0]}
try:
    corpora["Reuters news"] = load_reuters()[0]
except ImportError as error:
    print(f"Reuters news left out: {error}")


# %%
# Memories of real and generated pairs
# ------------------------------------
def generated(pairs, n, rng, top_p=1.0, temperature=1.0):
    """Draw n pairs from the empirical law of the given ones, sharpened and cut to its nucleus."""
    distinct, counts = np.unique(pairs, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    p = counts[order] ** (1 / temperature)
    p /= p.sum()
    p[np.cumsum(p) - p >= top_p] = 0
    return distinct[order][rng.choice(len(p), n, p=p / p.sum())]


def unseen(pairs, held_out):
    return 1 - TailMemoryClassifier().fit(pairs, np.zeros(len(pairs))).coverage(held_out)


def sources(real, rng):
    """Ways to get n pairs, by name."""
    source, fresh = np.split(real, [N_GENERATOR])

    def mixed(n):
        n_real = int(REAL * n)
        return np.concatenate([fresh[:n_real], generated(source, n - n_real, rng)])

    return {
        "real": lambda n: real[:n],
        "generator": lambda n: generated(source, n, rng),
        f"top_p {TOP_P}": lambda n: generated(source, n, rng, top_p=TOP_P),
        f"temperature {TEMPERATURE}": lambda n: generated(source, n, rng, temperature=TEMPERATURE),
        f"{REAL:.0%} real": mixed,
    }


curves, generations, forecasts = {}, {}, {}
for corpus, texts in corpora.items():
    rng = np.random.default_rng(0)
    pairs = word_pairs(texts, rng)
    held_out, real = np.split(pairs, [len(pairs) // 4])
    sizes = np.unique(np.geomspace(1_000, len(real), 8).astype(int))
    curves[corpus] = (
        sizes,
        {
            name: [unseen(draw(n), held_out) for n in sizes]
            for name, draw in sources(real, rng).items()
        },
    )
    memory = TailMemoryClassifier().fit(real[: sizes[3]], np.zeros(sizes[3]))
    forecasts[corpus] = memory.expected_missing_mass(sizes)
    rows, generations[corpus] = real[:N_GENERATOR], []
    for _ in range(8):
        generations[corpus].append(unseen(rows, held_out))
        rows = generated(rows, N_GENERATOR, rng)

# %%
# Figure
# ------
# Crosses: what the pairs seen once foretell from the fourth size on, without held-out text.
fig, axes = plt.subplots(
    1, len(corpora) + 1, figsize=(4 * len(corpora) + 4, 4), layout="constrained"
)
for ax, (corpus, (sizes, values)) in zip(axes, curves.items()):
    for name, curve in values.items():
        ax.loglog(sizes, curve, "o-", markersize=4, label=name)
    ax.loglog(sizes, forecasts[corpus], "kx", label="forecast")
    ax.set(xlabel="pairs", ylabel="unseen share of held-out pairs", title=corpus)
    axes[-1].plot(np.arange(1, 9), generations[corpus], "o-", markersize=4, label=corpus)
axes[0].legend(fontsize=8)
axes[-1].set(xlabel="generation of 10,000 pairs", ylabel="unseen share")
axes[-1].legend()
plt.show()

# %%
# Claim and measurement
# ---------------------
print("claim: real text goes on teaching; generated text levels off; a tenth of real text mends it")
for corpus, (sizes, values) in curves.items():
    print(f"{corpus}: unseen share at {sizes[0]:,}, {sizes[4]:,}, {sizes[-1]:,} pairs; last slope")
    for name, curve in values.items():
        slope = np.log(curve[-1] / curve[-2]) / np.log(sizes[-1] / sizes[-2])
        print(f"  {name:17s} {curve[0]:.3f} {curve[4]:.3f} {curve[-1]:.3f}  {slope:+.2f}")
    print(f"  forecast from {sizes[3]:,} pairs: {forecasts[corpus][-1]:.3f} at {sizes[-1]:,}")
    print("  generations", *(f"{share:.3f}" for share in generations[corpus]))
