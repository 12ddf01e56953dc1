"""What is amiss with what a process was given, and which roles must not begin with it.

What is away is no fault: it is waited for. A fault is there to stay until a person mends it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shared.loggers import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """A sentence that names the setting and what mends it.

    Attributes:
        stops: the roles that refuse to begin; all others say it and go on.
        coming: somebody else is to make it, so it is waited for.
    """

    text: str
    stops: Collection[str] = ()
    coming: bool = False


class Unfit(Exception):
    """A process must not begin; the text says why, and what mends it."""


def judge(role: str, faults: Iterable[Fault]) -> None:
    """Warn of what a role goes on with.

    Raises:
        Unfit: there is something that it must not begin with.
    """
    grave: list[str] = []
    for fault in faults:
        if role in fault.stops:
            grave.append(fault.text)
        else:
            log.warning("amiss", said=fault.text)
    if grave:
        raise Unfit(" ".join(grave))
