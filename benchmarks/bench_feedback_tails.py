"""Both halves of the work on synthetic labels: feedback, then heavy tails.

python benchmarks/bench_feedback_tails.py [--full]
"""

import argparse

import bench_feedback
import bench_tails

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more seeds")
    full = parser.parse_args().full
    bench_feedback.report(full)
    bench_tails.report(full)
