"""Attacks on what stands before the body: the path, the query, the head, the method."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote

from tests.hostile.attacks.attack import ANY, REFUSED, Aim, Attack, plain
from tests.hostile.attacks.values import ALWAYS, CANARY, CURSORS, IN_ADDRESS, IN_HEAD, WRONG_KEYS
from tests.hostile.documents import METHODS, Operation, Parameter, allows, kinds

from shared.ids import new_id

_CURSOR = "cursor"
_VERSION = "If-Match"


def attacks(operation: Operation, aim: Aim) -> Iterator[Attack]:
    """Yield every attack on an operation that leaves its body as it should be."""
    request = plain(operation, aim)
    for parameter in operation.parameters("path"):
        yield from _on_the_path(request, aim, parameter)
    for parameter in operation.parameters("query"):
        yield from _on_the_query(request, parameter)
    for parameter in operation.parameters("header"):
        yield from _on_a_header(request, parameter)
    yield from _with_an_unknown_parameter(request)
    yield from _with_headers_of_no_matter(request)
    yield from _without_a_key(request)


def other_methods(aim: Aim, path: list[Operation]) -> Iterator[Attack]:
    """Yield requests by methods that an address does not take; `path` are those it does.

    The address may be one of a record to another route, by an id that cannot be: 422.
    """
    taken = {operation.method for operation in path}
    for method in {each.upper() for each in METHODS} | {"TRACE", CANARY.upper()}:
        if method not in taken:
            operation = replace(path[0], method=method)
            yield Attack(
                what="another method", operation=operation,
                address=aim.address(operation), statuses={400, 405, 422},
            )  # fmt: skip


def _on_the_path(request: Attack, aim: Aim, parameter: Parameter) -> Iterator[Attack]:
    def at(value: str) -> str:
        return aim.address(request.operation, **{parameter.name: value})

    nobody = replace(request, what=f"nobody's {parameter.name}", address=at(str(new_id())))
    yield replace(nobody, statuses={404})
    for value in IN_ADDRESS:
        yield replace(
            request, what=f"{_short(value)} as {parameter.name}", address=at(value),
            statuses={404, 405, 422}, named=parameter.name,
        )  # fmt: skip


def _on_the_query(request: Attack, parameter: Parameter) -> Iterator[Attack]:
    for value in (*IN_ADDRESS, *(CURSORS if parameter.name == _CURSOR else ())):
        refused = not _fits(request.operation, parameter, unquote(value, errors="replace"))
        yield replace(
            request, what=f"{parameter.name}={_short(value)}",
            address=f"{request.address}?{parameter.name}={value}",
            statuses={422} if refused else ANY, named=parameter.name if refused else "",
        )  # fmt: skip
    yield replace(
        request, what=f"{parameter.name} twice", statuses={422}, named=parameter.name,
        address=f"{request.address}?{parameter.name}=1&{parameter.name}={CANARY}",
    )  # fmt: skip


def _fits(operation: Operation, parameter: Parameter, text: str) -> bool:
    """Tell whether a parameter may have this text; doubtful is what only its format forbids."""
    if parameter.name == _CURSOR or "\0" in text:
        return False
    (kind, *_) = kinds(operation.service, parameter.schema)
    if kind.get("type") == "integer":
        return text.isdigit() and len(text) < 20 and _allowed(operation, parameter, int(text))
    if kind.get("format") in {"uuid", "date-time"} and (CANARY in text or not text.strip()):
        return False
    return _allowed(operation, parameter, text)


def _allowed(operation: Operation, parameter: Parameter, value: object) -> bool:
    return allows(operation.service, parameter.schema, value)


def _on_a_header(request: Attack, parameter: Parameter) -> Iterator[Attack]:
    for value in IN_HEAD[parameter.name]:
        fits = allows(request.operation.service, parameter.schema, value.decode("latin-1"))
        statuses = ANY if fits else {422}
        yield replace(
            request, what=f"{parameter.name}: {_short(repr(value))}",
            headers={**request.headers, parameter.name: value},
            statuses=REFUSED if fits and parameter.name == _VERSION else statuses,
            named="" if fits else parameter.name,
        )  # fmt: skip


def _with_an_unknown_parameter(request: Attack) -> Iterator[Attack]:
    refused = request.operation.method == "GET"
    yield replace(
        request, what="an unknown parameter", address=f"{request.address}?unheard_of={CANARY}",
        statuses={422} if refused else ANY, named="unheard_of" if refused else "",
    )  # fmt: skip


def _with_headers_of_no_matter(request: Attack) -> Iterator[Attack]:
    for name, value in ALWAYS:
        headers: Mapping[str, bytes | None] = {**request.headers, name: value}
        yield replace(request, what=f"{name} that nobody reads", headers=headers)


def _without_a_key(request: Attack) -> Iterator[Attack]:
    if request.operation.has_key:
        for key in WRONG_KEYS:
            headers = {**request.headers, "Authorization": key}
            yield replace(
                request, what=f"the key {_short(repr(key))}", headers=headers, statuses={401}
            )


def _short(value: str) -> str:
    """Return a value for a complaint, without the canary."""
    said = value.replace(CANARY, "…")
    return said if len(said) < 60 else f"{said[:40]}… ({len(said)})"
