"""``make bench-trace``: what tracing costs on a network of 100,000 pipes, beside networkx and recursive SQL."""

import argparse
import sys

from tests.benchmarks.bench_ingest import running_postgres
from tests.benchmarks.trace.case_search import measure_cases
from tests.benchmarks.trace.network_tracing import measure_tracing


def main() -> None:
    """Run each part once and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=901)
    parser.add_argument("--pipes", type=int, default=100_000)
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--cases", type=int, default=100_000)
    asked = parser.parse_args()
    with running_postgres() as url:
        sys.stderr.write(f"== tracing: {asked.pipes} pipes, {asked.places} places, seed {asked.seed}\n")
        building_s, costs = measure_tracing(url, asked.pipes, asked.places, asked.seed)
        sys.stderr.write(f"== similar cases: {asked.cases} cases\n")
        searches = measure_cases(url, asked.cases, asked.places, asked.seed)
    lines = [
        f"graph, segments and customers built once: {building_s:.1f} s",
        f"{'question':<30}{'way':<10}{'median ms':>10}{'p99 ms':>10}{'assets':>9}",
        *(
            f"{cost.question:<30}{cost.way:<10}{cost.median_ms:>10.1f}{cost.p99_ms:>10.1f}{cost.size:>9.0f}"
            for cost in costs
        ),
        *(
            f"{'cases ' + each.question:<30}{'here':<10}{each.median_ms:>10.1f}{each.p99_ms:>10.1f}"
            for each in searches
        ),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
