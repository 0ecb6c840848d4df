"""What each channel of the stream is worth to us: the planner gives room to the most valuable."""

from __future__ import annotations

from collections.abc import Mapping

from mmbot.engine.ledger import Ledger
from mmbot.engine.wishes import Wishes
from mmbot.exchange.channels import Topic, Worth
from mmbot.exchange.listing import Listing, topic_of


def worth_of(ledger: Ledger, wishes: Wishes, listing: Listing) -> Mapping[Topic, Worth]:
    """Where orders of ours rest or may, or fills wait for their result, and what a strategy owns;
    the rest is watched."""
    catalog = listing.catalog
    found = {
        topic_of(line): Worth.QUOTED
        for line in catalog.lines.values()
        if line.event_id in catalog.events
        and wishes.owner_of(catalog.events[line.event_id], line) is not None
    }
    filled = (order.line_id for order in ledger.unsettled_filled_orders)
    for line_id in (*ledger.live_lines(), *filled):
        line = catalog.lines.get(line_id)
        if line is not None:
            found[topic_of(line)] = Worth.AT_RISK
    return found
