"""Associative memories and activation graphs, one after the other.

python benchmarks/bench_memory_graphs.py [--full]
"""

import bench_graphs
import bench_memory
from harness import full_is_asked, keep

if __name__ == "__main__":
    full = full_is_asked(__doc__)
    keep("memory", bench_memory.report, full=full, peers=bench_memory.PEERS)
    keep("graphs", bench_graphs.report, full=full, peers=bench_graphs.PEERS)
