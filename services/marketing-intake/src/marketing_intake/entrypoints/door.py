"""The one way in: a submission is written down, with everything that arrived beside it.

Nobody is answered before the commit. What a sender's format is, and what it is answered, is its
route's business; who the person is, is resolved later.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from marketing_intake.adapters.capture_statement import Captured, OtherContent, Receipt
from marketing_intake.domain.source import Source
from marketing_intake.domain.submission import State
from shared.clock import utc_now
from shared.ids import new_id
from shared.messaging.capture import Flusher, InDoubt, Overloaded
from shared.telemetry import metrics, tracing
from shared.web import failures, idempotency

_ROW_BYTES = 500
_TRANSPORT = frozenset({"source_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What somebody posted to a source, checked in its shape.

    `key` is the sender's name for it, `own_key` an `Idempotency-Key` of our own API; `hashed`
    makes one who posts the same content twice in a moment known, where there is no key.
    """

    source: Source
    fields: Mapping[str, Any]
    body: bytes
    key: str | None = None
    own_key: bool = False
    hashed: bool = False
    state: State = "received"
    reason: str | None = None


class Door:
    """Stores what was posted, together with whatever else waits to be stored."""

    def __init__(self, flusher: Flusher[Captured, Receipt]) -> None:
        """Store by way of `flusher`."""
        self._flusher = flusher

    async def take(self, posted: Posted, request: Request) -> Receipt:
        """Return the receipt, once it is committed.

        Raises:
            Problem: 422, the key was used for something else; 503, ask again with the same key.
        """
        row = _row(posted, request)
        size = len(row.body) + len(row.sender) + _ROW_BYTES
        try:
            receipt = await self._flusher.submit(row, size=size)
        except OtherContent:
            raise idempotency.other_content() from None
        except Overloaded:
            raise failures.unavailable("Too much arrives at once: nothing was stored.") from None
        except InDoubt:
            detail = "It may or may not be stored: ask again with the same key."
            raise failures.unavailable(detail) from None
        if receipt.outcome is not None and not receipt.repeated:  # the others are resolved later
            metrics.child(metrics.SUBMISSIONS, receipt.outcome).inc()
        return receipt


def json_of(fields: Mapping[str, Any]) -> bytes:
    """Return fields as the bytes that are kept."""
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def _row(posted: Posted, request: Request) -> Captured:
    return Captured(
        id=new_id(),
        source_id=posted.source.id,
        body=posted.body,
        received_at=utc_now(),
        key=posted.key,
        hash=_hash(posted.fields) if posted.key is not None or posted.hashed else None,
        own_key=posted.own_key,
        sender=_sender(request),
        traceparent=tracing.current(),
        state=posted.state,
        reason=posted.reason,
    )


def _hash(fields: Mapping[str, Any]) -> bytes:
    """Return what tells content apart: of the parsed fields, without what only carries them."""
    said = {name: value for name, value in fields.items() if name not in _TRANSPORT}
    return hashlib.sha256(json_of(said)).digest()


_FACTS = {b"user-agent": "user_agent", b"referer": "referer", b"content-type": "content_type"}
_MAX_FACT = 500


def _sender(request: Request) -> str:
    """Return what is known of a sender, as JSON; read from the raw headers, once."""
    facts: dict[str, str] = {"ip": request.client.host} if request.client else {}
    for name, value in request.scope["headers"]:
        fact = _FACTS.get(name)
        if fact:
            facts[fact] = _printable(value[:_MAX_FACT].decode("latin-1"))
    return orjson.dumps(facts).decode()


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each for each in text if each.isprintable())
