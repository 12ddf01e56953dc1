"""Attacks on the bodies of forms: urlencoded and multipart."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tests.hostile.attacks.attack import (
    ANY,
    MULTIPART,
    REFUSED,
    URLENCODED,
    Aim,
    Attack,
    content_type,
    multipart,
    part,
    plain,
    with_body,
)
from tests.hostile.attacks.values import CANARY
from tests.hostile.documents import Operation

from shared.limits import MAX_BODY_BYTES

_C = CANARY.encode()
_FILE = '; filename="../../etc/passwd"'


@dataclass(frozen=True, slots=True)
class Form:
    """A body, and what may be answered to it; another type than its own may be said of it."""

    what: str
    raw: bytes
    statuses: Collection[int] = REFUSED
    said: str = ""


OF_FIELDS = (
    Form("nothing", b""),
    Form("signs alone", b"&&==&&=&", ANY),
    Form("machinery alone", b"_next=" + _C),
    Form("too many fields", b"&".join(b"a%d=%s" % (n, _C) for n in range(301))),
    Form("too many bytes", b"a=" + b"x" * MAX_BODY_BYTES, {413}),
    Form("as many bytes as fit", b"a=" + b"x" * (MAX_BODY_BYTES - 2), ANY),
    Form("a long name", b"x" * 500_000 + b"=" + _C, ANY),
    Form("broken escapes", b"a=%zz%%4%" + _C, ANY),
    Form("NUL", b"a%00=%00" + _C, ANY),
    Form("bytes that are not UTF-8", b"a\xff=\xed\xa0\x80" + _C, ANY),
    Form("one name many times", b"a=%s&" % _C * 300, ANY),
    Form("JSON", b'{"name": "%s"}' % _C, ANY),
    Form("another charset", b"a=" + _C, {415}, f"{URLENCODED}; charset=utf-16"),
)
OF_PARTS = (
    Form("nothing", b""),
    Form("no boundary", multipart(part("a", _C)), REFUSED, MULTIPART),
    Form("an endless boundary", multipart(part("a", _C)), REFUSED,
         f"{MULTIPART}; boundary={'b' * 5_000}"),
    Form("a boundary of another body", multipart(part("a", _C)), REFUSED,
         f"{MULTIPART}; boundary=other"),
    Form("a charset that nobody knows", multipart(part("a", _C)), REFUSED,
         f"{content_type(MULTIPART)}; charset={CANARY}"),
    Form("no last boundary", part("a", _C)),
    Form("half a value", part("a", b"1") + part("b", _C)[:-6]),
    Form("half a head", part("a", b"1") + b"--frontier\r\nContent-Disposition: form-da"),
    Form("no part at all", multipart()),
    Form("a part without a name", multipart(b"--frontier\r\nX: y\r\n\r\n%s\r\n" % _C)),
    Form("a part without a head", multipart(b"--frontier\r\n\r\n%s\r\n" % _C)),
    Form("files alone", multipart(part("a", _C, _FILE))),
    Form("too many files", multipart(*(part(f"a{n}", _C, _FILE) for n in range(21)))),
    Form("too many fields", multipart(*(part(f"a{n}", _C) for n in range(301)))),
    Form("a file and a field", multipart(part("a", _C, _FILE), part("b", _C)), ANY),
    Form("an endless head", multipart(part("a", _C, f"; x={'y' * 200_000}")), ANY),
    Form("NUL", multipart(part("a\0", _C + b"\0")), ANY),
    Form("bytes that are not UTF-8", multipart(part("a\udcff", b"\xff\xfe" + _C)), ANY),
    Form("a name of two lines", multipart(part("a\r\nX: y", _C)), ANY),
    Form("no form", b'{"name": "%s"}' % _C),
)  # fmt: skip
ATTACKS = {URLENCODED: OF_FIELDS, MULTIPART: OF_PARTS}


def attacks(operation: Operation, aim: Aim) -> Iterator[Attack]:
    """Yield every attack on an operation as on a form, if it reads one."""
    for media_type in operation.bodies:
        for form in ATTACKS.get(media_type, ()):
            said = form.said or content_type(media_type)
            what = f"{form.what} as {media_type}"
            yield with_body(
                plain(operation, aim), form.raw, said, what=what, statuses=form.statuses
            )
