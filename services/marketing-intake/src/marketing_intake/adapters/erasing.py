"""Blanks an erased person in this service's own tables.

The messaging tables (tombstone, archive, parked events) are blanked by `shared.messaging.erasure`.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.domain.erasure import fingerprint
from marketing_intake.usecases.desk import Desk

_REMEMBER = text("""
    INSERT INTO erased_identity AS e (hash, erased_at)
    SELECT hash, at FROM unnest(CAST(:hashes AS bytea[]), CAST(:times AS timestamptz[]))
        AS r (hash, at) ORDER BY hash
    ON CONFLICT (hash) DO UPDATE SET erased_at = greatest(e.erased_at, excluded.erased_at)
""")
_BLANK = tuple(
    text(statement)
    for statement in (
        "DELETE FROM identity_key WHERE lead_id = ANY(:ids)",
        "DELETE FROM lead_phone WHERE lead_id = ANY(:ids)",
        "DELETE FROM suggested_duplicate WHERE lead_id = ANY(:ids) OR like_id = ANY(:ids)",
        "UPDATE consent SET text = NULL WHERE lead_id = ANY(:ids)",
        """UPDATE touchpoint SET detail = '{}', updated_at = clock_timestamp()
           WHERE lead_id = ANY(:ids)""",
        """UPDATE submission SET body = '', sender = '{}', content_hash = NULL,
           updated_at = clock_timestamp() WHERE lead_id = ANY(:ids)""",
        "UPDATE submission_key SET hash = '' WHERE lead_id = ANY(:ids)",
    )
)

# What never became a lead (spam, tests, a parked mapping) is theirs too, if it shows their address.
_BLANK_UNRESOLVED = text("""
    UPDATE submission SET body = '', sender = '{}', content_hash = NULL,
        state = CASE state WHEN 'parked' THEN 'rejected' ELSE state END,
        reason = CASE state WHEN 'parked' THEN 'erased' ELSE reason END,
        updated_at = clock_timestamp()
    WHERE state IN ('parked', 'quarantined') AND lead_id IS NULL AND EXISTS (
        SELECT FROM unnest(CAST(:emails AS text[])) AS r (email)
        WHERE position(r.email IN lower(encode(body, 'escape'))) > 0
    )
""")


async def blank(connection: AsyncConnection, desk: Desk, *, secret: bytes) -> None:
    """Keep the keyed hashes of who was erased on this desk, and nothing else of them."""
    hashes = {
        fingerprint(trace, secret=secret): desk.leads[lead_id].erased_at
        for lead_id, traces in desk.erasures.items()
        for trace in traces
    }
    values = {"hashes": list(hashes), "times": list(hashes.values())}
    await connection.execute(_REMEMBER, values)
    emails = [t.value for traces in desk.erasures.values() for t in traces if t.kind == "email"]
    await connection.execute(_BLANK_UNRESOLVED, {"emails": emails})
    ids: list[UUID] = sorted(desk.erasures)
    for statement in _BLANK:
        await connection.execute(statement, {"ids": ids})
