"""The cash loss of a day: by results, in a named zone, over midnight, DST and restarts."""

# faults: G4 G11

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mmbot.domain.entries import Entry
from mmbot.domain.events import OperatorSaid, OrderSeen, TransactionsRead
from mmbot.domain.facts import Alarm
from mmbot.domain.fill import Transaction
from mmbot.domain.order import Order
from mmbot.engine.day_loss import DayLoss
from mmbot.engine.ledger import Ledger
from mmbot.engine.ports import Effects
from tests.builders import a_report, a_row
from tests.engine.desk import Desk

NEW_YORK = ZoneInfo("America/New_York")


def local_day(at_ns: int) -> int:
    return datetime.fromtimestamp(at_ns // 10**9, NEW_YORK).toordinal()


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("before", "after", "same_day"),
    [
        ("2026-11-23T04:59:59+00:00", "2026-11-23T05:00:00+00:00", False),  # EST: UTC-5
        ("2026-11-22T23:59:59+00:00", "2026-11-23T00:00:00+00:00", True),  # midnight of UTC
        ("2026-11-01T04:00:00+00:00", "2026-11-02T04:30:00+00:00", True),  # a day of 25 hours
        ("2026-03-08T05:00:00+00:00", "2026-03-09T04:00:00+00:00", False),  # one of 23
        ("2026-11-23T05:00:01+00:00", "2026-11-23T04:59:59+00:00", True),  # a clock set back
    ],
)
def test_a_day_ends_at_midnight_of_its_zone(before: str, after: str, same_day: bool) -> None:
    day = DayLoss(local_day, 5_000)
    day.look(-4_000, at(before))
    day.look(-5_000, at(after))
    assert day.cents == (5_000 if same_day else 1_000)
    assert day.exceeded is same_day


def test_a_profit_is_no_loss_and_makes_up_for_one() -> None:
    day = DayLoss(local_day, 5_000)
    for cents in (90_000, 85_001, 90_000):
        day.look(cents, 10**18)
    assert (day.cents, day.exceeded) == (0, False)
    day.look(-5_000, 10**18)
    assert day.exceeded


# --- in the engine ------------------------------------------------------------------------------


def a_trade(order: Order, cents: int, ident: str, now_ns: int) -> Transaction:
    return a_money(order, ident, -cents, "TRADE", now_ns, trade_id=ident)


def a_money(
    order: Order, ident: str, cents: int, kind: str, now_ns: int, trade_id: str = ""
) -> Transaction:
    event_id, market_id = int(order.event_id), str(order.market_id)
    return Transaction(ident, kind, cents, trade_id, event_id, market_id, now_ns)


class Losing(Desk):
    """A desk that may lose 20.00 a day, and its journal."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.ledger.accounting.day.allowed_cents = 2_000
        self.journal: list[Entry] = []
        self.pages: list[str] = []

    def tell(self, *events: object, **more: object) -> Effects:
        effects = super().tell(*events, **more)  # type: ignore[arg-type]  # as the desk's
        self.journal += effects.entries
        facts = effects.facts
        self.pages += [one.what for one in facts if isinstance(one, Alarm) and one.page]
        return effects

    @property
    def lost(self) -> int:
        return self.ledger.accounting.day.cents

    def result(self, order: Order, cents: int, word: str) -> Effects:
        report = a_report(order, filled=cents, status="closed", winning_status=word)
        return self.tell(OrderSeen(report, "stream", self.now_ns))

    def lose(self, order: Order, cents: int) -> Effects:
        """The fill's row makes it exact: by our own books alone it is so to a few cents."""
        known = self.ledger.order(order.external_id)
        more = cents - (known.filled_cents if known else 0)
        self.rows(a_trade(order, more, f"{order.external_id}-{cents}", self.now_ns))
        return self.result(order, cents, "loss")

    def rows(self, *rows: Transaction) -> Effects:
        return self.tell(TransactionsRead(rows, self.now_ns, self.now_ns))


def test_a_loss_halts_exactly_at_the_limit_and_a_stake_without_result_is_none() -> None:
    desk = Losing()
    first, second = desk.quoting()
    desk.tell(OrderSeen(a_report(second, filled=5_000), "stream", desk.now_ns))
    desk.rows(a_trade(second, 5_000, "waits", desk.now_ns))
    desk.lose(first, 1_999)
    assert (desk.lost, desk.engine.mode.name) == (1_999, "ENABLED")
    desk.lose(first, 2_000)
    assert desk.pages == ["cash loss"]
    assert desk.engine.mode.name == "HALTED"
    assert desk.engine.parts.modes.halted == "cash loss: 20.00 of 20.00 USD were lost today"


def test_a_profit_never_halts_whether_its_rows_are_late_or_never_come() -> None:
    desk = Losing()
    first, _ = desk.quoting()
    desk.rows(a_trade(first, 5_000, "t1", desk.now_ns))
    assert desk.lost == 0  # the row came before the fill
    desk.result(first, 5_000, "profit")
    assert desk.lost == 0  # and the pay has not come
    desk.rows(a_money(first, "t2", 10_250, "PAY", desk.now_ns))
    desk.rows(a_money(first, "t3", -105, "COMMISSION", desk.now_ns))
    assert (desk.lost, desk.engine.mode.name) == (0, "ENABLED")
    assert desk.ledger.accounting.books.realised_cents == 5_145


def test_a_withdrawal_is_no_loss_and_a_deposit_hides_none() -> None:
    desk = Losing()
    first, _ = desk.quoting()
    desk.rows(a_row("w", -900_000, "WITHDRAW", created_ns=desk.now_ns))
    assert desk.lost == 0
    desk.rows(a_row("d", 900_000, "DEPOSIT", created_ns=desk.now_ns))
    desk.lose(first, 2_000)
    assert desk.engine.mode.name == "HALTED"


def test_a_restart_counts_the_same_and_a_resume_counts_anew() -> None:
    desk = Losing()
    first, second = desk.quoting()
    desk.tell(OperatorSaid("resume", "a person"))
    desk.lose(first, 1_500)
    desk.tell(OperatorSaid("resume", "a person"))  # of a pause: the day goes on
    desk.lose(second, 700)
    assert (desk.lost, again(desk)) == (2_200, 2_200)
    desk.tell(OperatorSaid("resume", "a person"))
    assert (desk.lost, again(desk), desk.engine.mode.name) == (0, 0, "ENABLED")


def again(desk: Losing) -> int:
    """The loss of the day by a ledger that is rebuilt from the journal."""
    ledger = Ledger("mm")
    ledger.accounting.day.allowed_cents = 2_000
    ledger.rebuild(desk.journal)
    return ledger.accounting.day.cents
