"""Bodies for a model, from its JSON schema: such as people send, and such with one thing spoilt.

What a schema cannot say (which currencies there are) comes from examples, formats and names.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Schema = Mapping[str, Any]
Values = SearchStrategy[Any]

_LETTERS = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(" \n\t'\"%{}\\<>ßİŉ🦆é")
_LOCAL = st.text("abcXYZ.+-_'ü", min_size=1, max_size=12)
_TIMES = st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
_FORMATS: dict[str, Values] = {
    "uuid": st.uuids().map(str),
    "date": st.dates().map(str),
    "date-time": _TIMES | st.just("2026-11-23T09:30:00.123456+14:00"),
    "duration": st.sampled_from(["PT0S", "PT1H", "P3D", "P1DT1S", "P366D", "P99999D", "-P1D"]),
    "email": st.tuples(_LOCAL, st.sampled_from(["x.de", "ü.de", "A.Example"])).map("@".join),
}
_NAMES: dict[str, Values] = {
    "country": st.sampled_from(["DE", "us", " ch "]),
    "phone_region": st.sampled_from(["DE", "us"]),
    "currency": st.sampled_from(["EUR", "usd", " jpy "]),
    "phone": st.from_regex(r"\+(1|44|49|91) ?\(?[0-9]{4,12}", fullmatch=True),
    "success_urls": st.just(["https://shop.example.com/thanks?a=%00&b=ü".replace("ü", "%C3%BC")]),
    "mapping": st.just({"Ihre E-Mail ": "email", "müde?": "answer", "news": "consent.newsletter"}),
    "purpose": st.sampled_from(["newsletter", "sms_2"]),
}
_LONGEST_LIST = 4

SPOILT: Sequence[str] = (
    *('"a\\u0000b"', '"\\ud800"', '"\\u001b[2J"', "NaN", "-Infinity", "1e400", "-0.0", "0.1"),
    *("2147483648", "9223372036854775808", "-9223372036854775809", "1" + "0" * 400, "1.0"),
    *('"1e999999999"', '"9999-12-31T23:59:59-14:00"', '"0001-01-01T00:00:00+14:00"', '"P1e9Y"'),
    *("null", "true", "[]", "{}", '{"\\u0000": 1}', '""', '" "', "[" * 300 + "]" * 300),
    *(json.dumps("x" * 12_000), json.dumps("ß" * 200), json.dumps("😀" * 200), '"ﬁ"', '"{}"'),
    *('"{name.__class__}"', '"%s"', '"\'; DROP TABLE lead; --"', '"\\u2028"', '"\\uffff"'),
)
"""Values in JSON of which each breaks something that takes it unseen: D6, and what people try."""


def bodies(schema: Schema) -> SearchStrategy[str]:
    """Return JSON texts that the model of this schema may well accept."""
    return _of(schema, schema).map(json.dumps)


def spoilt(schema: Schema) -> SearchStrategy[str]:
    """Return the same with a value in some place that does not belong there."""
    return st.builds(_spoil, _of(schema, schema), st.sampled_from(SPOILT), st.randoms())


def _spoil(body: Any, value: str, chance: Any) -> str:
    """Put the value where a leaf was, as text: some of them no library would write."""
    mark = "\u2620"
    text = json.dumps(_marked(body, mark, chance), ensure_ascii=False)
    return text.replace(json.dumps(mark, ensure_ascii=False), value)


def _marked(body: Any, mark: str, chance: Any) -> Any:
    if isinstance(body, dict) and body:
        name = chance.choice(sorted(body))
        return {**body, name: _marked(body[name], mark, chance)}
    if isinstance(body, list) and body:
        return [_marked(body[0], mark, chance), *body[1:]]
    return mark


def _of(schema: Schema, root: Schema) -> Values:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _of(root["$defs"][name], root)
    found = _made(schema, root)
    examples = schema.get("examples")
    return st.sampled_from(examples) | found if examples else found


def _made(schema: Schema, root: Schema) -> Values:
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema or "oneOf" in schema:
        choices = schema.get("anyOf") or schema["oneOf"]
        return st.one_of([_of(each, root) for each in choices])
    if "type" not in schema:
        return _ANYTHING
    return _BY_TYPE[schema["type"]](schema, root)


def _text(schema: Schema, _root: Schema) -> Values:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
    at_the_edge = st.sampled_from("aß😀").map(lambda letter: letter * most)
    return st.text(_LETTERS, min_size=least, max_size=min(most, 40)) | at_the_edge


def _number(schema: Schema, _root: Schema) -> Values:
    least, most = schema.get("minimum"), schema.get("maximum")
    if schema["type"] == "number":
        return st.floats(least, most, allow_nan=False, allow_infinity=False)
    edges = st.sampled_from([edge for edge in (least, most) if edge is not None] or [0])
    return edges | st.integers(least, most)


def _list(schema: Schema, root: Schema) -> Values:
    least = schema.get("minItems", 0)
    most = max(least, min(schema.get("maxItems", _LONGEST_LIST), _LONGEST_LIST))
    return st.lists(_of(schema.get("items", {}), root), min_size=least, max_size=most)


def _object(schema: Schema, root: Schema) -> Values:
    known = {name: _named(name, each, root) for name, each in schema.get("properties", {}).items()}
    more = schema.get("additionalProperties")
    if not known and more not in (False, None):
        names = _of({"type": "string", **schema.get("propertyNames", {})}, root)
        values = _ANYTHING if more is True else _of(more, root)
        return st.dictionaries(names, values, max_size=_LONGEST_LIST)
    needed = schema.get("required", ())
    return st.fixed_dictionaries(
        {name: known[name] for name in needed},
        optional={name: each for name, each in known.items() if name not in needed},
    )


def _named(name: str, schema: Schema, root: Schema) -> Values:
    """Return values of a field; where its schema says too little, mostly what its name says."""
    found = _of(schema, root)
    better = _NAMES.get(name, _FORMATS.get(schema.get("format", "")))
    return better | better | found if better is not None else found


_ANYTHING: Values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(_LETTERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_BY_TYPE: dict[str, Callable[[Schema, Schema], Values]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "array": _list,
    "object": _object,
    "boolean": lambda _schema, _root: st.booleans(),
    "null": lambda _schema, _root: st.none(),
}
