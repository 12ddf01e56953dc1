"""The `Idempotency-Key` of a submission, which capture keeps by source, not by caller."""

import re

from starlette.requests import Request

from shared.web import faults
from shared.web.problems import FieldError

KEY_PATTERN = r"^[\x21-\x7e]{1,200}$"
_KEY = re.compile(KEY_PATTERN)


def key_of(request: Request) -> str | None:
    """Return the key, with or without the quotes that the standard wants around it.

    Raises:
        Problem: 422, it cannot be a key.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key) or not key.strip('"'):
        detail = "Idempotency-Key must have 1 to 200 visible ASCII characters"
        raise faults.refused(FieldError("header", "Idempotency-Key", "idempotency_key", detail))
    return key.strip('"')
