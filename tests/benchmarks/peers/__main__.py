"""The ingest process beside its peers: ``python -m tests.benchmarks.peers --readings 20000 --per-message 1``.

Starts its own PostgreSQL and Mosquitto. In each round every peer and the ingest process take their turn with the same
publications; the round after begins with the next one. Rates depend on the machine, ratios less so.
"""

import argparse
import asyncio
import logging
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.demo.broker import EmbeddedBroker
from tests.benchmarks.bench_ingest import SENSORS, ingest_seconds, rows, running_postgres
from tests.benchmarks.peers.measure import Outcome, peer_outcome
from tests.benchmarks.peers.roster import PEERS
from tests.fixtures.broker import running_broker
from tests.integration.ingest_harness import Publication, batch, register_sensors, single, tables_of

OURS = "ingest"


def publications_of(readings: int, per_message: int) -> list[Publication]:
    given = rows(readings)
    if per_message == 1:
        return [single(*row) for row in given]
    return [batch(given[i : i + per_message]) for i in range(0, readings, per_message)]


async def outcome(
    name: str, broker: EmbeddedBroker, database_url: str, publications: list[Publication], readings: int
) -> Outcome:
    """One turn of the ingest process or of a peer."""
    if name != OURS:
        return await peer_outcome(PEERS[name], broker.url, database_url, publications, readings)
    with tempfile.TemporaryDirectory() as directory:
        seconds = await ingest_seconds(broker, database_url, publications, readings, Path(directory, "log"))
    with tables_of(database_url) as tables:
        stored = tables.count("reading")
    return Outcome(seconds, stored, readings - stored)


async def measure(
    broker: EmbeddedBroker, database_url: str, names: Sequence[str], *, readings: int, per_message: int, rounds: int
) -> Mapping[str, list[Outcome]]:
    """The outcomes of each, in the order of the rounds."""
    publications = publications_of(readings, per_message)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            one = await outcome(name, broker, database_url, publications, readings)
            sys.stderr.write(f"round {number + 1}: {name} {one.rate:,.0f} readings/s, {one.lost} lost\n")
            outcomes[name].append(one)
    return outcomes


def report(outcomes: Mapping[str, list[Outcome]]) -> str:
    """A line for each with the median rate, the most readings lost in a round, and how many times as fast ours is."""
    rates = {name: statistics.median(one.rate for one in of_name) for name, of_name in outcomes.items()}
    lines = [
        f"  {name:20} {rate:10,.0f} readings/s   lost {max(one.lost for one in outcomes[name]):6}"
        + ("" if name == OURS else f"   {OURS} / {name}: {rates[OURS] / rate:.2f}")
        for name, rate in rates.items()
    ]
    return "\n".join(lines) + "\n"


def runnable(wanted: Sequence[str]) -> list[str]:
    """Ours and those of the wanted peers that can run here; says why of the others."""
    names = [OURS]
    for name in wanted:
        if (reason := PEERS[name].available()) is None:
            names.append(name)
        else:
            sys.stdout.write(f"without {name}: {reason}\n")
    return names


def main(arguments: argparse.Namespace) -> None:
    names = runnable(arguments.peer or list(PEERS))
    readings, per_message, rounds = arguments.readings, arguments.per_message, arguments.rounds
    with running_postgres() as database_url, running_broker("mosquitto") as broker:
        register_sensors(database_url, SENSORS)
        outcomes = asyncio.run(
            measure(broker, database_url, names, readings=readings, per_message=per_message, rounds=rounds)
        )
    sys.stdout.write(f"\n{readings} readings, {per_message} a message, median of {rounds}\n{report(outcomes)}")


if __name__ == "__main__":
    logging.getLogger("gmqtt").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("--readings", type=int, default=20_000)
    parser.add_argument("--per-message", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", action="append", choices=list(PEERS), help="only this one; may be repeated")
    main(parser.parse_args())
