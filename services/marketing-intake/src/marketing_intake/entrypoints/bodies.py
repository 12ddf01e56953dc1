"""Reads what senders post: JSON as bytes and as fields, and forms in their three formats.

Files are never kept. What the fields mean is for `domain.mapping`, when the submission resolves.
"""

from collections.abc import Iterable, Iterator, Mapping
from email.message import Message
from itertools import islice
from typing import Any, cast
from urllib.parse import parse_qsl

import orjson
from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from shared.web import faults
from shared.web.body import require_media_type
from shared.web.json_levels import levels
from shared.web.problems import FieldError, Problem

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")
MAX_FORM_FIELDS = 300
MAX_DEPTH = 32
_MAX_FILES = 20
_NUL = b"\\u0000"


def json_value(raw: bytes) -> object:
    """Return what strict JSON holds: no NaN, no half characters, no more than `MAX_DEPTH` levels.

    Raises:
        Problem: 400, it is not JSON, or deeper: it could be kept, and not be resolved.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _malformed() from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _is_too_deep(value):
        raise _malformed()
    return value


def _malformed() -> Problem:
    detail = "The body is not valid JSON in UTF-8, or is nested too deeply."
    return Problem(400, "malformed-json", "The body is not JSON", detail)


def _is_too_deep(value: object) -> bool:
    below = next(islice(levels(value), MAX_DEPTH, None), ())
    return any(isinstance(each, dict | list) for each in below)


def json_fields(raw: bytes) -> dict[str, Any]:
    """Return the fields of a JSON object; errors as above, and 400 for another kind of value."""
    value = json_value(raw)
    if not isinstance(value, dict):
        detail = 'Send one JSON object, such as {"email": "anna@example.com"}.'
        raise Problem(400, "not-an-object", "The body is not a JSON object", detail)
    return cast("dict[str, Any]", value)


def refuse_nul(raw: bytes, fields: Mapping[str, Any]) -> None:
    """Refuse the character NUL, which no database text can hold; most bodies cannot have it.

    Raises:
        Problem: 422, naming the first field that holds it.
    """
    if _NUL in raw:
        for pointer in _places_of_nul("#", fields):
            detail = "must not hold the character NUL: take it out"
            raise faults.refused(FieldError("body", pointer[:120], "control_character", detail))


def _places_of_nul(pointer: str, value: object) -> Iterator[str]:
    if isinstance(value, str) and "\0" in value:
        yield pointer
    elif isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, object]", value).items():
            place = f"{pointer}/{name}"
            yield from [place.replace("\0", "?")] if "\0" in name else _places_of_nul(place, inner)
    elif isinstance(value, list):
        for number, inner in enumerate(cast("list[object]", value)):
            yield from _places_of_nul(f"{pointer}/{number}", inner)


async def form_fields(request: Request) -> dict[str, Any]:
    """Return the fields of a form; a name that repeats holds a list, files are left out.

    Raises:
        Problem: 415, 400 or 422: not a form, not readable, too many fields.
    """
    found = require_media_type(request, *FORM_TYPES)
    if found == "application/json":
        return _few(json_fields(await request.body()))
    pairs = await (_urlencoded(request) if found == FORM_TYPES[0] else _multipart(request))
    return _gathered(pairs)


def _few(fields: dict[str, Any]) -> dict[str, Any]:
    if len(fields) > MAX_FORM_FIELDS:
        raise _too_many_fields()
    return fields


async def _urlencoded(request: Request) -> list[tuple[str, str]]:
    text = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        raise _too_many_fields() from None


async def _multipart(request: Request) -> list[tuple[str, str]]:
    raw = await request.body()
    try:
        form = await request.form(max_files=_MAX_FILES, max_fields=MAX_FORM_FIELDS)
    except (HTTPException, FormParserError, UnicodeDecodeError, LookupError):
        raise _no_form() from None
    if not _is_whole(raw, request.headers["content-type"]):
        raise _no_form()
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    await form.close()
    return pairs


def _is_whole(raw: bytes, content_type: str) -> bool:
    """Tell whether the last boundary came; the parser gives what came before a cut as well."""
    message = Message()
    message["content-type"] = content_type
    return f"--{message.get_boundary('')}--".encode() in raw


def _no_form() -> Problem:
    detail = "The multipart body cannot be read, is cut off, or has too many fields or files."
    return Problem(400, "malformed-form", "The body is not a form", detail)


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields


def _too_many_fields() -> Problem:
    detail = f"the form must have at most {MAX_FORM_FIELDS} fields"
    return faults.refused(FieldError("body", "#", "too_long", detail))
