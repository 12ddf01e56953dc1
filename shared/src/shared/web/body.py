"""Reads a JSON body straight from its bytes: type and charset checked, then pydantic, then done.

FastAPI's own way parses twice as slowly, and answers 500 to bodies that are not text. Size and
time are the gate's; which fields there may be is the model's.
"""

import re
from email.message import Message
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from shared.web import faults
from shared.web.json_levels import levels
from shared.web.problems import FieldError, Problem

T = TypeVar("T")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST_FIELDS = 1_000
_TOO_WIDE = f"an object in the body has more than {_MOST_FIELDS} fields: leave out what is unknown"
_POSITION = re.compile(r"line \d+ column \d+$")
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})


class Body(BaseModel):
    """What a route reads: unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class JsonBody(Generic[T]):
    """A dependency that reads a request's body as one model; OpenAPI finds the model here."""

    required = True
    """Whether a request without a body is refused."""

    def __init__(self, model: type[T]) -> None:
        """Read bodies as `model`: a `Body`, or any type that pydantic knows."""
        self.adapter = TypeAdapter(model)

    async def __call__(self, request: Request) -> T:
        """Return the body.

        Raises:
            Problem: 415 (not JSON), 400 (not readable as JSON), 422 (a field is wrong).
        """
        require_media_type(request, "application/json")
        return self.read(await request.body())

    def read(self, raw: bytes) -> T:
        """Return the model that the bytes hold; errors as above."""
        text = raw.removeprefix(_BYTE_ORDER_MARK)
        if not text.strip():
            raise faults.refused(FieldError("body", "#", "missing", "the body is missing: add it"))
        if text.count(b":") > _MOST_FIELDS and _is_wide(text):
            raise faults.refused(FieldError("body", "#", "too_many_fields", _TOO_WIDE))
        try:
            return self.adapter.validate_json(text)
        except ValidationError as error:
            problem = _problem(error)
        raise problem  # outside, so that it does not hold what may be 100,000 mistakes


def _is_wide(text: bytes) -> bool:
    """Tell whether some object has more fields than any of ours; what is no JSON is not for here.

    Each field that a model does not know would be a mistake that takes a kilobyte to note.
    """
    try:
        value = from_json(text)
    except ValueError:
        return False
    return any(_is_wide_itself(each) for level in levels(value) for each in level)


def _is_wide_itself(value: object) -> bool:
    return isinstance(value, dict) and len(cast("dict[str, object]", value)) > _MOST_FIELDS


def json_body(model: type[T]) -> JsonBody[T]:
    """Return the dependency: `lead: Annotated[LeadIn, Depends(json_body(LeadIn))]`."""
    return JsonBody(model)


def require_media_type(request: Request, *accepted: str) -> str:
    """Return the body's media type, if it is one of `accepted`.

    Raises:
        Problem: 415; it names what this route reads.
    """
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    found = message.get_content_type() if message["content-type"] else "nothing"
    charset = message.get_content_charset("utf-8")
    coding = request.headers.get("content-encoding", "identity").lower()
    if found in accepted and charset in _UTF_8 and coding == "identity":
        return found
    wanted = " or ".join(accepted)
    raise Problem(
        415,
        "unsupported-media-type",
        "The content type is not one that this route reads",
        f"Send Content-Type: {wanted}, in UTF-8, without Content-Encoding.",
    )


def _problem(error: ValidationError) -> Problem:
    if not faults.listable(error.error_count()):
        return faults.too_many(error.error_count())
    found: list[Any] = list(error.errors(include_url=False, include_input=False))
    if found[0]["type"] == "json_invalid":
        return _unreadable(str(found[0].get("ctx", {}).get("error", "")))
    return faults.invalid([{**fault, "loc": ("body", *fault["loc"])} for fault in found])


def _unreadable(reason: str) -> Problem:
    """Say where the JSON ends to be JSON: the place alone, never what stands there."""
    place = _POSITION.search(reason)
    where = f" ({place.group()})" if place else ""
    detail = f"The body is not valid JSON in UTF-8, or is nested too deeply{where}."
    return Problem(400, "malformed-json", "The body is not JSON", detail)
