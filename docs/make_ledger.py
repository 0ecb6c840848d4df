"""Draws the order table into docs/ledger.md and ARCHITECTURE.md, between their marks.

PYTHONPATH=. .venv/bin/python docs/make_ledger.py
"""

from __future__ import annotations

import re
from pathlib import Path

from mmbot.domain.evidence import OUTSIDE, Kind
from mmbot.domain.order import PROVEN_BY, TABLE, TERMINAL, Cell, State, Step, Then

HERE = Path(__file__).resolve().parent
PAGES = (HERE / "ledger.md", HERE.parent / "ARCHITECTURE.md")
MARK = re.compile(r"(<!-- made by docs/make_ledger\.py: (\w+) -->\n).*?(<!-- end -->)", re.S)
LABELS_PER_LINE = 3
WORDS = {
    Then.MARK: "stay, mark",
    Then.SWEEP_OR_WAIT: "sweep/wait",
    Then.RETRY_REREAD: "retry, read",
    Then.DASH: "-",
}


def drawing() -> str:
    """Every step that changes a state, as a mermaid state diagram."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for (state, step), cell in TABLE.items():
        if cell.state is not state:
            arrows.setdefault((state, cell.state), []).append(str(step))
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> INTENDED: the intent is durable"]
    for (before, after), steps in arrows.items():
        lines.append(f"    {before} --> {after}: {_label(steps)}")
    lines += [f"    {end} --> [*]" for end in State if end in TERMINAL]
    return "\n".join([*lines, "```"])


def _label(steps: list[str]) -> str:
    rows = [steps[at : at + LABELS_PER_LINE] for at in range(0, len(steps), LABELS_PER_LINE)]
    return "<br/>".join(", ".join(row) for row in rows)


def grid() -> str:
    """The whole table: the state after each step, or what else is done."""
    rows = [(state.value, state) for state in State if state not in TERMINAL]
    rows.append(("terminal", State.CANCELLED))  # they are all alike: a test of the table says so
    names = [str(step).split(" ") for step in Step]
    split = [(" ".join(name[: len(name) - len(name) // 2]), " ".join(name[-(len(name) // 2) :]))
             if len(name) > 1 else (name[0], "") for name in names]  # fmt: skip
    lines = [["", *(first for first, _ in split)], ["", *(rest for _, rest in split)]]
    for name, state in rows:
        lines.append([name, *(_word(state, TABLE[state, step]) for step in Step)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ["  ".join(f"{w:<{n}}" for w, n in zip(line, widths, strict=True)) for line in lines]
    return "\n".join(["```", *(line.rstrip() for line in shown), "```"])


def _word(state: State, cell: Cell) -> str:
    if cell.state is not state:
        return str(cell.state)
    return "stay" if cell.then is Then.NOTHING else WORDS.get(cell.then, str(cell.then))


def proofs() -> str:
    """What may prove each step, and whether that step can end an order."""
    lines = ["| step | proven by | ends an order |", "|---|---|---|"]
    for step in Step:
        ends = [s for s in State if s not in TERMINAL and TABLE[s, step].state in TERMINAL]
        kinds = "the exchange's word" if PROVEN_BY[step] == OUTSIDE else _kinds(PROVEN_BY[step])
        lines.append(f"| {step} | {kinds} | {', '.join(ends) or 'never'} |")
    return "\n".join(lines)


def _kinds(kinds: frozenset[Kind]) -> str:
    return ", ".join(f"`{kind}`" for kind in Kind if kind in kinds)


BLOCKS = {"drawing": drawing, "grid": grid, "proofs": proofs}


def redrawn(text: str) -> str:
    """The page with every marked block made anew."""
    return MARK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", text)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(redrawn(page.read_text(encoding="utf-8")), encoding="utf-8")
