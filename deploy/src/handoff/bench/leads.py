"""The leads that are posted: bodies of about 416 bytes, each of them another person.

Built once and numbered by putting bytes between bytes: whoever sends thousands a second on the
cores that it measures has no time for more.
"""

import itertools
import json
import secrets
from collections.abc import Callable, Iterator

from handoff.bench.client import request

Make = Callable[[], bytes]

_NUMBER = "#########"
_MESSAGE = (
    "We would like to see a demo of your product for our team of twenty people, this month or next."
)


def of_product(source_id: str) -> dict[str, object]:
    """Return a lead for `POST /v1/leads`, with the number left open."""
    return {
        "source_id": source_id,
        **_person(),
        "job_title": "VP Sales",
        "page_url": "https://www.example.com/pricing",
        "message": _MESSAGE,
    }


def of_floor() -> dict[str, object]:
    """Return a lead for a floor, with the number left open."""
    return {
        "tenant_id": 1,
        **_person(),
        "source": "web",
        "amount_minor": 1_200_000,
        "currency": "EUR",
        "message": _MESSAGE,
        "attributes": {"page": "pricing", "lang": "en", "ad": "b", "form": "3"},
    }


def a_lead(number: int, *, source_id: str) -> bytes:
    """Return one lead for `POST /v1/leads`: a body alone."""
    return _put(json.dumps(of_product(source_id)).encode().split(_NUMBER.encode()), number)


def numbered(url: str, lead: dict[str, object], headers: dict[str, str]) -> Make:
    """Return what makes a request with the next number each time that it is called."""
    parts = request(url, json.dumps(lead).encode(), headers).split(_NUMBER.encode())
    numbers: Iterator[int] = itertools.count(1)

    def make() -> bytes:
        return _put(parts, next(numbers))

    return make


def _put(parts: list[bytes], number: int) -> bytes:
    return (b"%09d" % number).join(parts)


def _person() -> dict[str, object]:
    return {
        "email": f"person.{_NUMBER}.{secrets.token_hex(4)}@example-company.com",
        "first_name": "Johanna",
        "last_name": "Beispiel",
        "company": "Example Company Limited",
        "phone": f"+4930{_NUMBER}",
    }
