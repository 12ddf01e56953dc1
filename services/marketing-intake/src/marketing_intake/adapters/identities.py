"""Who is known by what: the rows by which a batch of submissions finds its leads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.domain.erasure import Trace, fingerprint, traces_of_submission
from marketing_intake.domain.identity import MAX_SUGGESTED, Identities
from marketing_intake.domain.submission import Sighting
from marketing_intake.usecases.desk import Desk
from marketing_intake.usecases.resolve_submission import ResolveSubmission
from shared.database.direct import Statement
from shared.ids import LeadId

# Each LATERAL with its LIMIT is one look-up by key: a plain join was planned, without statistics,
# as a walk over the whole table.
_READ = Statement("""
    SELECT 'email' AS kind, k.value, k.lead_id, NULL::bytea AS hash, NULL::timestamptz AS at
    FROM unnest(CAST(:emails AS text[])) AS r (value)
    CROSS JOIN LATERAL (
        SELECT * FROM identity_key k WHERE k.kind = 'email' AND k.value = r.value LIMIT 1
    ) k
    UNION ALL
    SELECT 'phone', r.value, p.lead_id, NULL, NULL
    FROM unnest(CAST(:phones AS text[])) AS r (value)
    CROSS JOIN LATERAL (
        SELECT p.lead_id FROM lead_phone p WHERE p.phone = r.value ORDER BY p.lead_id LIMIT :most
    ) p
    UNION ALL
    SELECT 'erased', NULL, NULL, e.hash, e.erased_at
    FROM unnest(CAST(:hashes AS bytea[])) AS r (hash)
    CROSS JOIN LATERAL (SELECT * FROM erased_identity e WHERE e.hash = r.hash LIMIT 1) e
""")
_SIGHTINGS = Statement("""
    SELECT s.source_id, s.content_hash, s.lead_id, s.received_at
    FROM unnest(CAST(:sources AS uuid[]), CAST(:hashes AS bytea[])) AS r (source_id, content_hash)
    CROSS JOIN LATERAL (
        SELECT * FROM submission s
        WHERE s.source_id = r.source_id AND s.content_hash = r.content_hash
          AND s.state IN ('created', 'updated') ORDER BY s.id DESC LIMIT 20
    ) s
""")


class Known(NamedTuple):
    """A row of what is known: an e-mail, a phone, or that somebody was erased."""

    kind: str
    value: str | None
    lead_id: UUID | None
    hash: bytes | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class IdentityRows:
    """What the database says of a batch's e-mails, phones and erased people.

    Read before the leads are locked, to know whom to lock, and again after: if they differ, the
    batch starts over.
    """

    rows: frozenset[Known]
    traces: tuple[tuple[bytes, Trace], ...]

    def lead_ids(self) -> set[UUID]:
        """Return every lead that is named."""
        return {row.lead_id for row in self.rows if row.lead_id is not None}

    def erased(self) -> dict[Trace, datetime]:
        """Return when which trace of an erased person was left."""
        at = {row.hash: row.at for row in self.rows if row.kind == "erased"}
        known = ((trace, at.get(hashed)) for hashed, trace in self.traces)
        return {trace: moment for trace, moment in known if moment is not None}

    def book(self, with_email: Iterable[LeadId]) -> Identities:
        """Return the rows as the rule of identity wants them."""
        book = Identities(with_email=set(with_email))
        for row in sorted(self.rows, key=lambda row: str(row.lead_id)):
            if row.kind == "email" and row.value and row.lead_id:
                book.by_email[row.value] = LeadId(row.lead_id)
            if row.kind == "phone" and row.value and row.lead_id:
                book.by_phone.setdefault(row.value, []).append(LeadId(row.lead_id))
        return book


async def read(
    connection: AsyncConnection, commands: Sequence[ResolveSubmission], *, secret: bytes
) -> IdentityRows:
    """Return what is known of everybody whom these submissions could be about."""
    said = [command.said for command in commands]
    traces = {
        trace for one in said for trace in traces_of_submission(email=one.email, phone=one.phone)
    }
    hashed = tuple((fingerprint(trace, secret=secret), trace) for trace in sorted(traces))
    rows = await _READ.rows(
        connection,
        emails=sorted({one.email for one in said if one.email}),
        phones=sorted({one.phone for one in said if one.phone}),
        hashes=[each for each, _ in hashed],
        most=MAX_SUGGESTED + 1,
    )
    return IdentityRows(frozenset(Known(*row) for row in rows), hashed)


async def read_sightings(
    connection: AsyncConnection, commands: Sequence[ResolveSubmission], desk: Desk
) -> None:
    """Put on the desk where the contents of forms were seen before."""
    keys = {(one.source.id, one.content_hash) for one in commands if one.content_hash}
    if not keys:
        return
    rows = await _SIGHTINGS.rows(
        connection, sources=[each for each, _ in keys], hashes=[content for _, content in keys]
    )
    for row in rows:
        seen = desk.sightings.setdefault((row.source_id, row.content_hash), [])
        seen.append(Sighting(LeadId(row.lead_id), row.received_at))
