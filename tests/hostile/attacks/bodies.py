"""Attacks on JSON bodies: on the whole, on each field, on what is said of their type."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from tests.hostile.attacks.attack import (
    ANY,
    JSON,
    KEEPS_ALL,
    READS_ANY_TYPE,
    REFUSED,
    Aim,
    Attack,
    plain,
    with_body,
)
from tests.hostile.attacks.samples import Field
from tests.hostile.attacks.values import CANARY, IN_JSON, Hostile
from tests.hostile.documents import Operation, Schema, allows, kinds

from shared.limits import MAX_BODY_BYTES

_MARK = "\x1fhere\x1f"
_BATCH = "take_leads"
_ITEMS = ("items",)
_ITEM = (*_ITEMS, 0)
_C = CANARY.encode()


def _keys(size: int) -> bytes:
    """Return an object of about so many bytes, made of as many keys as fit."""
    return b"{" + b",".join(b'"%x":0' % n for n in range(size // 10)) + b"}"


WHOLE = (
    Hostile("nothing", b""),
    Hostile("spaces", b"  \r\n "),
    Hostile("no JSON", b"<xml>%s</xml>" % _C),
    Hostile("a form", b"name=%s&email=x" % _C),
    Hostile("null", b"null"),
    Hostile("a list", b'["%s"]' % _C),
    Hostile("text", b'"%s"' % _C),
    Hostile("a number", b"31337"),
    Hostile("an empty object", b"{}"),
    Hostile("half of it", b'{"name": "%s' % _C),
    Hostile("more than one value", b'{} {"name": "%s"}' % _C),
    Hostile("a comment", b"{/* %s */}" % _C),
    Hostile("single quotes", b"{'name': '%s'}" % _C),
    Hostile("NaN", b'{"name": NaN, "x": "%s"}' % _C),
    Hostile("bytes that are not UTF-8", b'{"name": "\xff%s"}' % _C),
    Hostile("UTF-16", '{"name": "x"}'.encode("utf-16")),
    Hostile("bottomless objects", b'{"a":' * 100_000),
    Hostile("bottomless lists", b"[" * 500_000),
    Hostile("a million digits", b"9" * 1_000_000),
    Hostile("one key many times", b'{"x":0' + b',"x":0' * 50_000 + b"}"),
    Hostile("as many keys as fit", _keys(MAX_BODY_BYTES)),
)


def largest(operation: Operation, aim: Aim) -> list[Attack]:
    """Return the attacks that take the most memory."""
    request = plain(operation, aim)
    return [with_body(request, hostile.raw, JSON, what=hostile.what) for hostile in WHOLE[-2:]]


def attacks(operation: Operation, aim: Aim) -> Iterator[Attack]:
    """Yield every attack on the JSON body of an operation, if it has one."""
    schema = operation.bodies.get(JSON)
    if schema is not None:
        yield from _on_the_whole(operation, aim, schema)
        yield from _on_the_type(operation, aim)
        for field in _fields(operation, aim, schema):
            yield from _on_a_field(operation, aim, schema, field)
        yield from _with_an_unknown_field(operation, aim, schema)


def _fields(operation: Operation, aim: Aim, schema: Schema) -> Iterator[Field]:
    """Yield the fields; of a batch's item only one more: it is read as a lead that comes alone."""
    for field in aim.samples.fields(schema):
        if operation.name != _BATCH or field.place in {_ITEMS, _ITEM, (*_ITEM, "email")}:
            yield field


def _on_the_whole(operation: Operation, aim: Aim, schema: Schema) -> Iterator[Attack]:
    request = plain(operation, aim)
    for hostile in WHOLE:
        accepted = _fits(operation, schema, hostile)
        statuses = ANY if accepted else REFUSED
        yield with_body(
            request, hostile.raw, JSON, what=f"{hostile.what} as its body", statuses=statuses
        )
    beyond = _keys(MAX_BODY_BYTES + 100_000)
    yield with_body(request, beyond, JSON, what="a body above the cap", statuses={413})


def _fits(operation: Operation, schema: Schema, hostile: Hostile) -> bool:
    if not hostile.raw:
        return not operation.needs_body
    found = _parsed(hostile)
    if operation.name == _BATCH and isinstance(found, list):
        return bool(found)
    return found is not ... and allows(operation.service, schema, found)


def _on_the_type(operation: Operation, aim: Aim) -> Iterator[Attack]:
    request = plain(operation, aim)
    body = json.dumps(aim.samples.of(operation.bodies[JSON]))
    statuses = ANY if operation.name in READS_ANY_TYPE else {415}
    for said, encoding in (
        ("text/plain", "utf-8"),
        (f"application/{CANARY}", "utf-8"),
        ("application/octet-stream", "utf-8"),
        (f"{JSON}; charset=utf-16", "utf-16"),
        (f"{JSON}; charset=latin-1", "latin-1"),
        (f"{JSON}; charset={CANARY}", "utf-8"),
        (f";;;{CANARY}", "utf-8"),
        ("", "utf-8"),
    ):
        what = f"a body that is said to be {said.replace(CANARY, '…')!r}"
        yield with_body(request, body.encode(encoding), said, what=what, statuses=statuses)
    packed = {**request.headers, "Content-Encoding": b"gzip"}
    yield replace(request, what="a body said to be packed", headers=packed, statuses=statuses)
    untold = {**request.headers, "Content-Type": None}
    yield replace(request, what="a body of no type", headers=untold, statuses=statuses)


def _on_a_field(operation: Operation, aim: Aim, schema: Schema, field: Field) -> Iterator[Attack]:
    whole = aim.samples.of(schema, whole=True)
    for hostile in IN_JSON:
        value = _parsed(hostile)
        fits = hostile.storable and allows(operation.service, field.schema, value)
        if operation.name == _BATCH and field.place == _ITEMS and isinstance(value, list):
            fits = bool(value)
        body = _put(whole, field.place, hostile.raw)
        yield _attack(operation, aim, body, f"{hostile.what} as", field, refused=not fits)
    if any(kind.get("type") == "array" for kind in kinds(operation.service, field.schema)):
        too_many = replace(_attack(operation, aim, b"", "items without end as", field), named="")
        yield replace(too_many, body=_put(whole, field.place, b"[%s0]" % (b"0," * 250_000)))
    if field.required:
        body = json.dumps(_without(whole, field.place)).encode()
        yield _attack(operation, aim, body, "without", field, refused=True)


def _with_an_unknown_field(operation: Operation, aim: Aim, schema: Schema) -> Iterator[Attack]:
    whole = aim.samples.of(schema, whole=True)
    places = [((), schema), *((each.place, each.schema) for each in aim.samples.fields(schema))]
    for place, inner in places:
        kind = next(iter(kinds(operation.service, inner)), {})
        if "properties" in kind:
            unknown = Field((*place, "unheard_of"), {}, required=False, certain=len(place) + 1)
            body = _put(whole, unknown.place, b'"%s"' % _C)
            refused = kind.get("additionalProperties") is False
            yield _attack(operation, aim, body, "unknown", unknown, refused=refused)


def _attack(
    operation: Operation, aim: Aim, body: bytes, what: str, field: Field, *, refused: bool = True
) -> Attack:
    """Return the attack; a batch takes the others and names the field of the one item."""
    refused = refused and operation.name not in KEEPS_ALL
    statuses, named = REFUSED if refused else ANY, field.pointer
    if operation.name == _BATCH and field.place[:2] == _ITEM:
        statuses, named = {202, *REFUSED}, named.replace("#/items/0", "#", 1)
    return with_body(
        plain(operation, aim), body, JSON, what=f"{what} {field.pointer}",
        statuses=statuses, named=named if refused else "",
    )  # fmt: skip


@cache
def _parsed(hostile: Hostile) -> Any:
    """Return the value; `...` where there is none that JSON knows."""
    try:
        return json.loads(hostile.raw.decode(), parse_constant=_no_constant, parse_int=_integer)
    except (ValueError, RecursionError):
        return ...


def _no_constant(_: str) -> Any:
    raise ValueError


def _integer(digits: str) -> int:
    return int(digits[:400])  # more than anybody allows


def _put(whole: Any, place: tuple[str | int, ...], raw: bytes) -> bytes:
    """Return the body with these bytes at that place."""
    body = copy.deepcopy(whole)
    _parent(body, place)[place[-1]] = _MARK
    return json.dumps(body).encode().replace(json.dumps(_MARK).encode(), raw)


def _without(whole: Any, place: tuple[str | int, ...]) -> Any:
    body = copy.deepcopy(whole)
    del _parent(body, place)[place[-1]]
    return body


def _parent(body: Any, place: tuple[str | int, ...]) -> Any:
    for each in place[:-1]:
        body = body[each]
    return body
