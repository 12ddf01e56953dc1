"""Problem documents (RFC 9457): the one form of every error that an API answers.

Knows the form alone. What is wrong with a field is put in words by `faults`, which exception
becomes which problem is decided by `failures` and by a service's own table.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "2"}
"""For 503: the same again, with the same `Idempotency-Key`, in two seconds."""

_TYPE = "urn:handoff:problem:"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: a row in a service's table of domain errors.

    `slug` is the broken rule's name in lower case with hyphens; it never changes.
    """

    status: int
    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong: where it is, what kind of mistake, and how to mend it.

    `place` is body, query, path, header or cookie; `name` is a JSON pointer (`#/lead/email`) in a
    body and the plain name elsewhere.
    """

    place: str
    name: str
    code: str
    detail: str

    def document(self) -> dict[str, str]:
        """Return the error as it stands in a problem document."""
        key = {"body": "pointer", "header": "header"}.get(self.place, "parameter")
        return {key: self.name, "code": self.code, "detail": self.detail}


class Problem(HTTPException):
    """An answer that is an error; raised anywhere in a request, it becomes its document.

    It is an `HTTPException` because FastAPI lets only those through while it reads a body.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Say what is wrong (`title`), and what to do about it here (`detail`)."""
        super().__init__(status, detail or title, dict(headers) if headers else None)
        self.slug = slug
        self.title = title
        self.errors = tuple(errors)

    @classmethod
    def of(
        cls, kind: ProblemType, detail: str | None = None, headers: Mapping[str, str] | None = None
    ) -> "Problem":
        """Return a problem of a known kind."""
        return cls(kind.status, kind.slug, kind.title, detail, headers=headers)

    def document(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        members: dict[str, Any] = {
            "type": _TYPE + self.slug,
            "title": self.title,
            "status": self.status_code,
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = [error.document() for error in self.errors]
        return members

    def response(self) -> Response:
        """Return the answer; it is pure ASCII, so nothing in it can fail to be written."""
        body = json.dumps(self.document()).encode()
        return Response(body, self.status_code, self.headers, MEDIA_TYPE)


class FieldErrorDocument(BaseModel):
    """One wrong field: exactly one of `pointer`, `parameter` and `header` says which."""

    pointer: str | None = Field(None, description="JSON pointer into the body", examples=["#/name"])
    parameter: str | None = Field(None, description="name of a query or path parameter")
    header: str | None = Field(None, description="name of a header")
    code: str = Field(description="the kind of mistake, for programs", examples=["missing"])
    detail: str = Field(description="how to mend it", examples=["name is missing: add it"])


class ProblemDocument(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(description="the kind of problem", examples=[_TYPE + "invalid-input"])
    title: str = Field(description="the kind of problem in words", examples=["Invalid input"])
    status: int = Field(examples=[422])
    detail: str = Field(description="what to do about it here")
    errors: list[FieldErrorDocument] | None = Field(None, description="at most 20 wrong fields")


_WORDS = {
    400: "The request is malformed",
    401: "No key, or one that is not valid",
    403: "The key lacks a scope",
    404: "There is no such record",
    409: "A rule forbids it; `type` ends with the rule's name",
    412: "The record was changed by somebody else; read it again",
    413: "The body is too large",
    415: "The content type is not one that this route reads",
    422: "A field is wrong; `errors` says which and how to mend it",
    428: "`If-Match` is missing",
    503: "Not now: ask again, with the same `Idempotency-Key`, after `Retry-After` seconds",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's description of error answers, for `responses=` of a route."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {"description": _WORDS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


RESPONSES = responses(*_WORDS)
