"""Broken mains and faulty regulators of a simulated town beside what was told, in figures."""

from collections.abc import Iterator, Sequence

from tests.benchmarks.gas.town_cases import Case, Told, TownResult

WANTED = {"main-break": "gas-main-break", "regulator-fault": "regulator-fault"}


def network_lines(towns: Sequence[TownResult]) -> Iterator[str]:
    """The figures over all towns, one a line."""
    cases = [case for town in towns for case in town.cases]
    days = sum(town.days for town in towns)
    breaks = [case for case in cases if case.kind == "main-break"]
    faults = [case for case in cases if case.kind == "regulator-fault"]
    yield f"{len(towns)} towns, {len(breaks)} main breaks, {len(faults)} regulator faults, {days:.0f} days scored"
    yield from _found("main breaks", breaks)
    known = [(case, told) for case in breaks if (told := _first(case)) is not None]
    if known:
        first = sum(told.suspects[:1] == (case.asset,) for case, told in known)
        third = sum(case.asset in told.suspects[:3] for case, told in known)
        yield f"  the right main first {first}, among three {third}, of {len(known)}"
    yield from _found("regulator faults", faults)
    for mode in sorted({case.mode for case in faults}):
        yield from _found(f"  {mode}", [case for case in faults if case.mode == mode])
    for kind in WANTED.values():
        yield f"{kind} told where none was: {sum(told.kind == kind for town in towns for told in town.beside)}"


def _first(case: Case) -> Told | None:
    return next((told for told in case.told if told.kind == WANTED[case.kind]), None)


def _found(name: str, cases: Sequence[Case]) -> Iterator[str]:
    found = [(case, told) for case in cases if (told := _first(case)) is not None]
    minutes = sorted((told.time_s - case.start_s) / 60 for case, told in found)
    delay = f", minutes until told: median {minutes[len(minutes) // 2]:.0f}, longest {minutes[-1]:.0f}" if found else ""
    yield f"{name}: found {len(found)} of {len(cases)}{delay}"
