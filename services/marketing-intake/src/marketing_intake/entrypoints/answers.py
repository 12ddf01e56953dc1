"""What a sender of our own API is answered: the receipt, or (`Prefer: wait`) the outcome."""

import re
from typing import Any

import orjson
from starlette.responses import Response

from marketing_intake.adapters.capture_statement import Receipt
from shared import limits

LONGEST_WAIT = limits.HANDLER - 2.0
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?", re.IGNORECASE)


def wait_seconds(prefer: str | None) -> float | None:
    """Return for how long a sender would wait for the outcome, at most what we grant."""
    wanted = _WAIT.search(prefer) if prefer else None
    return min(float(wanted[1]), LONGEST_WAIT) if wanted else None


def receipt_answer(receipt: Receipt, *, waited: float | None) -> Response:
    """Return 202 with the receipt; to who waited 201 or 200 with the outcome, if there is one."""
    headers = {"Location": f"/v1/submissions/{receipt.receipt_id}"}
    if waited is not None:
        headers["Preference-Applied"] = f"wait={waited:g}"
    status = status_of(receipt, waited=waited)
    content = content_of(receipt, waited=waited)
    return Response(orjson.dumps(content), status, headers, "application/json")


def status_of(receipt: Receipt, *, waited: float | None) -> int:
    """Return the status: 201 for a lead that is new, 200 for another outcome, 202 for none yet."""
    if waited is None or receipt.outcome is None:
        return 202
    return 201 if receipt.outcome == "created" else 200


def content_of(receipt: Receipt, *, waited: float | None) -> dict[str, Any]:
    """Return the receipt; of what was waited for, or was posted before, its present state too."""
    content: dict[str, Any] = {"receipt_id": str(receipt.receipt_id)}
    if waited is None and not receipt.repeated:
        return content
    lead_id = str(receipt.lead_id) if receipt.lead_id else None
    content |= {"state": receipt.state, "outcome": receipt.outcome, "lead_id": lead_id}
    return content | ({"reason": receipt.reason} if receipt.reason else {})
