"""Damage of bridges behind their weather, on simulated years, and a real bridge's healthy hours. Figures alone.

``python -m tests.benchmarks.bench_bridge --seed 901 [--bridges 6] [--learnt-days 365]`` draws bridges, every second one
held by cables, lets each be healthy, be damaged and have sensors that lie, and tells what the search told and when,
beside Mahalanobis distance and CUSUM on the same readings without compensation. There is no pass or fail. What was
tuned was tuned on seeds below 500, and the limit for frequencies alone on the six healthy days of the real bridge.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from statistics import median

from services.core.settings import Settings
from simulators.bridge_benchmark.recording import Extent
from tests.benchmarks.bridge.trial import Outcome, outcomes_of
from tests.benchmarks.bridge.yonghe import yonghe_lines

_WEEK_H = 7 * 24.0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def lines(outcomes: Sequence[Outcome]) -> Iterable[str]:
    """What a reader wants to know, one line each; counts beside shares."""
    healthy = [each for each in outcomes if each.case.kind == "healthy"]
    days = sum(each.days for each in healthy)
    yield f"healthy: {len(healthy)} bridges, {days} days"
    for name in healthy[0].alarming:
        share = sum(each.alarming[name] * each.days for each in healthy) / days
        yield f"  days with a false alarm, {name}: {share:.1%}"
    episodes = sum(len(each.told) for each in healthy)
    yield f"  false episodes: {episodes}, one in {days / episodes:.0f} days" if episodes else "  false episodes: none"
    damaged = [each for each in outcomes if each.case.kind != "healthy" and not each.case.sensor]
    for stayed, what in ((False, "girders"), (True, "stayed decks")):
        for case in sorted({each.case.id for each in damaged if each.is_stayed is stayed}):
            yield f"{what}, {_case_line(case, [e for e in damaged if e.case.id == case and e.is_stayed is stayed])}"
    liars = [each for each in outcomes if each.case.sensor]
    yield f"sensors that lie, told apart: {_share(sum(each.is_named for each in liars), len(liars))}"
    for case in sorted({each.case.id for each in liars}):
        yield f"  {_case_line(case, [each for each in liars if each.case.id == case])}"


def _case_line(case: str, outcomes: Sequence[Outcome]) -> str:
    found = [each.first.after_h for each in outcomes if each.first is not None]
    in_time = sum(after_h <= _WEEK_H for after_h in found)
    named = sum(each.is_named for each in outcomes)
    delay = f"median {median(found):.0f} h" if found else "never"
    return (
        f"{case}: within 7 days {_share(in_time, len(outcomes))}, {delay}, named right {_share(named, len(outcomes))}"
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.0%})" if whole else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--bridges", type=int, default=6)
    parser.add_argument("--learnt-days", type=int, default=365)
    parser.add_argument("--judged-days", type=int, default=60)
    parser.add_argument("--every-case", action="store_true", help="say what was told in every case")
    chosen = parser.parse_args()
    extent = Extent(chosen.learnt_days + chosen.judged_days, chosen.learnt_days)
    outcomes: list[Outcome] = []
    for number in range(1, chosen.bridges + 1):
        began = time.monotonic()
        found = outcomes_of(chosen.seed, number, extent)
        outcomes += found
        say(f"{found[0].bridge}: {len(found)} cases, {time.monotonic() - began:.0f} s")
        for each in found if chosen.every_case else ():
            told = ", ".join(f"{t.cause} after {t.after_h:.0f} h ({t.columns[0]})" for t in each.told[:4])
            say(f"  {each.case.id} {each.case.sensor or each.case.asset}: {told or '-'}")
    say("")
    for line in lines(outcomes):
        say(line)
    say("")
    for line in yonghe_lines(Settings().bench_data):
        say(line)


if __name__ == "__main__":
    main()
