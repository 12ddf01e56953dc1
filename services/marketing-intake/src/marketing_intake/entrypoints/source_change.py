"""Makes and changes sources: how what people wrote becomes a row, with its secrets hashed."""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.adapters.sources import hash_of
from marketing_intake.adapters.tables import source
from marketing_intake.entrypoints.models import SourceIn, SourcePatch
from marketing_intake.queries import sources as shown
from marketing_intake.queries.sources import SourceRecord
from shared.ids import new_id
from shared.web import faults
from shared.web.preconditions import check
from shared.web.problems import FieldError, Problem


async def make(connection: AsyncConnection, wanted: SourceIn) -> SourceRecord:
    """Write a new source; return it with its token, and with its key if that was made here.

    Raises:
        Problem: 422, a field is not for this kind.
    """
    token = None if wanted.kind == "api" else secrets.token_urlsafe(24)
    key = _google_key(wanted)
    columns = _columns(wanted.model_dump(exclude={"google_key"})) | {
        "id": new_id(),
        "kind": wanted.kind,
        "token": token,
        "token_hash": hash_of(token) if token else None,
        "google_key_hash": hash_of(key) if key else None,
    }
    row = (await connection.execute(source.insert().values(columns).returning(source))).one()
    made = shown.record_of(row, with_token=True)
    return made.model_copy(update={"google_key": None if wanted.google_key else key})


def _google_key(wanted: SourceIn) -> str | None:
    """Return the key that Google will send: the one given, or a fresh one, shown once."""
    if wanted.kind != "google_ads":
        if wanted.google_key is not None:
            raise _wrong("google_key", "google_key is only for the kind google_ads: leave it out")
        return None
    given = wanted.google_key.get_secret_value() if wanted.google_key else ""
    return given or secrets.token_urlsafe(24)


async def change(
    connection: AsyncConnection, source_id: UUID, wanted: SourcePatch, if_match: str | None
) -> SourceRecord | None:
    """Change what is given of a source; None: there is none of this id.

    Raises:
        Problem: 412 or 428, it is not the version that was seen; 422, not for this kind.
    """
    statement = source.select().where(source.c.id == source_id).with_for_update()
    before = (await connection.execute(statement)).one_or_none()
    if before is None:
        return None
    check(if_match, before.version)
    given = wanted.model_dump(exclude_unset=True, exclude={"google_key"})
    columns = _columns({n: v for n, v in given.items() if v is not None or n == "phone_region"})
    if wanted.google_key is not None:
        if before.kind != "google_ads":
            raise _wrong("google_key", "google_key is only for the kind google_ads: leave it out")
        columns["google_key_hash"] = hash_of(wanted.google_key.get_secret_value())
    changed = update(source).where(source.c.id == source_id).returning(source)
    changed = changed.values(
        **columns, version=source.c.version + 1, updated_at=func.clock_timestamp()
    )
    row = (await connection.execute(changed)).one()
    return shown.record_of(row, with_token=True)


def _columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table's columns for a model's fields; a mapping is kept as pairs, in order."""
    columns = dict(fields)
    if "mapping" in columns:
        columns["mapping"] = [list(pair) for pair in columns["mapping"].items()]
    for field, column in (
        ("success_urls", "success_url"),
        ("default_consents", "default_consent"),
    ):
        if field in columns:
            columns[column] = columns.pop(field)
    return columns


def _wrong(field: str, detail: str) -> Problem:
    return faults.refused(FieldError("body", f"#/{field}", "not_for_this_kind", detail))
