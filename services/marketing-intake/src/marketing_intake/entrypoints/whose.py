"""Which source a caller writes to: the key's own, or the one that is named."""

from uuid import UUID

from fastapi import Request
from typing_extensions import override

from marketing_intake.domain.source import Source, SourceKind
from marketing_intake.entrypoints.context import Context
from shared.web import faults
from shared.web.keys import Caller, Keyring, Require
from shared.web.problems import FieldError, Problem


async def source_for(context: Context, caller: Caller, source_id: UUID | None) -> Source:
    """Return the source that this caller's submission belongs to.

    Raises:
        Problem: 403, the key is tied to another source; 422, none is named, or there is none such.
    """
    if caller.source_id and source_id not in (None, caller.source_id):
        detail = "This key may write to one source only, which is not the one in source_id."
        raise Problem(403, "other-source", "The key is tied to another source", detail)
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


class AnyScope(Require):
    """The dependency for what several scopes allow: one of them is enough."""

    def __init__(self, keyring: Keyring, *any_of: str) -> None:
        """Let pass who has any of the scopes `any_of`."""
        super().__init__(keyring, ())
        self._any_of = any_of

    @override
    async def __call__(self, request: Request) -> Caller:
        """Return who asks.

        Raises:
            Problem: 401 without a live key, 403 without any of the scopes.
        """
        caller = await super().__call__(request)
        if caller.scopes.isdisjoint(self._any_of):
            words = " or ".join(self._any_of)
            raise Problem(403, "missing-scope", "The key lacks a scope", f"This needs {words}.")
        return caller


def _wrong(code: str, detail: str) -> Problem:
    return faults.refused(FieldError("body", "#/source_id", code, detail))
