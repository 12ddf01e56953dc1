"""What is wrong with a setting as it was given, in a sentence that names it and never shows it."""

import re
from urllib.parse import urlsplit

from pydantic import ValidationError

_PREFIX = "HANDOFF_"
_BROKER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^][\s:,/@]+):\d{1,5}")
_ADDRESS = (
    "must be postgresql://user:password@host:port/database, with %3A %2F %3F %23 %40 %25 for"
    " : / ? # @ % in the password"
)


def ends_fault(value: str) -> str | None:
    """Return what is wrong with the ends of a value: a line break there changes what it says."""
    if value == value.strip():
        return None
    return "begins or ends with a blank or a line break; take it away (`printf`, not `echo`)"


def address_fault(url: str) -> str | None:
    """Return what is wrong with a database's address, without showing it."""
    if not url.startswith(("postgresql://", "postgres://")):
        return "must begin with postgresql://"
    try:
        parts = urlsplit(url)
        _ = parts.port  # which is refused here, or nowhere before the first connection
    except ValueError:
        return _ADDRESS
    return None if parts.hostname and parts.path.strip("/") and not parts.fragment else _ADDRESS


def brokers_fault(bootstrap: str) -> str | None:
    """Return what is wrong with the addresses of brokers."""
    if all(_BROKER.fullmatch(broker) for broker in bootstrap.split(",")):
        return None
    return "must be host:port[,host:port...], without blanks or http://"


def faults_of(error: ValidationError) -> str:
    """Return what is wrong, setting by setting, without their values."""
    return "; ".join(
        _fault_of("_".join(str(part) for part in fault["loc"]).upper(), fault["type"], fault["msg"])
        for fault in error.errors(include_input=False)
    )


def _fault_of(name: str, kind: str, said: str) -> str:
    variable = f"{_PREFIX}{name}"
    if kind == "missing":
        return f"{variable} is missing: set it, or {variable}_FILE to a file that holds it"
    return f"{variable}: {said.removeprefix('Value error, ')}"
