"""The budgets of the house: how long, how named, how opened. The linters hold the rest."""

import ast
from statistics import quantiles

from tests.house import code

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 50
MOST_LINES_OF_NEARLY_ALL_FUNCTIONS = 35
DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "core"}


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    lines = {code.name(path): len(path.read_text().splitlines()) for path in code.files()}

    assert {name: count for name, count in lines.items() if count > MOST_LINES_OF_A_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lines = code.functions()

    assert {name: count for name, count in lines.items() if count > MOST_LINES_OF_A_FUNCTION} == {}


def test_nearly_all_functions_are_short() -> None:
    of_hundred = quantiles(code.functions().values(), n=100)

    assert of_hundred[94] <= MOST_LINES_OF_NEARLY_ALL_FUNCTIONS


def test_every_module_says_what_it_is_for() -> None:
    silent = [code.name(path) for path in code.files() if not ast.get_docstring(code.tree(path))]

    assert silent == []


def test_a_package_says_what_lives_in_it_and_exports_nothing() -> None:
    packages = [path for path in code.files() if path.name == "__init__.py"]

    assert [code.name(path) for path in packages if len(code.tree(path).body) > 1] == []


def test_no_module_is_a_drawer_for_what_found_no_name() -> None:
    named = {code.name(path): {path.stem, path.parent.name} for path in code.files()}

    assert [name for name, words in named.items() if words & DRAWERS] == []


def test_no_first_party_import_hides_in_a_function() -> None:
    hidden = [
        f"{code.name(path)}:{inner.lineno}"
        for path in code.files()
        for node in ast.walk(code.tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]

    assert hidden == []
