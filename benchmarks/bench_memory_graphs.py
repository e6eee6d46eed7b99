"""Associative memories and activation graphs, one after the other.

python benchmarks/bench_memory_graphs.py [--full]
"""

import argparse
import importlib.util

import bench_memory


def report(*, full=False):
    bench_memory.report(full=full)
    if importlib.util.find_spec("bench_graphs"):
        import bench_graphs

        bench_graphs.report(full=full)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    report(full=parser.parse_args().full)
