"""Both halves of the work on synthetic labels: feedback, then heavy tails.

python benchmarks/bench_feedback_tails.py [--full]
"""

import bench_feedback
import bench_tails
from harness import full_is_asked, keep

if __name__ == "__main__":
    full = full_is_asked(__doc__)
    keep("feedback", bench_feedback.report, full=full, peers=bench_feedback.PEERS)
    keep("tails", bench_tails.report, full=full, peers=bench_tails.PEERS)
