"""How an order to replay is shown: while it runs, when it is over, and in a list."""

import json
import re

import typer
from rich.table import Table

from handoff.cli.progress import err, out, show
from handoff.replay import Order

_OPTIONS = {
    "verb": "--service",
    "topic": "--topic",
    "since": "--since",
    "until": "--until",
    "partition": "--partition",
    "from_offset": "--from",
    "to_offset": "--to",
    "lead_id": "--lead",
}
_FIELD = re.compile(r"\b(from_offset|to_offset|lead_id)\b")
_COUNTS = {
    "heal": ("read", "applied", "duplicates", "passed", "parked", "unreadable"),
    "republish": ("sent",),
    "restore": ("read", "taken_back", "renumbered", "dropped"),
}


def option(field: str) -> str:
    """Return the option that a field of the order came from."""
    return _OPTIONS.get(field, field)


def in_options(sentence: str) -> str:
    """Return what the service said of its fields, in words of the command."""
    return _FIELD.sub(lambda found: option(found[0]), sentence)


def progress(service: str, order: Order) -> str:
    """Return one line for the time while it runs."""
    words = [f"{_sum(order, name)} {_word(name)}" for name in _COUNTS[order["verb"]]]
    state = f"held: {order['held']}" if order["held"] else order["state"]
    return f"{service} {order['verb']}, {state}: {', '.join(words)}"


def tell(order: Order, *, as_json: bool) -> None:
    """Print what came of an order, or how far it is."""
    if as_json:
        typer.echo(json.dumps(order))
        return
    if order["counts"]:
        show(_by_topic(order))
    dry = " (a dry run: nothing was changed)" if order["dry_run"] else ""
    held = f": {order['held']}" if order["held"] else ""
    out.print(f"{order['verb']} {order['id']}: {order['state']}{held}{dry}", markup=False)
    if order["error"]:
        hint = f"{option(order['field'])}: " if order["field"] else ""
        err.print(hint + in_options(order["error"]), markup=False)


def table(orders: list[Order]) -> Table:
    """Return a list of orders."""
    made = Table("order", "verb", "state", "asked", "by", "what came of it", box=None)
    for order in orders:
        counts = ", ".join(f"{_sum(order, name)} {_word(name)}" for name in _COUNTS[order["verb"]])
        verb = f"{order['verb']}, dry run" if order["dry_run"] else order["verb"]
        asked = order["created_at"][:19]
        made.add_row(order["id"], verb, order["state"], asked, order["actor"], counts)
    return made


def _by_topic(order: Order) -> Table:
    names = _COUNTS[order["verb"]]
    made = Table("topic", *map(_word, names), box=None)
    for counted in order["counts"]:
        made.add_row(counted["topic"], *(str(counted[name]) for name in names))
    return made


def _word(name: str) -> str:
    return name.replace("_", " ")


def _sum(order: Order, name: str) -> int:
    return sum(counted[name] for counted in order["counts"])
