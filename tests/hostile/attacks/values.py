"""What is hostile: values as they stand in JSON, in an address, in a head. All hold the canary.

The canary is a word that no answer and no log may say again.
"""

import secrets
from dataclasses import dataclass

from shared.web import pages

CANARY = f"canary{secrets.token_hex(8)}"
_C = CANARY.encode()


@dataclass(frozen=True, slots=True)
class Hostile:
    """A value, as bytes of JSON.

    Attributes:
        what: a word for it.
        storable: whether a database could keep it; if not, no field may take it.
    """

    what: str
    raw: bytes
    storable: bool = True


IN_JSON = (
    Hostile("text", b'"%s"' % _C),
    Hostile("no text", b'""'),
    Hostile("spaces", b'"  "'),
    Hostile("long text", b'"%s%s"' % (_C, b"x" * 20_000)),
    Hostile("lines", b'"%s\\r\\nSet-Cookie: a=b\\u2028"' % _C),
    Hostile("text from right to left", b'"\\u202e\\ufeff\\u200f%s"' % _C),
    Hostile("a number", b"31337"),
    Hostile("a negative number", b"-1"),
    Hostile("a fraction", b"0.5"),
    Hostile("a number as text", b'"31337"'),
    Hostile("true", b"true"),
    Hostile("null", b"null"),
    Hostile("an empty list", b"[]"),
    Hostile("a list", b'["%s"]' % _C),
    Hostile("a long list", b"[%s0]" % (b"0," * 300)),
    Hostile("an empty object", b"{}"),
    Hostile("an object", b'{"inside": "%s"}' % _C),
    Hostile(
        "a large object", b'{"a": "%s"%s}' % (_C, b"".join(b',"a%d":0' % n for n in range(300)))
    ),
    Hostile("a deep value", b"[" * 300 + b'"%s"' % _C + b"]" * 300),
    Hostile("a bottomless value", b"[" * 50_000 + b"]" * 50_000, storable=False),
    Hostile("2^31", b"2147483648"),
    Hostile("2^63", b"9223372036854775808"),
    Hostile("-2^63-1", b"-9223372036854775809"),
    Hostile("a number of 5,000 digits", b"9" * 5_000),
    Hostile("1e400", b"1e400"),
    Hostile("1e1000000 as text", b'"1e1000000"'),
    Hostile("NaN", b"NaN", storable=False),
    Hostile("Infinity", b"Infinity", storable=False),
    Hostile("-Infinity", b"-Infinity", storable=False),
    Hostile("NUL", b'"%s\\u0000"' % _C, storable=False),
    Hostile("a raw NUL", b'"%s\0"' % _C, storable=False),
    Hostile("half a character", b'"%s\\ud800"' % _C, storable=False),
    Hostile("half a raw character", b'"%s\xed\xa0\x80"' % _C, storable=False),
    Hostile("the wrong half of a character", b'"\\udc00\\ud800%s"' % _C, storable=False),
    Hostile("bytes that are not UTF-8", b'"%s\xff\xfe"' % _C, storable=False),
    Hostile("the year 9999", b'"9999-12-31T23:59:59.999999-14:00"'),
    Hostile("the year 1", b'"0001-01-01T00:00:00+14:00"'),
    Hostile("the year 10000", b'"10000-01-01T00:00:00Z"'),
    Hostile("a time without its zone", b'"2026-01-01T00:00:00"'),
    Hostile("the 30th of February", b'"2026-02-30T00:00:00Z"'),
    Hostile("a duration without end", b'"P99999999999D"'),
    Hostile("an id with a tail", b'"0197c5e4-7d3a-7f00-8000-000000000000%s"' % _C),
    Hostile("a statement of SQL", b'"%s\'; DROP TABLE lead; --"' % _C),
    Hostile("a template", b'"{%s.__class__.__mro__}{{7*7}}%%(x)s${x}"' % _C),
)

IN_ADDRESS = (
    CANARY,
    "",
    "%20",
    f"{CANARY}%00",
    f"%ff%fe{CANARY}",
    f"%ed%a0%80{CANARY}",
    f"..%2f..%2f{CANARY}",
    f"..%5c{CANARY}",
    f"%27%20OR%201=1--{CANARY}",
    f"%0d%0aSet-Cookie:{CANARY}",
    f"{CANARY}{'x' * 5_000}",
    f"0197c5e4-7d3a-7f00-8000-000000000000{CANARY}",
    "%F0%9F%92%A9",
    "%zz",
    "-1",
    "0",
    "1e400",
    "NaN",
    "null",
    "2147483648",
    "9223372036854775808",
    "9" * 4_000,
    "9999-12-31T23:59:59.999999-14:00",
    "0001-01-01T00:00:00%2B14:00",
    "2026-01-01",
)
"""As they are sent: with what has to be encoded encoded."""

_ID = "0197c5e4-7d3a-7f00-8000-000000000000"
CURSORS = tuple(
    pages.encode(position)
    for position in (
        (2**31, _ID), (-1, _ID), (2**31, 1), (0, 2**63), (0, 1, 2),
        ("0001-01-01T00:00:00+23:59", _ID), ("9999-12-31T23:59:59-23:59", _ID),
        ("2026-01-01T00:00:00", _ID), (1, _ID, _ID), ("\0",), ("\0", "", ""), ("", "\0", ""),
    )
)  # fmt: skip
"""Positions that somebody made up: the checksum is right, and no list has such a place."""

IN_HEAD: dict[str, tuple[bytes, ...]] = {
    "Idempotency-Key": (b"", b'""', b"two words " + _C, b"\xe9" + _C, _C * 20, b"a\tb" + _C),
    "If-Match": (b"", _C, b'"' + _C, b'"' + _C + b'" and more', b"\xe9" + _C, b'"x",' * 200 + _C),
    "Prefer": (b"", _C, b"wait=" + _C, b"wait=-1", b"wait=0", b"\xe9=" + _C),
}  # fmt: skip
"""By the header's name, which its document gives. What a route does not read is in `ALWAYS`."""

ALWAYS: tuple[tuple[str, bytes], ...] = (
    ("Traceparent", _C),
    ("Traceparent", b"00-" + b"\xe9" * 32 + b"-" + _C + b"-01"),
    ("Accept", b"\xff;" + _C),
    ("Accept-Encoding", _C),
    ("Range", b"bytes=-" + _C),
    ("X-Forwarded-For", b"127.0.0.1, " + _C),
    ("Forwarded", b"for=" + _C),
    ("Cookie", b"a=" + _C),
    ("X-HTTP-Method-Override", b"DELETE"),
    ("User-Agent", b"\xe9\xff" + _C),
)
"""Headers that reach every route; none of them may matter."""

WRONG_KEYS: tuple[bytes | None, ...] = (
    None,
    b"",
    _C,
    b"Bearer",
    b"Bearer " + _C,
    b"Basic " + _C,
    b"Bearer \xe9" + _C,
    b"Bearer hof_live_" + b"0" * 50,
    b"Bearer " + _C * 1_000,
)
