"""The house rules that a machine can check, as functions from a file's text to findings."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

FILE_LINES_MAX: Final = 350
FUNCTION_LINES_MAX: Final = 60
LINE_CHARS_MAX: Final = 100
CONSTRUCTOR_ARGS_MAX: Final = 7

VAGUE_MODULE_NAMES: Final = frozenset({"utils", "helpers", "common", "base", "manager", "misc"})
DECIDERS: Final = ("mmbot/domain/", "mmbot/engine/")
TIMELESS: Final = (*DECIDERS, "mmbot/pricing/", "strategies/")
IMPURE_MODULES: Final = frozenset(
    {"asyncio", "time", "random", "uuid", "logging", "socket", "os", "secrets", "threading"}
)
CLOCK_CALLS: Final = frozenset({"now", "utcnow", "today"})
STRATEGY_MAY_IMPORT: Final = ("mmbot.strategy", "mmbot.pricing", "mmbot.domain")
TASK_GROUP_NAMES: Final = re.compile(r"^_?(group|tg|tasks|task_group|\w+_group)$")
BROAD_EXCEPTIONS: Final = frozenset({"Exception", "BaseException"})
SUPERVISOR: Final = "mmbot/runtime/supervisor.py"
PRAGMA: Final = re.compile(r"type:\s*ignore|#\s*noqa")
IGNORE_WITH_REASON: Final = re.compile(r"type:\s*ignore\[[\w\-, ]+\]\s*#\s*\w.{3,}")
NOQA_WITH_REASON: Final = re.compile(r"noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*\s*(#|-|:)\s*\w.{3,}")
# Written in halves, so that this file does not find itself.
MACHINE_PATHS: Final = re.compile(
    r"(?<![\w.\-/])/(wo" + r"rk|ro" + r"ot|tmp/br" + r"ief)(/|\b)(?!-)"
)
REGISTRY_HOSTS: Final = re.compile(
    "|".join((r"py" + r"pi\.org", r"pythonhos" + r"ted\.org", r"registry\.np" + r"mjs"))
)

Nodes = tuple[ast.AST, ...]


def text_findings(path: str, text: str) -> Iterator[str]:
    """Rules for any text file: nothing of one machine, no package index."""
    if not (MACHINE_PATHS.search(text) or REGISTRY_HOSTS.search(text)):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if MACHINE_PATHS.search(line):
            yield f"{path}:{number}: a path of one machine"
        if REGISTRY_HOSTS.search(line):
            yield f"{path}:{number}: the address of a package index"


def python_findings(path: str, text: str) -> Iterator[str]:
    """All rules for one Python file; `path` is relative to the repository, with slashes."""
    tree = ast.parse(text, filename=path)
    nodes = tuple(ast.walk(tree))  # once for all rules: walking is what takes the time
    yield from _sizes(path, text, nodes)
    yield from _names(path, nodes)
    yield from _future_import(path, tree)
    yield from _imports(path, nodes)
    yield from _calls(path, nodes)
    yield from _excepts(path, nodes)
    yield from _state(path, tree, nodes)
    yield from _pragmas(path, text)
    if path.startswith(DECIDERS):
        yield from _dataclasses(path, nodes)


def _sizes(path: str, text: str, nodes: Nodes) -> Iterator[str]:
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield f"{path}: {len(lines)} lines, at most {FILE_LINES_MAX}"
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_CHARS_MAX:
            yield f"{path}:{number}: {len(line)} characters, at most {LINE_CHARS_MAX}"
    for node in nodes:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES_MAX:
            yield f"{path}:{node.lineno}: {node.name} has {length} lines, at most 60"
        args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if node.name == "__init__" and len(args) - 1 > CONSTRUCTOR_ARGS_MAX:
            yield f"{path}:{node.lineno}: constructor with {len(args) - 1} arguments, at most 7"


def _names(path: str, nodes: Nodes) -> Iterator[str]:
    if PurePosixPath(path).stem in VAGUE_MODULE_NAMES:
        yield f"{path}: a module is named by the trade, not '{PurePosixPath(path).stem}'"
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            if node.name.endswith("Mixin"):
                yield f"{path}:{node.lineno}: mixin {node.name}"
            if any(keyword.arg == "metaclass" for keyword in node.keywords):
                yield f"{path}:{node.lineno}: metaclass on {node.name}"


def _future_import(path: str, tree: ast.Module) -> Iterator[str]:
    code = [node for node in tree.body if not _is_docstring(node)]
    if not code or path.endswith("__init__.py"):
        return
    first = code[0]
    if not (isinstance(first, ast.ImportFrom) and first.module == "__future__"):
        yield f"{path}: does not start with 'from __future__ import annotations'"


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _imported(nodes: Nodes) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            if node.module == "mmbot":
                yield from ((node.lineno, f"mmbot.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module


def _imports(path: str, nodes: Nodes) -> Iterator[str]:
    for line, module in _imported(nodes):
        top = module.partition(".")[0]
        if path.startswith(TIMELESS) and top in IMPURE_MODULES:
            yield f"{path}:{line}: imports {module}; time, ids and chance arrive as arguments"
        if path.startswith("strategies/") and top == "mmbot":
            allowed = any(f"{module}.".startswith(f"{row}.") for row in STRATEGY_MAY_IMPORT)
            if not allowed:
                yield f"{path}:{line}: a strategy may not import {module}"
        if path.startswith("mmbot/sim/") and top == "mmbot" and not module.startswith("mmbot.sim"):
            yield f"{path}:{line}: the box may not import {module}"
        if path.startswith("tests/") and module.startswith(("unittest.mock", "pytest_mock")):
            yield f"{path}:{line}: tests use real parts, not mocks"


def _calls(path: str, nodes: Nodes) -> Iterator[str]:
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        receiver, name = _called(node.func)
        where = f"{path}:{node.lineno}:"
        if path.startswith(TIMELESS) and name in CLOCK_CALLS and receiver in {"datetime", "date"}:
            yield f"{where} asks the clock"
        if path.startswith("mmbot/") and not path.startswith("mmbot/runtime/"):
            if name == "create_task" and not TASK_GROUP_NAMES.match(receiver):
                yield f"{where} a task is born only in a TaskGroup"
            if name in {"gather", "ensure_future"} and receiver in {"asyncio", ""}:
                yield f"{where} {name}: use a TaskGroup"
        if path.startswith("tests/") and (receiver, name) == ("time", "sleep"):
            yield f"{where} tests never sleep"


def _called(func: ast.expr) -> tuple[str, str]:
    """(last name before the dot, called name); empty strings where there is none."""
    if isinstance(func, ast.Name):
        return "", func.id
    if isinstance(func, ast.Attribute):
        owner = func.value
        if isinstance(owner, ast.Attribute):
            return owner.attr, func.attr
        return (owner.id if isinstance(owner, ast.Name) else ""), func.attr
    return "", ""


def _excepts(path: str, nodes: Nodes) -> Iterator[str]:
    if path == SUPERVISOR:
        return
    for node in nodes:
        if not isinstance(node, ast.ExceptHandler):
            continue
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
        last = node.body[-1]
        cleans_up = isinstance(last, ast.Raise) and last.exc is None
        if (node.type is None or names & BROAD_EXCEPTIONS) and not cleans_up:
            yield f"{path}:{node.lineno}: a broad except belongs to the supervisor"


def _state(path: str, tree: ast.Module, nodes: Nodes) -> Iterator[str]:
    """No module-level mutable state: a collection at module level is Final and upper case."""
    for node in nodes:
        if isinstance(node, ast.Global):
            yield f"{path}:{node.lineno}: global"
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and _is_mutable(statement.value):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            # in a test an upper-case table is a constant, typed by its use
            constant = path.startswith("tests/") and all(name.isupper() for name in names)
            if names != ["__all__"] and not constant:
                yield f"{path}:{statement.lineno}: module-level state; make it Final or a tuple"
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            final = "Final" in ast.unparse(statement.annotation) or path.startswith("tests/")
            if _is_mutable(statement.value) and not final:
                yield f"{path}:{statement.lineno}: module-level state; make it Final"


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)):
        return True
    return isinstance(value, ast.Call) and _called(value.func)[1] in {
        "dict", "list", "set", "deque", "defaultdict", "Counter", "OrderedDict", "count",
    }  # fmt: skip


def _pragmas(path: str, text: str) -> Iterator[str]:
    if not PRAGMA.search(text):
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        where = f"{path}:{token.start[0]}:"
        if re.search(r"type:\s*ignore", token.string) and not IGNORE_WITH_REASON.search(
            token.string
        ):
            yield f"{where} a type ignore names its code and its reason"
        if re.search(r"#\s*noqa", token.string) and not NOQA_WITH_REASON.search(token.string):
            yield f"{where} a noqa names its code and its reason"


def _dataclasses(path: str, nodes: Nodes) -> Iterator[str]:
    for node in nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            if _called(call.func if call else decorator)[1] != "dataclass":
                continue
            given = {keyword.arg for keyword in call.keywords} if call else set()
            wanted = {"frozen", "slots"} if path.startswith("mmbot/domain/") else {"slots"}
            if not wanted <= given:
                yield f"{path}:{node.lineno}: dataclass {node.name} is not {'+'.join(wanted)}"
