"""What a caller is told of a wrong field: its place and the fix, never what they sent."""

import json
from typing import Annotated, Literal

import pytest
from pydantic import Field

from shared.web.body import Body, json_body
from shared.web.problems import Problem
from shared.web.values import Email, Entries, Items, JsonObject, Name


class Part(Body):
    kind: Literal["call", "demo"]
    count: int = Field(1, ge=1, le=9)


class LeadIn(Body):
    name: Name
    email: Email | None = None
    parts: Annotated[tuple[Part, ...], Field(max_length=1_000)] = ()
    extra: JsonObject | None = None
    marks: Annotated[list[str], Items(9)] | None = None
    traits: Annotated[dict[str, str], Entries(2)] | None = None


def refused(raw: bytes) -> Problem:
    with pytest.raises(Problem) as problem:
        json_body(LeadIn).read(raw)
    return problem.value


def told(raw: bytes) -> list[dict[str, str]]:
    errors: list[dict[str, str]] = refused(raw).document()["errors"]
    return errors


@pytest.mark.parametrize(
    ("raw", "pointer", "detail"),
    [
        (b"{}", "#/name", "name is missing: add it"),
        (b'{"name":5}', "#/name", "name must be text"),
        (b'{"name":"a","parts":[{"kind":"x"}]}', "#/parts/0/kind", "must be 'call' or 'demo'"),
        (b'{"name":"a","parts":[{"kind":"call","count":10}]}', "#/parts/0/count", "at most 9"),
        (b'{"name":"a","nmae":"b"}', "#/nmae", "not a field here"),
        (b'{"name":"a","a/b~c":1}', "#/a~1b~0c", "not a field here"),
        (b'{"name":"a","email":"b"}', "#/email", "must be one e-mail address"),
        (b"[]", "#", "the body must be an object"),
        (b"", "#", "the body is missing: add it"),
        (b" \n ", "#", "the body is missing: add it"),
    ],
)
def test_the_field_and_the_fix_are_named(raw: bytes, pointer: str, detail: str) -> None:
    (error,) = told(raw)

    assert error["pointer"] == pointer
    assert detail in error["detail"]


def test_what_was_sent_is_not_in_the_answer() -> None:
    raw = b'{"name":["s3cret"],"email":"s3cret","parts":[{"kind":"s3cret"}],"extra":{"a":NaN}}'

    assert "s3cret" not in json.dumps(refused(raw).document())


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b'{"name":"a","marks":[' + b"0," * 500 + b"0]}", "#/marks/0"),
        (b'{"name":"a","marks":[' + b'"x",' * 500 + b'"x"]}', "#/marks"),
        (b'{"name":"a","traits":{"a":0,"b":0,"c":0}}', "#/traits"),
        (b'{"name":"a","traits":{"a":0,"b":"x"}}', "#/traits/a"),
        (b'{"name":"a","traits":[0,0,0]}', "#/traits"),
    ],
)
def test_a_list_is_looked_at_up_to_its_first_mistake_and_an_object_only_if_it_is_small(
    raw: bytes, pointer: str
) -> None:
    assert [error["pointer"] for error in told(raw)] == [pointer]


def test_an_answer_does_not_hold_on_to_what_was_wrong() -> None:
    problem = refused(b'{"name":5}')

    assert (problem.__context__, problem.__cause__) == (None, None)


def test_at_most_twenty_mistakes_are_listed_and_the_rest_is_counted() -> None:
    raw = json.dumps({"name": "a", "parts": [{}] * 100}).encode()

    assert len(told(raw)) == 20
    assert refused(raw).document()["detail"] == "100 fields are wrong; the first 20 are listed"


def test_a_body_of_mistakes_gets_a_short_answer() -> None:
    raw = json.dumps({"x" * 500 + str(number): 1 for number in range(400)}).encode()

    assert len(refused(raw).response().body) < 8_192


def test_a_body_with_too_many_mistakes_is_not_listed_at_all() -> None:
    raw = json.dumps({str(number): 1 for number in range(900)}).encode()

    assert [error["code"] for error in told(raw)] == ["too_many_mistakes"]


@pytest.mark.parametrize("within", ['{"x": %s}', '{"name": "a", "parts": [0, %s]}', "%s"])
def test_an_object_of_too_many_fields_is_refused_before_they_are_read(within: str) -> None:
    wide = json.dumps({str(number): 1 for number in range(50_000)})

    assert [error["code"] for error in told((within % wide).encode())] == ["too_many_fields"]


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"\xff\xfe",
        b'{"name":"\\ud800"}',
        b'{"name":"a"} x',
        b"[" * 500,
        b'{"extra":{"a":1' + b"0" * 5_000 + b"}}",
        b"nope",
    ],
)
def test_what_is_not_json_is_malformed_and_says_where(raw: bytes) -> None:
    problem = refused(raw)

    assert problem.status_code == 400
    assert "line 1 column" in problem.document()["detail"]


def test_control_characters_in_a_name_of_a_field_do_not_reach_the_answer() -> None:
    (_, error) = told(b'{"\\u0000\\u001b[31m":1}')

    assert error["pointer"] == "#/??[31m"


def test_a_byte_order_mark_is_stepped_over() -> None:
    assert json_body(LeadIn).read(b'\xef\xbb\xbf{"name":"Anna"}').name == "Anna"
