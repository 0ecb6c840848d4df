"""The checklist of "The ledger that cannot lie": one test per line of the issue.

What a line promises in depth is tested beside the code; here each line is walked once through
the public door. The long ones run with FULL=1.
"""

from __future__ import annotations

import pytest

not_built = pytest.mark.xfail(strict=True, reason="not built")


@not_built
def test_line_1_evidence() -> None:
    """Each transition carries what proved it; `mmbot why ORDER`; the diagram from the table."""
    raise NotImplementedError


@not_built
def test_line_2_doubt_resolved() -> None:
    """Replies lost, late, doubled, half-failed ... No timer alone ever decides an outcome."""
    raise NotImplementedError


@not_built
def test_line_3_reconciliation() -> None:
    """At start, after reconnect, as a slow audit, inside the query budget; manual orders."""
    raise NotImplementedError


@not_built
def test_line_4_store() -> None:
    """Migrations, integrity, backup, compaction, newer schema; disk full, locked, corrupt."""
    raise NotImplementedError


@not_built
def test_line_5_accounting() -> None:
    """Fills to PnL in cents, rebuilt bit for bit, equal to the transactions; reversals; cases."""
    raise NotImplementedError


@not_built
def test_line_6_deterministic_simulation() -> None:
    """Every s fault; I1-I7 after every step; replay line; `--shrink`; same hash everywhere."""
    raise NotImplementedError


@not_built
def test_line_7_mutation_proof() -> None:
    """At least 25 breaks, ten of them by someone who has not seen the tests: survivors 0."""
    raise NotImplementedError


@not_built
def test_done_when_2000_seeds() -> None:
    """`mmbot simulate --seeds 1..2000 --faults all`: 0 violations, no s fault without a strike."""
    raise NotImplementedError


@not_built
def test_done_when_make_crash() -> None:
    """kill -9 over real sockets under `chaos`: 0 mismatches against the truth, <= 2 log-ins."""
    raise NotImplementedError


@not_built
def test_done_when_the_mutations_are_caught() -> None:
    """The mutation script: all caught."""
    raise NotImplementedError


@not_built
def test_done_when_benchmarks() -> None:
    """Reconcile 10,000 < 150 ms; replay >= 50,000 entries/s; intent within 2x of a commit."""
    raise NotImplementedError
