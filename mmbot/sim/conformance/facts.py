"""Files beside the examples that are no bodies: observed levels, signature vectors, the index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mmbot.sim.conformance.fields import Spec, misfits
from mmbot.sim.core.prices import is_american, ratio
from mmbot.sim.stream.channels import AppKey

CENT = 0.01
ROW: Final = {
    **dict.fromkeys(("price", "quantity", "value", "value_times_b"), "number"),
    "web_page_usd": "number|null",
    "source": "text",
}
VECTOR: Final = {
    **dict.fromkeys(("purpose", "string_to_sign", "auth", "origin"), "text"),
    "user_data?": "text",
}
SAMPLE_LEVEL: Final = {
    **dict.fromkeys(("display_strike", "display_name", "display_price", "name"), "text"),
    **dict.fromkeys(("strike", "price", "outcome_id", "quantity", "value"), "number"),
    "strike_id": "text",
    "updated_at": "number",
}
SAMPLE: Final = {
    **dict.fromkeys(("display_name", "name", "type"), "text"),
    **dict.fromkeys(("id", "strike"), "number"),
    "selections": [SAMPLE_LEVEL],
}
FIELDS: Final[dict[str, Spec]] = {
    "observed_levels.v4.json": {"note": "text", "rows": [ROW]},
    "pusher_signature_vectors.json": {
        **dict.fromkeys(("key", "secret", "socket_id"), "text"),
        "vectors": [VECTOR],
    },
    "doc_value_quantity_sample.v4_flat.json": {"data": {"10073803": [SAMPLE]}},
    "index.json": {
        **dict.fromkeys(("note", "app_key", "app_secret_for_signatures"), "text"),
        **dict.fromkeys(("socket_id", "account_id"), "text"),
        "files": [{"file": "text", "what": "text"}],
    },
}


def fact_problems(name: str, content: Any) -> Iterator[str]:
    found = list(misfits(content, FIELDS[name], ""))
    yield from found
    if found:
        return
    if name == "observed_levels.v4.json":
        yield from _levels(content)
    elif name == "pusher_signature_vectors.json":
        yield from _signatures(content)


def _levels(content: Any) -> Iterator[str]:
    """`value` times the profit per dollar is the figure given, and never above `quantity`."""
    for number, row in enumerate(content["rows"]):
        where, price = f"rows[{number}]", row["price"]
        if price != int(price) or not is_american(int(price)):
            yield f"{where}.price: {price!r} is no American price"
            continue
        num, den = ratio(int(price))
        stake = row["value"] * num / den
        if abs(stake - row["value_times_b"]) > CENT:
            yield f"{where}.value_times_b: {row['value_times_b']} is not {stake:.2f}"
        if stake > row["quantity"] + CENT:
            yield f"{where}.quantity: {row['quantity']} is less than {stake:.2f}"


def _signatures(content: Any) -> Iterator[str]:
    app, socket_id = AppKey(content["key"], content["secret"]), content["socket_id"]
    for number, vector in enumerate(content["vectors"]):
        where, signed = f"vectors[{number}]", vector["string_to_sign"]
        user_data = vector.get("user_data")
        if user_data is not None:
            said, text = app.user_auth(socket_id, user_data), f"{socket_id}::user::{user_data}"
        else:
            channel = signed.removeprefix(f"{socket_id}:")
            said, text = app.channel_auth(socket_id, channel), f"{socket_id}:{channel}"
        if signed != text:
            yield f"{where}.string_to_sign: {signed!r} is not {text!r}"
        if vector["auth"] != said:
            yield f"{where}.auth: the box signs {said}"
