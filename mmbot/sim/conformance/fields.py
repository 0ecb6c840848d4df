"""The fields that something must have, as a table: name, kind, needed or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmbot.sim.conformance.shape import shape_of

# A mark of interrogation makes a field optional; kinds are those of a Shape, joined by a bar.
Spec = dict[str, Any]


def misfits(content: Any, spec: Any, path: str) -> Iterator[str]:
    if isinstance(spec, list):
        if not isinstance(content, list):
            yield f"{path}: a list is expected"
            return
        for index, one in enumerate(content):
            yield from misfits(one, spec[0], f"{path}[{index}]")
        return
    if isinstance(spec, str):
        kind = shape_of(content).kind
        if kind not in spec.split("|"):
            yield f"{path}: {kind} in the example, the box reads {spec}"
        return
    if not isinstance(content, dict):
        yield f"{path or '(top)'}: an object is expected"
        return
    known = {name.rstrip("?"): one for name, one in spec.items()}
    for name in sorted(content.keys() | {name for name in spec if not name.endswith("?")}):
        where = f"{path}.{name}" if path else name
        if name not in content:
            yield f"{where}: needed by the box, not in the example"
        elif name not in known:
            yield f"{where}: in the example, not read by the box"
        else:
            yield from misfits(content[name], known[name], where)
