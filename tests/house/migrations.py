"""Migrations as the SQL that they send, and what a linter of such SQL says against it.

Squawk (`.squawk.toml`) knows which statements keep traffic out, or the code of the release before
from working. Of what it leaves alone, statements that change all rows at once are looked for here.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from tests.house import code

from shared.database import migrate

ALL = sorted(code.ROOT.glob("services/*/src/*/migrations/versions/*.py"))
DDL = sorted(code.ROOT.glob("shared/src/shared/database/ddl/*.sql"))
_SQUAWK = Path(sys.executable).with_name("squawk")
_DIALECT = asyncpg_dialect()
_ALL_ROWS = re.compile(r"^(UPDATE|DELETE|TRUNCATE|LOCK|CLUSTER|VACUUM)\b", re.IGNORECASE)
_BITE = re.compile(r"\bLIMIT\b", re.IGNORECASE)
_IGNORED = re.compile(r"^\s*--\s*squawk-ignore\b")
_SAID = re.compile(r"^\s*--\s*(?!squawk-)\w.{20,}")


@dataclass(frozen=True)
class _Writer:
    """Stands where a migration expects its connection, and writes down what it is told."""

    said: StringIO

    def execute(self, statement: Executable, *_values: object) -> SimpleNamespace:
        """Write a statement; there are no rows."""
        self.many(self, str(statement.compile(dialect=_DIALECT)))
        return SimpleNamespace(rowcount=0)

    def many(self, _connection: object, sql: str) -> None:
        """Write several."""
        self.said.write(f"{sql.strip().removesuffix(';')};\n")


def rendered(path: Path) -> str:
    """Return what a migration sends, with the borders of its transactions."""
    spec = spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    said = StringIO()
    context = MigrationContext.configure(
        dialect=_DIALECT, opts={"as_sql": True, "output_buffer": said}
    )
    writer = _Writer(said)
    context.impl.connection = writer  # pyright: ignore[reportAttributeAccessIssue]  all that is asked of one here
    with (
        mock.patch.object(migrate, "execute_many", writer.many),
        Operations.context(context),
        context.begin_transaction(),
    ):
        module.upgrade()
    return said.getvalue()


def complaints(sql: str) -> list[str]:
    """Return what is wrong with the SQL of a migration, each with the statement's first line."""
    return [*_by_squawk(sql), *_of_all_rows(sql), *_without_a_reason(sql)]


def _by_squawk(sql: str) -> Iterator[str]:
    told = subprocess.run(  # noqa: S603  the linter of our own environment
        [str(_SQUAWK), "--reporter=json", "--stdin-filepath=migration.sql"],
        cwd=code.ROOT,
        input=sql,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.startswith("["), told.stderr
    lines = sql.splitlines()
    for found in json.loads(told.stdout):
        yield f"{found['rule_name']}: {found['message']} ({lines[found['line']].strip()})"


def _of_all_rows(sql: str) -> Iterator[str]:
    for line in _statements(sql):
        if _ALL_ROWS.match(line) and not _BITE.search(line):
            yield f"all-rows-at-once: change some at a time, by `online.fill` ({line[:80]})"


def _without_a_reason(sql: str) -> Iterator[str]:
    """Yield exceptions that no comment right above them argues for."""
    lines = sql.splitlines()
    for number, line in enumerate(lines):
        if _IGNORED.match(line) and not (number and _SAID.match(lines[number - 1])):
            yield f"exception-without-reason: say why in the line above ({line.strip()})"


def _statements(sql: str) -> Iterator[str]:
    """Yield statements in one line each, comments and bodies of functions left out."""
    bare = re.sub(r"BEGIN ATOMIC.*?END;|\$\$.*?\$\$", "", sql, flags=re.DOTALL)
    for statement in re.sub(r"--[^\n]*", "", bare).split(";"):
        yield " ".join(statement.split())
