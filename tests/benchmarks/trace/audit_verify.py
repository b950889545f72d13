"""What it costs to verify a long audit trail, and what the chain costs those who write it."""

import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.core.store.audit_checkpoints import take_checkpoint
from services.core.store.audit_verification import verify
from services.core.store.migrations import migrate
from tests.benchmarks.bench_ingest import running_postgres

_LINES_AT_ONCE = 10_000
_WRITE = """
insert into audit (actor, action, subject_kind, subject, before, after, address, key_name)
select 'system', 'alert.evolve', 'alert', gen_random_uuid()::text,
    jsonb_build_object('state', 'open', 'severity', 2, 'peak_value', number * 0.37, 'explanation',
        jsonb_build_object('en', 'Methane rises', 'zh', '甲烷上升')),
    jsonb_build_object('state', 'open', 'severity', 3, 'peak_value', number * 0.73, 'explanation',
        jsonb_build_object('en', 'Methane rises', 'zh', '甲烷上升')), null, null
from generate_series(1, %s) number
"""


@dataclass(frozen=True, slots=True)
class AuditCost:
    """Seconds to write and verify ``lines``, and the median of a transaction with one line, milliseconds.

    ``verify_cpu_s`` is what both processes computed while verifying, which a busy machine does not stretch.
    """

    lines: int
    write_s: float
    checkpoint_ms: float
    verify_s: float
    verify_cpu_s: float
    one_line_ms: float
    one_line_unchained_ms: float


def measure_audit(url: str, lines: int) -> AuditCost:
    """Write a trail of so many lines and verify all of it; the address is that of an empty database."""
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        began = time.perf_counter()
        for _ in range(lines // _LINES_AT_ONCE):
            connection.execute(_WRITE, (_LINES_AT_ONCE,))
        write_s = time.perf_counter() - began
        connection.execute("vacuum analyze audit, audit_link")
        began = time.perf_counter()
        key = Ed25519PrivateKey.generate()
        take_checkpoint(connection, key, connection.execute("select now()").fetchone()[0])  # type: ignore[index]
        checkpoint_ms = (time.perf_counter() - began) * 1e3
        busy_before = _busy_s(connection.info.backend_pid)
        began = time.perf_counter()
        verdict = verify(connection, trusted_key=key.public_key().public_bytes_raw())
        verify_s = time.perf_counter() - began
        verify_cpu_s = _busy_s(connection.info.backend_pid) - busy_before
        if not verdict.is_whole or verdict.lines != lines + 1:
            raise AssertionError(f"{verdict.lines} lines, {verdict.faults[:3]}")
        chained = _one_line_ms(connection)
        connection.execute("alter table audit disable trigger audit_sealed")
        unchained = _one_line_ms(connection)
    return AuditCost(lines, write_s, checkpoint_ms, verify_s, verify_cpu_s, chained, unchained)


def _busy_s(backend: int) -> float:
    """Processor seconds of this process and of the server's that works for it."""
    fields = Path(f"/proc/{backend}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def _one_line_ms(connection: psycopg.Connection, times: int = 500) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        connection.execute(_WRITE, (1,))
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken)


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    asked = parser.parse_args()
    with running_postgres() as url:
        cost = measure_audit(url, asked.lines)
    lines = [
        f"lines {cost.lines}: written in {cost.write_s:.1f} s ({cost.lines / cost.write_s:.0f} a second)",
        (
            f"checkpoint {cost.checkpoint_ms:.1f} ms, verified in {cost.verify_s:.1f} s, "
            f"of which both processes computed {cost.verify_cpu_s:.1f} s"
        ),
        f"a transaction of one line: {cost.one_line_ms:.2f} ms, without chain {cost.one_line_unchained_ms:.2f} ms",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
