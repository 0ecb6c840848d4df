"""Carries out what a timeline, or whoever steers the box, wants to happen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from mmbot.sim.core.lifecycle import NS
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Account, Refusal
from mmbot.sim.core.prices import Ladder, is_american
from mmbot.sim.faults.board import FaultBoard
from mmbot.sim.faults.plan import Injected
from mmbot.sim.faults.switches import Switches
from mmbot.sim.stream.hub import Close
from mmbot.sim.tables import ScenarioError
from mmbot.sim.timeline import entries as wanted
from mmbot.sim.timeline.entries import Action, Step
from mmbot.sim.timeline.hands import Hands
from mmbot.sim.timeline.matches import EventMoves

if TYPE_CHECKING:
    from mmbot.sim.box import Box

DONE_SHOWN_MAX: Final = 1000
MAKER: Final = "maker"


class Moves:
    """One door for all actions; each is checked at birth as far as that is possible."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._events = EventMoves(box)
        self.done: deque[Json] = deque(maxlen=DONE_SHOWN_MAX)
        self._doers: dict[type[Action], Callable[[Any, int], Json | Refusal]] = {
            **self._events.doers,
            **Hands(box).doers,
            wanted.News: self._news,
            wanted.SwitchTraders: self._traders,
            wanted.ChangeLadder: self._change_ladder,
            wanted.Switch: self._switch,
            wanted.Faults: self._faults,
            wanted.CloseSockets: self._close_sockets,
            wanted.RefuseSockets: self._refuse_sockets,
            wanted.MuteSockets: self._mute_sockets,
            wanted.MoveStream: self._move_stream,
            wanted.Cash: self._cash,
            wanted.ExpireTokens: self._expire_tokens,
            wanted.SuspendAccount: self._suspend_account,
        }

    def schedule(self, steps: tuple[Step, ...], born_ns: int) -> None:
        """Every step of a timeline at its times; raises ScenarioError for what cannot be."""
        added = sum(step.when.times for step in steps if isinstance(step.action, wanted.ListEvent))
        for step in steps:
            self._check(step, added)
            for turn in range(step.when.times):
                at_s = step.when.at_s + turn * step.when.every_s
                self._box.exchange.schedule(born_ns + round(at_s * NS), self._doing(step.action))

    def _doing(self, action: Action) -> Callable[[int], None]:
        def do(now_ns: int) -> None:
            self.perform(action, now_ns)

        return do

    def perform(self, action: Action, now_ns: int) -> Json | Refusal:
        """Do it now; a refusal says why it could not be done."""
        answer = self._stranger(action) or self._doers[type(action)](action, now_ns)
        refused = answer.message if isinstance(answer, Refusal) else ""
        self.done.append({"at_ns": now_ns, "action": _name(action), "refused": refused})
        return answer

    def _stranger(self, action: Action) -> Refusal | None:
        name = getattr(action, "account", "")
        if name and all(account.name != name for account in self._accounts()):
            return Refusal(404, "data_not_found", f"no account {name!r}")
        return None

    # -- checks at birth ------------------------------------------------------------------

    def _check(self, step: Step, added: int) -> None:
        action = step.action
        number = getattr(action, "event", 0)
        events = self._box.exchange.listing.events
        if number > len(events) + added and number not in events:
            raise ScenarioError(f"{step.where}.event: there are {len(events)} events, not {number}")
        stranger = self._stranger(action)
        if stranger is not None:
            raise ScenarioError(f"{step.where}.account: {stranger.message}")
        if isinstance(action, wanted.Switch):
            refusal = Switches().set_all(action.set)
            if refusal is not None:
                raise ScenarioError(f"{step.where}.set: {refusal.message}")
        if isinstance(action, wanted.Faults):
            try:
                FaultBoard(0, _unheard).add(action.rules, 0)
            except ScenarioError as error:
                raise ScenarioError(f"{step.where}.{error}") from None

    def _accounts(self) -> Iterator[Account]:
        for account in self._box.exchange.accounts.values():
            if not account.internal:
                yield account

    # -- the market and its faults --------------------------------------------------------

    def _news(self, action: wanted.News, now_ns: int) -> Json | Refusal:
        body: Json = {}
        if action.event:
            event = self._events.event(action.event)
            if isinstance(event, Refusal):
                return event
            body["event_id"] = event.event_id
        if action.shift_logit is not None:
            body["shift_logit"] = action.shift_logit
        usual_logit = self._box.options.drift.news_logit
        return self._box.control.news(body, now_ns, usual_logit)

    def _traders(self, action: wanted.SwitchTraders, now_ns: int) -> Json | Refusal:
        return self._box.control.takers({"on": action.on}, now_ns)

    def _switch(self, action: wanted.Switch, now_ns: int) -> Json | Refusal:
        return self._box.switches.set_all(action.set) or dict(action.set)

    def _faults(self, action: wanted.Faults, now_ns: int) -> Json | Refusal:
        try:
            FaultBoard(0, _unheard).add(action.rules, now_ns)
        except ScenarioError as error:
            return Refusal(400, "invalid_param", str(error))
        self._box.faults.clear()
        self._box.faults.add(action.rules, now_ns)
        return {"rules": len(action.rules)}

    def _change_ladder(self, action: wanted.ChangeLadder, now_ns: int) -> Json | Refusal:
        exchange = self._box.exchange
        prices = sorted(exchange.ladder.members - set(action.remove) | set(action.add))
        if not prices or not all(map(is_american, prices)):
            return Refusal(400, "invalid_param", "a ladder has American prices, one at least")
        exchange.ladder = Ladder.of(prices)
        gone = [
            order
            for account in exchange.accounts.values()
            for order in account.alive.values()
            if order.price not in exchange.ladder
        ]
        rule = exchange.rules.life.ladder_change
        if rule != "rest":
            exchange.cancel_all(gone, now_ns, "canceled" if rule == "cancel" else "wiped")
        return {"prices": len(prices), "orders_off": len(gone)}

    # -- the stream -----------------------------------------------------------------------

    def _close_sockets(self, action: wanted.CloseSockets, now_ns: int) -> Json | Refusal:
        self._box.hub.close_all(Close(action.code, action.reason), self._user_id(action.account))
        return {"code": action.code}

    def _refuse_sockets(self, action: wanted.RefuseSockets, now_ns: int) -> Json | Refusal:
        self._box.hub.refuse_new = Close(action.code, action.reason) if action.code else None
        return {"code": action.code}

    def _mute_sockets(self, action: wanted.MuteSockets, now_ns: int) -> Json | Refusal:
        user_id = self._user_id(action.account)
        self._box.hub.mute(action.on, user_id, pongs=action.pongs)
        return {"on": action.on}

    def _move_stream(self, action: wanted.MoveStream, now_ns: int) -> Json | Refusal:
        close = None
        if action.close_code:
            close = Close(action.close_code, "the stream has moved")
        if action.dead_host:
            self._box.hub.address.dead_hosts.add(action.dead_host)
        if action.sequence_unit:
            self._box.exchange.bulletin.count_in(action.sequence_unit)
        self._box.hub.move(key=action.key, cluster=action.cluster, host=action.host, close=close)
        return {"key": action.key, "cluster": action.cluster, "host": action.host}

    # -- accounts -------------------------------------------------------------------------

    def _cash(self, action: wanted.Cash, now_ns: int) -> Json | Refusal:
        cents = round(action.usd * 100)
        self._box.exchange.set_cash(self._account(action.account), cents, now_ns)
        return {"cash_cents": cents}

    def _expire_tokens(self, action: wanted.ExpireTokens, now_ns: int) -> Json | Refusal:
        sessions, account = self._box.sessions, self._account(action.account)
        end = sessions.end_sessions if action.sessions else sessions.expire_access
        return {"tokens": end(account, now_ns)}

    def _suspend_account(self, action: wanted.SuspendAccount, now_ns: int) -> Json | Refusal:
        self._box.sessions.suspend(self._account(action.account), action.on)
        return {"suspended": action.on}

    def _account(self, name: str) -> Account:
        """The maker when nobody is named; `perform` has refused strangers before."""
        wanted_name = name or MAKER
        return next(account for account in self._accounts() if account.name == wanted_name)

    def _user_id(self, name: str) -> str:
        return self._account(name).user_id if name else ""


def _name(action: Action) -> str:
    return next(name for name, kind in wanted.ACTIONS.items() if kind is type(action))


def _unheard(_: Injected) -> None:
    """A check of rules draws nothing."""
