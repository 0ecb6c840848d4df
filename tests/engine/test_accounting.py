"""Our books against the exchange's: cases open when they differ, and close by themselves."""
# faults: F11 G10 B13

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from mmbot.domain.case import Case, CaseKind
from mmbot.domain.entries import BalanceNoted, CaseClosed, CaseOpened, Entry, RunStarted
from mmbot.domain.events import BalanceSeen, TransactionsRead
from mmbot.domain.facts import Alarm
from mmbot.domain.fill import Transaction
from mmbot.domain.ids import OrderId
from mmbot.engine.ledger import Ledger
from mmbot.engine.statement import statement
from tests.builders import (
    EVENT,
    MARKET,
    NOW,
    PREFIX,
    RUN,
    SECOND,
    a_ledger,
    a_report,
    a_row,
    an_order,
    lines_of,
    seen,
)

MINUTE = 60 * SECOND


class Account:
    """A ledger, the exchange's rows and balance, and a clock."""

    def __init__(self, cents: int = 1_000_00) -> None:
        self.ledger = a_ledger()
        self.journal: list[Entry] = [RunStarted(RUN, NOW)]
        self.alarms: list[Alarm] = []
        self.rows: list[Transaction] = []
        self.cents = cents
        self.now_ns = NOW
        self.look()

    def filled(self, cents: int, **changes: Any) -> Any:
        order = an_order(self.ledger.next_external_id(), intended_ns=self.now_ns, **changes)
        self.ledger.intend(order)
        report = replace(a_report(order, filled=cents), open_cents=0)
        self.ledger.apply(seen(report, "stream", self.now_ns), self.now_ns)
        return order

    def row(self, kind: str, cents: int, of_market: bool = True) -> None:
        self.now_ns += SECOND
        self.cents += cents
        n = len(self.rows) + 1
        row = a_row(f"tx-{n}", cents, kind, created_ns=self.now_ns, balance_cents=self.cents)
        if of_market:
            row = replace(row, event_id=EVENT, market_id=str(MARKET), trade_id=f"t-{n}")
        self.rows.append(row)

    def look(self, wait_s: int = 60) -> None:
        """The reads of a minute."""
        self.now_ns += wait_s * SECOND
        at_ns = self.now_ns
        self.ledger.apply(BalanceSeen(self.cents, at_ns, self.cents, at_ns), at_ns)
        self.ledger.apply(TransactionsRead(tuple(self.rows), 0, at_ns, at_ns), at_ns)
        said = self.ledger.drain()
        self.journal += said.entries
        self.alarms += [fact for fact in said.facts if isinstance(fact, Alarm)]

    def looks(self, count: int = 4) -> None:
        for _ in range(count):
            self.look()

    @property
    def cases(self) -> list[Case]:
        return list(self.ledger.accounting.cases.values())

    def rebuilt(self) -> Ledger:
        ledger = Ledger(PREFIX, line_of=lines_of())
        for entry in self.journal:
            ledger.replay(entry)
        return ledger


def test_money_in_and_out_is_no_profit_and_no_difference() -> None:
    account = Account()
    account.row("DEPOSIT", 500_00, of_market=False)
    account.row("WITHDRAW", -100_00, of_market=False)
    account.row("REJECT_WITHDRAW", 100_00, of_market=False)
    account.row("ADJUSTMENT_INCREASE", 25_00, of_market=False)
    account.looks()
    assert account.ledger.pnl_cents == 0
    assert account.cases == []


def test_what_was_paid_in_before_us_is_in_the_opening_balance() -> None:
    account = Account()
    before = a_row("old", 700_00, "DEPOSIT", created_ns=NOW - 3_600 * SECOND)
    account.rows.insert(0, before)
    account.looks()
    assert account.cases == []


def test_a_day_of_one_market_from_the_fill_to_the_fee() -> None:
    account = Account()
    order = account.filled(100_00)
    account.row("TRADE", -100_00)
    account.looks()
    told = statement(account.ledger)
    assert (told["pnl_cents"], told["realised_cents"], told["open_stake_cents"]) == (
        -100_00, 0, 100_00,
    )  # fmt: skip
    won = a_report(order, filled=100_00, status="closed", winning_status="profit")
    account.ledger.apply(seen(won, "stream", account.now_ns), account.now_ns)
    account.row("PAY", 250_00)
    account.row("COMMISSION", -3_00)
    account.looks()
    told = statement(account.ledger)
    assert (told["pnl_cents"], told["realised_cents"], told["fees_cents"]) == (147_00, 147_00, 3_00)
    (market,) = told["markets"]
    assert market["rows"] == {"COMMISSION": -3_00, "PAY": 250_00, "TRADE": -100_00}
    assert (market["staked_cents"], market["open_stake_cents"]) == (100_00, 0)
    assert account.cases == []


def test_a_fill_without_its_row_is_a_case_until_the_row_comes() -> None:
    account = Account()
    account.filled(100_00)
    account.looks(2)
    assert account.cases == []  # rows may be late
    account.looks(2)
    assert [(c.kind, c.ours_cents, c.theirs_cents) for c in account.cases] == [
        (CaseKind.MARKET, -100_00, 0)
    ]
    assert [alarm.what for alarm in account.alarms].count("money differs") == 1
    assert account.alarms[-1].event_id == EVENT
    assert account.rebuilt().accounting.cases == account.ledger.accounting.cases
    account.row("TRADE", -100_00)
    account.looks(1)
    assert account.cases == []
    opened = [e for e in account.journal if isinstance(e, CaseOpened)]
    closed = [e for e in account.journal if isinstance(e, CaseClosed)]
    assert [e.case.case_id for e in opened] == [e.case_id for e in closed]
    assert account.rebuilt().accounting.cases == {}


def test_rows_of_a_fill_that_we_do_not_know_are_a_case_that_names_them() -> None:
    account = Account()
    account.row("TRADE", -40_00)
    account.row("TRADE", -2_00)
    account.looks()
    (case,) = account.cases
    assert (case.ours_cents, case.theirs_cents, case.rows) == (0, -42_00, ("tx-1", "tx-2"))


def test_a_result_that_was_paid_wrongly_is_a_case() -> None:
    account = Account()
    order = account.filled(100_00)
    account.row("TRADE", -100_00)
    lost = a_report(order, filled=100_00, status="closed", winning_status="loss")
    account.ledger.apply(seen(lost, "stream", account.now_ns), account.now_ns)
    account.row("PAY", 250_00)
    account.looks()
    assert [c.kind for c in account.cases] == [CaseKind.MARKET]
    account.row("ADJUSTMENT_REDUCE", -250_00)
    account.looks(1)
    assert account.cases == []


def test_every_word_of_a_result_pays_what_it_should() -> None:
    words = {
        "profit": 250_00, "won": 250_00, "manually_won": 250_00, "loss": 0, "manually_lost": 0,
        "push": 100_00, "draw": 100_00, "no_result": 100_00,
    }  # fmt: skip
    for word, paid in words.items():
        account = Account()
        order = account.filled(100_00)
        account.row("TRADE", -100_00)
        over = a_report(order, filled=100_00, status="closed", winning_status=word)
        account.ledger.apply(seen(over, "stream", account.now_ns), account.now_ns)
        if paid:
            account.row("PAY", paid)
        account.looks()
        assert account.cases == [], word
        account.row("PAY", -paid if paid else 200_00)
        account.looks()
        assert [c.kind for c in account.cases] == [CaseKind.MARKET], word


def test_a_dead_heat_pays_half_of_the_pot() -> None:
    account = Account()
    order = account.filled(100_00)
    account.row("TRADE", -100_00)
    over = a_report(order, filled=100_00, status="closed", winning_status="manually_won")
    account.ledger.apply(seen(over, "stream", account.now_ns), account.now_ns)
    account.row("PAY", 125_00)
    account.looks()
    assert account.cases == []


def test_a_balance_that_the_rows_do_not_explain_is_a_case() -> None:
    account = Account()
    account.cents -= 7
    account.looks()
    assert [(c.kind, c.ours_cents, c.theirs_cents) for c in account.cases] == [
        (CaseKind.CASH, 1_000_00, 999_93)
    ]
    account.cents += 7
    account.looks(1)
    assert account.cases == []


def test_a_row_that_is_missing_shows_in_the_balance_of_the_next() -> None:
    account = Account()
    account.row("DEPOSIT", 5_00, of_market=False)
    account.row("DEPOSIT", 9_00, of_market=False)
    del account.rows[0]
    account.looks()
    assert [c.kind for c in account.cases] == [CaseKind.CASH]


def test_a_market_in_which_a_person_traded_is_not_judged() -> None:
    account = Account()
    by_hand = an_order("their-own-id", order_id=OrderId("by-hand"))
    report = a_report(by_hand, filled=30_00)
    account.ledger.apply(seen(report, "stream", account.now_ns), account.now_ns)
    account.row("TRADE", -30_00)
    account.looks()
    assert account.cases == []
    lost = replace(report, status="closed", winning_status="loss", open_cents=0)
    account.ledger.apply(seen(lost, "stream", account.now_ns), account.now_ns)
    account.looks()
    account.ledger = account.rebuilt()
    account.ledger.begin_run("fedcba987654", account.now_ns)
    account.looks()
    assert account.cases == []  # nor after a restart


def test_the_money_is_the_accounts_and_a_persons_open_stake_is_no_loss() -> None:
    account = Account()
    by_hand = an_order("their-own-id", order_id=OrderId("by-hand"))
    report = a_report(by_hand, filled=30_00)
    account.ledger.apply(seen(report, "stream", account.now_ns), account.now_ns)
    account.row("TRADE", -30_00)
    account.looks()
    names = ("pnl_cents", "open_stake_cents", "realised_cents")
    told = statement(account.ledger)
    assert [told[name] for name in names] == [-30_00, 30_00, 0]
    (market,) = told["markets"]
    assert (market["staked_cents"], market["open_stake_cents"]) == (0, 30_00)
    assert told == statement(account.rebuilt())
    lost = replace(report, status="closed", winning_status="loss", open_cents=0)
    account.ledger.apply(seen(lost, "stream", account.now_ns), account.now_ns)
    account.look()
    told = statement(account.ledger)
    assert [told[name] for name in names] == [-30_00, 0, -30_00]
    assert told == statement(account.rebuilt())


def test_stakes_that_are_put_aside_at_the_placement_are_no_difference() -> None:
    account = Account()
    account.filled(60_00)
    account.row("TRADE", -100_00)
    account.rows[-1] = replace(account.rows[-1], trade_id="")
    account.looks()
    assert account.cases == []
    account.row("CANCEL", 40_00)
    account.rows[-1] = replace(account.rows[-1], trade_id="")
    account.looks()
    assert account.cases == []


def test_without_rows_the_balance_tells_the_profit_and_the_file_says_the_same() -> None:
    account = Account()
    account.filled(100_00)
    for _ in range(4):
        account.now_ns += MINUTE
        at_ns = account.now_ns
        none = TransactionsRead((), 0, at_ns, at_ns, by_rows=False)
        account.ledger.apply(none, at_ns)
        account.ledger.apply(BalanceSeen(900_00, at_ns, 900_00, at_ns), at_ns)
    account.journal += account.ledger.drain().entries
    noted = [(e.pnl_cents, e.why) for e in account.journal if isinstance(e, BalanceNoted)]
    assert noted == [(0, "opening"), (-100_00, "instead of rows")]
    assert account.ledger.pnl_cents == account.rebuilt().pnl_cents == -100_00
    account.cents -= 100_00
    account.row("TRADE", 0)
    account.look()
    assert account.ledger.pnl_cents == 0  # rows again, and they say so


def test_the_statement_is_the_same_to_the_byte_however_often_it_is_rebuilt() -> None:
    account = Account()
    test = account.filled(100_00)
    account.filled(20_00)
    account.row("TRADE", -100_00)
    account.looks()
    won = a_report(test, filled=100_00, status="closed", winning_status="profit")
    account.ledger.apply(seen(won, "stream", account.now_ns), account.now_ns)
    account.row("PAY", 250_00)
    account.looks()
    told = [msgspec.json.encode(statement(one)) for one in (account.ledger, account.rebuilt())]
    assert told[0] == told[1] == msgspec.json.encode(statement(account.rebuilt()))
    assert statement(account.ledger)["cases"]
