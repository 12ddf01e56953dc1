"""The statements that Postgres was sent, and of each which table it reads or writes.

A statement belongs to the first table that it writes, else to the first that it reads.
"""

import asyncio
import re
from collections import Counter

from tests.stack.plans import Plans

_WRITES = re.compile(
    r"(?:INSERT\s+INTO|DELETE\s+FROM|(?<!DO )(?<!FOR )\bUPDATE)\s+\"?(\w+)", re.IGNORECASE
)
_READS = re.compile(r"\b(?:FROM|JOIN)\s+(?!unnest\b|\()\"?(\w+)", re.IGNORECASE)


def place_of(statement: str) -> str:
    """Return `write task`, `read lead` or `read nothing`."""
    for verb, pattern in (("write", _WRITES), ("read", _READS)):
        if found := pattern.search(statement):
            return f"{verb} {found[1].lower()}"
    return "read nothing"


async def sent(plans: Plans, *, in_vain: bool = True) -> list[str]:
    """Return the statements that Postgres told of; those that met no row only if wanted."""
    await asyncio.sleep(0)  # what it told last is on its way
    return [
        one.text
        for one in plans.take()
        if not one.is_check and not one.is_of_postgres and (in_vain or one.rows)
    ]


def repeated(statements: list[str]) -> dict[str, int]:
    """Return the places that were read, or written, more than once."""
    places = Counter(map(place_of, statements))
    return {place: times for place, times in places.items() if times > 1}
