"""Bandits against their peers: cost of a decision and of an update at equal mean reward; regret.

    python benchmarks/bench_bandits.py [--full]

Prints tables and writes results/bandits.json. All bandits of a table meet the same contexts and
noise, fifty rounds in turn, and the ratios of their times are paired by round. `--full` takes more
seeds.
"""

import importlib.util
import time
import warnings

import numpy as np
from harness import full_is_asked, keep

from skparietal import ConcaveRewardBandit
from skparietal.metrics import regret_slope
from skparietal.objectives import AlphaFair, GeneralizedGini
from skparietal.simulation import ScalarizedBandit, make_concave_bandit, simulate

TURN = 50  # rounds that one bandit plays before the next one's turn
PEERS = ("mabwiser", "contextualbandits", "vowpalwabbit")


# ----- players: decide(x) -> action, learn(x, action, reward)


class Ours:
    def __init__(self, n_actions, seed, n_rewards=1, **parameters):
        self.n_rewards = n_rewards
        self.bandit = ConcaveRewardBandit(
            "mean" if n_rewards == 1 else "alpha_fair",
            actions=range(n_actions),
            random_state=seed,
            **parameters,
        )

    def decide(self, x):
        return self.bandit.act(x)[0]

    def learn(self, x, action, reward):
        self.bandit.update(x, np.array([action]), np.full((1, self.n_rewards), reward))


class MABWiser:
    def __init__(self, n_actions, seed, first):
        from mabwiser.mab import MAB, LearningPolicy

        policy = LearningPolicy.LinUCB(alpha=1.0, l2_lambda=1.0)
        self.bandit = MAB(list(range(n_actions)), policy, seed=seed)
        self.bandit.fit(*first[1:], contexts=first[0])

    def decide(self, x):
        return self.bandit.predict(x)

    def learn(self, x, action, reward):
        self.bandit.partial_fit([action], [reward], contexts=x)


class ContextualBandits:
    def __init__(self, n_actions, seed, first):
        from contextualbandits.online import LinUCB

        self.bandit = LinUCB(nchoices=n_actions, alpha=1.0, lambda_=1.0, random_state=seed + 1)
        self.bandit.fit(*first)

    def decide(self, x):
        return int(self.bandit.predict(x)[0])

    def learn(self, x, action, reward):
        self.bandit.partial_fit(x, np.array([action]), np.array([reward]))


class VowpalWabbit:
    def __init__(self, n_actions, seed, first):
        import vowpalwabbit

        self.kind = vowpalwabbit.LabelType.CONTEXTUAL_BANDIT
        options = "--cb_explore_adf --squarecb -q CA --quiet --random_seed"
        self.workspace = vowpalwabbit.Workspace(f"{options} {seed + 1}")
        self.n_actions, self.random = n_actions, np.random.default_rng(seed)
        self.proba = np.full(n_actions, 1 / n_actions)
        for x, action, reward in zip(*first):
            self.learn(x[None], action, reward)

    def example(self, x, label=""):
        shared = " ".join(f"{i}:{value:.6f}" for i, value in enumerate(x[0]))
        actions = (
            f"{label if action == self.action else ''}|A a{action}"
            for action in range(self.n_actions)
        )
        return self.workspace.parse("\n".join([f"shared |C {shared}", *actions]), self.kind)

    def decide(self, x):
        self.action = None
        example = self.example(x)
        self.proba = np.array(self.workspace.predict(example))
        self.workspace.finish_example(example)
        return int(self.random.choice(self.n_actions, p=self.proba / self.proba.sum()))

    def learn(self, x, action, reward):
        self.action = action
        example = self.example(x, f"0:{-reward:.6f}:{self.proba[action]:.6f} ")
        self.workspace.learn(example)
        self.workspace.finish_example(example)


def players(n_actions, seed, first):
    """Name -> player; the peers that are not installed are None."""
    same = {"exploration": 1.0, "reg": 1.0}
    made = {
        "ConcaveRewardBandit, LinUCB": Ours(n_actions, seed, **same),
        "ConcaveRewardBandit, LinUCB, 5 rewards": Ours(n_actions, seed, n_rewards=5, **same),
        "ConcaveRewardBandit, SquareCB": Ours(n_actions, seed, base="squarecb"),
    }
    for player in made.values():
        for x, action, reward in zip(*first):
            player.learn(x[None], action, reward)
    peers = {
        "MABWiser LinUCB": ("mabwiser", MABWiser),
        "contextualbandits LinUCB": ("contextualbandits", ContextualBandits),
        "VowpalWabbit SquareCB": ("vowpalwabbit", VowpalWabbit),
    }
    for name, (module, player) in peers.items():
        installed = importlib.util.find_spec(module) is not None
        made[name] = player(n_actions, seed, first) if installed else None
    return made


# ----- cost of a decision


def race(n_actions, n_features, n_rounds, seed):
    """Seconds (n_rounds, 2) of decisions and updates and the rewards of every player."""
    rng = np.random.default_rng(seed)
    coef = rng.standard_normal((n_features, n_actions)) / np.sqrt(n_features)
    X = rng.standard_normal((n_actions + n_rounds, n_features))
    noise = 0.1 * rng.standard_normal(len(X))
    # every action once, as some peers need before their first decision
    start = np.arange(n_actions)
    first = X[start], start, np.einsum("ad,da->a", X[start], coef) + noise[start]
    made = players(n_actions, seed, first)
    seconds = {name: np.empty((n_rounds, 2)) for name, player in made.items() if player}
    rewards = {name: np.empty(n_rounds) for name in seconds}
    for block in np.array_split(np.arange(n_rounds), max(1, n_rounds // TURN)):
        for name in seconds:
            for t in block:
                x = X[n_actions + t : n_actions + t + 1]
                t0 = time.perf_counter()
                action = made[name].decide(x)
                t1 = time.perf_counter()
                rewards[name][t] = float(x[0] @ coef[:, action]) + noise[n_actions + t]
                t2 = time.perf_counter()
                made[name].learn(x, action, rewards[name][t])
                seconds[name][t] = t1 - t0, time.perf_counter() - t2
    missing = [name for name, player in made.items() if player is None]
    return seconds, rewards, missing


def cost_table(n_actions, n_features, n_rounds, seeds):
    races = [race(n_actions, n_features, n_rounds, seed) for seed in seeds]
    print(
        f"\n{n_actions} actions, {n_features} features, one decision at a time, {n_rounds} rounds"
    )
    print(f"{'':42s}{'decide us':>10s}{'update us':>10s}{'both / ours':>12s}{'mean reward':>18s}")
    ours, rows = "ConcaveRewardBandit, LinUCB", {}
    for name in races[0][0]:
        times = np.concatenate([seconds[name] for seconds, _, _ in races])
        base = np.concatenate([seconds[ours] for seconds, _, _ in races])
        earned = np.array([rewards[name].mean() for _, rewards, _ in races])
        rows[name] = {
            "decide_us": float(np.median(times[:, 0]) * 1e6),
            "update_us": float(np.median(times[:, 1]) * 1e6),
            "ratio": float(np.median(times.sum(axis=1) / base.sum(axis=1))),
            "mean_reward": float(earned.mean()),
            "mean_reward_se": float(earned.std(ddof=1) / np.sqrt(len(earned))),
        }
        row = rows[name]
        print(
            f"{name:42s}{row['decide_us']:10.1f}{row['update_us']:10.1f}{row['ratio']:12.1f}"
            f"{row['mean_reward']:10.3f} +- {row['mean_reward_se']:.3f}"
        )
    for name in races[0][2]:
        rows[name] = "not installed"
        print(f"{name:42s}{'not installed':>20s}")
    return rows


# ----- regret


def regret_table(seeds):
    environment = make_concave_bandit(random_state=0)
    rows = {}
    print(f"\nregret after 3,000 rounds, {seeds} seeds; slope from round 200 to 10,000")
    for title, goal in {
        "log welfare": AlphaFair(),
        "generalised Gini": GeneralizedGini([8 / 15, 4 / 15, 2 / 15, 1 / 15]),
    }.items():
        best = environment.optimum(goal).value
        mean = ConcaveRewardBandit("mean", model="shared")
        bandits = {
            "FW-LinUCB": (ConcaveRewardBandit(goal, model="shared"), 10_000),
            "FW-SquareCB": (ConcaveRewardBandit(goal, model="shared", base="squarecb"), 10_000),
            "greedy": (mean, 3000),
            "scalarised": (ScalarizedBandit(mean, goal), 3000),
        }
        for name, (bandit, n_rounds) in bandits.items():
            record = np.unique(np.r_[np.geomspace(10, n_rounds, 25).astype(int), 3000])
            run = simulate(
                bandit,
                environment,
                n_rounds,
                objective=goal,
                optimum=best,
                seeds=seeds,
                record=record,
            )
            final = run.regret[:, run.rounds == 3000][:, 0]
            row = {
                "regret": float(final.mean()),
                "regret_se": float(final.std(ddof=1) / np.sqrt(seeds)),
                "slope": regret_slope(run.rounds, run.regret),
            }
            rows[f"{title}, {name}"] = row
            print(
                f"{title + ', ' + name:42s}{row['regret']:10.4f} +- {row['regret_se']:.4f}"
                f"{row['slope']:10.2f}"
            )
    return rows


def report(*, full=False):
    """Print the tables and return them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the peers
        seeds = range(10 if full else 3)
        results = {
            "cost": cost_table(20, 10, 500, seeds),
            "cost, 100 actions": cost_table(100, 20, 200, range(2)),
        }
    return {**results, "regret": regret_table(20 if full else 8)}


if __name__ == "__main__":
    keep("bandits", report, full=full_is_asked(__doc__), peers=PEERS)
