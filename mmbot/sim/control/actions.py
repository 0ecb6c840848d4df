"""`/_box`: looking at the box and steering it; no exchange requests, no rate count."""

from __future__ import annotations

from itertools import islice
from random import Random

from mmbot.sim.core.exchange import Exchange
from mmbot.sim.core.lifecycle import NS, Line, iso_seconds
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Account, Fill, Refusal
from mmbot.sim.games import results
from mmbot.sim.http.requests import integer
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.feed import OddsFeed
from mmbot.sim.market.traders import Traders
from mmbot.sim.witness.record import Record

TRADES_SHOWN = 20
NEWS_LOGIT_MAX = 2.0


class Control:
    """What a demo, a test or a person may ask of the box."""

    def __init__(
        self,
        exchange: Exchange,
        fair: FairBoard,
        feed: OddsFeed,
        record: Record,
        traders: Traders,
        rngs: tuple[Random, Random],
    ) -> None:
        self._exchange = exchange
        self._fair = fair
        self._feed = feed
        self._record = record
        self._traders = traders
        self._rng, self._results_rng = rngs
        self.takers_on = False
        self.results: list[results.Result] = []
        self._money: Json = {}

    def switch_takers(self, on: bool, now_ns: int) -> None:
        """Takers and the rival come and go together."""
        if on == self.takers_on or (on and self.results):
            return
        self.takers_on = on
        if on:
            self._traders.start(now_ns)
        else:
            self._traders.stop(now_ns)

    def takers(self, body: object, now_ns: int) -> Json | Refusal:
        on = body.get("on") if isinstance(body, dict) else None
        if not isinstance(on, bool):
            return Refusal(400, "invalid_param", "on must be true or false")
        self.switch_takers(on, now_ns)
        return {"on": self.takers_on}

    def news(self, body: object, now_ns: int, usual_logit: float) -> Json | Refusal:
        wanted = body if isinstance(body, dict) else {}
        open_events = [
            event.event_id
            for event in self._exchange.listing.events.values()
            if event.status == "not_started"
        ]
        if not open_events:
            return Refusal(400, "event_not_available", "no event is open")
        drawn = self._rng.choice(open_events)
        event_id = wanted.get("event_id", drawn)
        sign = self._rng.choice((-1.0, 1.0))
        shift = wanted.get("shift_logit", sign * usual_logit)
        if event_id not in open_events:
            return Refusal(404, "sport_event_not_found", "no such open event")
        if not isinstance(shift, int | float) or not abs(shift) <= NEWS_LOGIT_MAX:
            return Refusal(400, "invalid_param", "shift_logit must be a number from -2 to 2")
        self._fair.news(event_id, float(shift), now_ns)
        self._feed.news(event_id, now_ns)
        self._record.fair_moved(now_ns)
        event = self._exchange.listing.events[event_id]
        return {"event_id": event_id, "event": event.name, "shift_logit": shift}

    def event(self, body: object, now_ns: int) -> Json | Refusal:
        """Suspend or resume the markets of an event, or start the game now."""
        wanted = body if isinstance(body, dict) else {}
        event = self._exchange.listing.events.get(integer(wanted.get("event_id")) or 0)
        action = wanted.get("action")
        if event is None or event.status != "not_started":
            return Refusal(404, "sport_event_not_found", "no such open event")
        if action in ("suspend", "resume"):
            self._exchange.calendar.suspend(event, now_ns, on=action == "suspend")
        elif action == "start":
            self._exchange.calendar.go_live(event, now_ns)
        else:
            return Refusal(400, "invalid_param", "action must be suspend, resume or start")
        return {
            "event_id": event.event_id,
            "status": event.status,
            "markets": event.market_status,
        }

    def stop_mark(self, now_ns: int) -> Json:
        self._record.stop_mark(now_ns)
        return {"stop_ns": self._record.stop_ns}

    def settle(self, now_ns: int) -> Json:
        """End every game and pay; a second call answers the same."""
        if not self.results:
            self.switch_takers(False, now_ns)
            events = self._exchange.listing.events.values()
            self.results = [results.result_of(event, self._results_rng) for event in events]
            alive = {
                account.user_id: len(account.alive)
                for account in self._exchange.accounts.values()
                if not account.internal
            }
            self._money = results.settle(self._exchange, self.results, now_ns)
            for user_id, count in alive.items():
                self._record.of(self._exchange.accounts[user_id]).wiped_at_settle = count
        return {"results": [self._result(one) for one in self.results]} | self._money

    def _result(self, result: results.Result) -> Json:
        event = self._exchange.listing.events[result.event_id]
        lines: list[Json] = []
        for line in event.lines:
            side = result.winners[line.index]
            won = None if side is None else line.strikes[side]
            lines.append(
                {
                    "line": line.name,
                    "market_id": line.market_id,
                    "winner": None if won is None else won.name,
                    "winner_strike_id": None if won is None else won.strike_id,
                }
            )
        return {
            "event_id": event.event_id,
            "event": event.name,
            "how": result.how,
            "result": result.text,
            "lines": lines,
        }

    # -- the live view --------------------------------------------------------------------

    def state(self, now_ns: int, started_ns: int) -> Json:
        exchange = self._exchange
        return {
            "now_ns": now_ns,
            "uptime_s": (now_ns - started_ns) / NS,
            "takers_on": self.takers_on,
            "settled": bool(self.results),
            "events": [
                {
                    "event_id": event.event_id,
                    "name": event.name,
                    "home": event.game.home,
                    "away": event.game.away,
                    "tournament": event.tournament.name,
                    "true_start": event.game.true_start,
                    "start": iso_seconds(event.start_ns),
                    "status": event.status,
                }
                for event in exchange.listing.events.values()
            ],
            "lines": [self._line(line) for line in exchange.listing.lines],
            "accounts": [self._account(account, now_ns) for account in exchange.accounts.values()],
            "trades": [
                self._trade(fill) for fill in islice(reversed(exchange.fills), TRADES_SHOWN)
            ],
        }

    def _line(self, line: Line) -> Json:
        event = self._exchange.listing.events[line.event_id]
        book = self._exchange.books[line.index]
        strikes: list[Json] = []
        for strike in line.strikes:
            best = next(iter(book.levels(strike.side, 1)), (None, 0, 0))
            strikes.append(
                {
                    "strike_id": strike.strike_id,
                    "name": strike.name,
                    "fair": round(self._fair.probability(line.index, strike.side), 5),
                    "taker_price": best[0],
                    "taker_cents": best[2],
                }
            )
        return {
            "event_id": line.event_id,
            "event": event.name,
            "true_start": event.game.true_start,
            "start": iso_seconds(event.start_ns),
            "market_id": line.market_id,
            "market": line.kind,
            "number": line.number,
            "name": line.name,
            "strikes": strikes,
            "resting_cents": book.resting_cents(),
        }

    def _account(self, account: Account, now_ns: int) -> Json:
        position: dict[str, int] = {}
        for order in account.filled.values():
            if order.winning_status == "tbd" and not account.internal:
                strike_id = order.strike.strike_id
                position[strike_id] = position.get(strike_id, 0) + order.filled_cents
        orders: list[Json] = [
            {
                "strike_id": order.strike.strike_id,
                "price": order.price,
                "open_cents": order.open_cents,
                "status": order.status,
            }
            for order in account.alive.values()
            if not account.internal
        ]
        shown: Json = {
            "name": account.name,
            "internal": account.internal,
            "open_orders": len(account.alive),
            "resting_cents": account.resting_cents,
            "fills": len(account.fills),
            "cash_cents": account.cash_cents,
            "start_cents": account.start_cents,
            "matched_cents": account.matched_cents,
            "position_cents": position,
            "orders": orders,
        }
        if not account.internal:
            record = self._record.of(account)
            recent = sum(1 for at_ns in record.requests if at_ns > now_ns - NS)
            shown |= {
                "worst_case_cents": record.worst_cents,
                "requests_last_second": recent,
                "requests_total": record.requests_total,
            }
        return shown

    def _trade(self, fill: Fill) -> Json:
        return {
            "at_ns": fill.at_ns,
            "event": self._exchange.listing.events[fill.taker.line.event_id].name,
            "line": fill.taker.line.name,
            "taker_buys": fill.taker.strike.name,
            "taker_price": fill.taker_price,
            "taker_cents": fill.taker_cents,
            "maker_buys": fill.maker.strike.name,
            "maker_cents": fill.maker_cents,
            "maker": fill.maker.account.name,
            "taker": fill.taker.account.name,
        }
