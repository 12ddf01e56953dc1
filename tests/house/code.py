"""All Python of the repository, as the budgets measure it; migrations are exempt."""

import ast
from functools import cache
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TREES = ("shared/src", "services", "deploy/src", "tests")


@cache
def files() -> tuple[Path, ...]:
    """Return every module that people write, migrations apart."""
    found = chain.from_iterable((ROOT / tree).rglob("*.py") for tree in _TREES)
    return tuple(sorted(path for path in found if not exempt(path)))


def exempt(path: Path) -> bool:
    """Tell whether the budgets leave a file alone."""
    return bool({"migrations", ".venv", "__pycache__"} & set(path.parts))


@cache
def tree(path: Path) -> ast.Module:
    """Return a module taken apart."""
    return ast.parse(path.read_text(), filename=str(path))


def name(path: Path) -> str:
    """Return a path as a person would type it."""
    return path.relative_to(ROOT).as_posix()


@cache
def functions() -> dict[str, int]:
    """Return how many lines each function has, from `def` to its last line."""
    return {
        f"{name(path)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno)
        - node.lineno
        + 1
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
