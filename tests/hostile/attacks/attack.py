"""One hostile request: what is sent, and which answers would do."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from tests.hostile.attacks.samples import Samples
from tests.hostile.documents import PART, Operation

ANY = range(200, 500)
"""Whatever it is taken for: it must not be our mistake."""
REFUSED = range(400, 500)

JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
BOUNDARY = "frontier"

KEEPS_ALL = frozenset({"take_form", "take_ad_lead"})
"""Routes for foreign forms: whatever fields they have is kept, and read when it resolves."""
READS_ANY_TYPE = frozenset({"take_ad_lead"})
"""Routes for machines that do not always say that they send JSON."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What of a service is real, so that what is sent comes past the doors before the last.

    Attributes:
        ids: by the address of a record, such as `/v1/reps/{rep_id}`, or by one route alone, such as
            `DELETE /v1/leads/{lead_id}`; others get an id of nobody.
    """

    samples: Samples
    ids: Mapping[str, str] = field(default_factory=dict[str, str])

    def address(self, operation: Operation, **instead: str) -> str:
        """Return where an operation is; what is given instead is encoded already."""
        real = {
            part[1]: quote(self.ids[place])
            for part in PART.finditer(operation.path)
            for place in (operation.path[: part.end()], operation.line)
            if place in self.ids
        }
        return operation.address(**{**real, **instead})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A request, and what may be answered.

    Attributes:
        headers: beside the key; one that is None here is not sent.
        named: the field that a 422 must name.
    """

    what: str
    operation: Operation
    address: str
    headers: Mapping[str, bytes | None] = field(default_factory=dict[str, bytes | None])
    body: bytes | None = None
    statuses: Collection[int] = ANY
    named: str = ""


def plain(operation: Operation, aim: Aim) -> Attack:
    """Return the request as it should be; attacks are made from it."""
    attack = Attack(what="nothing", operation=operation, address=aim.address(operation))
    for media_type, schema in operation.bodies.items():
        body = ENCODERS[media_type](aim.samples.of(schema))
        return with_body(attack, body, content_type(media_type))
    return attack


def with_body(attack: Attack, body: bytes, of_type: str, **changes: Any) -> Attack:
    """Return the request with another body."""
    kept = {name: getattr(attack, name) for name in ("what", "operation", "address", "statuses")}
    headers = {**attack.headers, "Content-Type": of_type.encode("latin-1")}
    return Attack(**{**kept, "headers": headers, "body": body, **changes})


def content_type(media_type: str) -> str:
    """Return what is said of a body of that type."""
    return f"{media_type}; boundary={BOUNDARY}" if media_type == MULTIPART else media_type


def part(name: str, value: bytes, more: str = "") -> bytes:
    """Return one part of a multipart body."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode("utf-8", "surrogateescape") + value + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    """Return a multipart body."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _multipart_of(fields: Mapping[str, Any]) -> bytes:
    return multipart(*(part(name, str(value).encode()) for name, value in fields.items()))


ENCODERS: Mapping[str, Callable[[Any], bytes]] = {
    JSON: lambda value: json.dumps(value).encode(),
    URLENCODED: lambda fields: urlencode(fields).encode(),
    MULTIPART: _multipart_of,
}
"""Every type of body that some route reads; one that is new needs attacks of its own."""
