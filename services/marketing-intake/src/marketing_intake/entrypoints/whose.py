"""Which source a caller writes to: the key's own, or the one that is named or posted to."""

from uuid import UUID

from marketing_intake.domain.source import Source, SourceKind
from marketing_intake.entrypoints.context import Context
from shared.web import faults
from shared.web.keys import Caller
from shared.web.problems import FieldError, Problem


async def source_for(context: Context, caller: Caller, source_id: UUID | None) -> Source:
    """Return the source that this caller's submission belongs to.

    Raises:
        Problem: 422, none is named, there is none such, or the key is tied to another one.
    """
    if caller.source_id and source_id not in (None, caller.source_id):
        raise _wrong("other_source", "source_id must be left out: this key is tied to a source")
    wanted = caller.source_id or source_id
    if wanted is None:
        raise _wrong("missing", "source_id is missing: add it, or use a key tied to a source")
    source = await context.sources.get(wanted)
    if source is None:
        raise _wrong("unknown", "source_id must be the id of a source: GET /v1/sources lists them")
    return source


async def source_at(context: Context, token: str, kind: SourceKind) -> Source:
    """Return the source whose address has this token.

    Raises:
        Problem: 404, there is none.
    """
    source = await context.sources.by_token(token)
    if source is None or source.kind != kind:
        detail = "There is no source at this address: compare it with the source's path."
        raise Problem(404, "unknown-address", "There is nothing at this address", detail)
    return source


def _wrong(code: str, detail: str) -> Problem:
    return faults.refused(FieldError("body", "#/source_id", code, detail))
