"""Every example of the contract against the box: one line per difference."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mmbot.sim.conformance import rest_scenes, stream_scenes
from mmbot.sim.conformance.facts import FIELDS, fact_problems
from mmbot.sim.conformance.fields import misfits
from mmbot.sim.conformance.request_checks import FORM_EXAMPLE, FRAMES, REQUESTS, request_problems
from mmbot.sim.conformance.shape import Shape, differences, shape_of
from mmbot.sim.conformance.stage import decoded
from mmbot.sim.conformance.vocabulary import problems

EXAMPLES: Final = Path(__file__).parents[2] / "data" / "contract"
INDEX: Final = "index.json"
# Values of the affiliate surface: the box may say more than the sample, never less.
SAMPLES: Final = frozenset({"doc_value_quantity_sample.v4_flat.json"})


Answer = tuple[str, Shape]


class ExamplesError(Exception):
    """The folder of examples cannot be read; the text says what and where."""


@dataclass(slots=True)
class Report:
    """What was compared and what differs."""

    examples: int = 0
    answers: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, name: str, texts: Iterator[str] | list[str]) -> None:
        self.lines += [f"{name}: {text}" for text in dict.fromkeys(texts)]

    def json(self) -> dict[str, Any]:
        return {
            "ok": not self.lines,
            "examples": self.examples,
            "answers": self.answers,
            "differences": self.lines,
        }


def self_test(folder: Path = EXAMPLES) -> Report:
    """Play every scene once and compare its answers with the examples in a folder."""
    return compared(read_examples(folder), played())


def played() -> list[Answer]:
    """The shape of what the box says, with the name of the example that should describe it."""
    scenes = (*rest_scenes.SCENES, *stream_scenes.SCENES)
    return [(name, shape_of(answer)) for scene in scenes for name, answer in scene()]


def compared(examples: dict[str, Any], answers: list[Answer]) -> Report:
    report = Report(len(examples), len(answers))
    report.add(INDEX, _unlisted(examples))
    shown = {name for name, _ in answers}
    for name, answer in answers:
        if name in examples:
            report.add(name, _differing(name, examples[name], answer))
    for name, content in examples.items():
        report.add(name, problems(content))
        if name in REQUESTS or name in FRAMES or name == FORM_EXAMPLE:
            report.add(name, request_problems(name, content))
        elif name in FIELDS:
            report.add(name, fact_problems(name, content))
        elif name not in shown:
            report.add(name, ["the box never says this"])
        if name.endswith(".wire.json"):
            report.add(name, _undecoded(name, content, examples))
    report.add("(folder)", [f"{name} is missing" for name in sorted(shown - examples.keys())])
    return report


def read_examples(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        for path in sorted(folder.glob("*.json")):
            found[path.name] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExamplesError(f"{path.name}: {error}") from error
    if INDEX not in found:
        raise ExamplesError(f"{folder}: no {INDEX} in it")
    return found


def _differing(name: str, example: Any, answer: Shape) -> list[str]:
    found = differences(shape_of(example), answer)
    if name in SAMPLES:
        return [text for text in found if not text.endswith("not in the example")]
    return found


def _unlisted(examples: dict[str, Any]) -> list[str]:
    if list(misfits(examples[INDEX], FIELDS[INDEX], "")):
        return []  # said by the check of its own fields
    listed = {one["file"] for one in examples[INDEX]["files"]}
    missing = [f"{name} is listed and not there" for name in sorted(listed - examples.keys())]
    strange = sorted(examples.keys() - listed - {INDEX})
    return missing + [f"{name} is there and not listed" for name in strange]


def _undecoded(name: str, content: Any, examples: dict[str, Any]) -> list[str]:
    """A frame and its decoded twin say the same."""
    twin = examples.get(name.replace(".wire.", ".decoded."))
    try:
        found = decoded(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"cannot be decoded: {error!r}"]
    if twin is not None and found != twin:
        return [f"does not decode to {name.replace('.wire.', '.decoded.')}"]
    return list(problems(found))


def main(folder: Path | None, *, as_json: bool) -> int:
    """0 when box and examples agree, 1 when they differ, 2 when there is nothing to compare."""
    try:
        report = self_test(folder or EXAMPLES)
    except ExamplesError as error:
        print(f"mmbot exchange: examples: {error}", file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps(report.json(), indent=1))
        return 1 if report.lines else 0
    for line in report.lines:
        print(line)
    verdict = f"{len(report.lines)} differences" if report.lines else "all agree"
    print(f"{report.examples} examples, {report.answers} answers of the box: {verdict}")
    return 1 if report.lines else 0
