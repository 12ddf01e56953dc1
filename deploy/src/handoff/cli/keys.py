"""`handoff keys`: gives keys for the services' APIs, lists them, takes them back."""

import json
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from handoff import keys
from handoff.cli.answers import NotSo, read_id, read_service, run, this_site
from handoff.cli.progress import err, out, show
from handoff.keys import KeyRecord, WrongScopes
from handoff.services import SERVICES
from handoff.site import ENVIRONMENT, Site
from handoff.views import open_database
from shared.web.keys import NewKey, read_key

_SCOPES = "\n\n".join(f"{service}: {' '.join(scopes)}" for service, scopes in keys.SCOPES.items())

app = typer.Typer(no_args_is_help=True, help="Keys for the services' APIs.")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
OneService = Annotated[
    str | None, typer.Option("--service", metavar="SERVICE", help="Only this one's.")
]


@app.command(epilog=f"Scopes of {_SCOPES}\n\n{ENVIRONMENT}")
def create(
    *,
    service: Annotated[str, typer.Option(metavar="SERVICE", callback=read_service)],
    scope: Annotated[
        list[str], typer.Option(metavar="SCOPE", help="What it may do; may be given repeatedly.")
    ],
    more: Annotated[list[str] | None, typer.Argument(metavar="SCOPE")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="ID", help="The only source that it is for.")
    ] = None,
    name: Annotated[str, typer.Option(help="Who has it; shown in lists and in orders.")] = "",
    as_json: AsJson = False,
) -> None:
    """Give a key for a service's API. It is shown once and stored as a hash.

    Example: handoff keys create --service marketing-intake --scope leads:write --name website
    """
    scopes = [word for text in [*scope, *(more or [])] for word in text.replace(",", " ").split()]
    source_id = read_id(source) if source else None
    try:
        keys.check_scopes(service, scopes, source_id)
    except WrongScopes as error:
        raise typer.BadParameter(str(error)) from None
    key = run(
        _create(this_site(), service, name or f"key for {' '.join(scopes)}", scopes, source_id)
    )
    if as_json:
        typer.echo(json.dumps({"key": key.text, "id": key.key_id}))
    else:
        typer.echo(key.text)
        err.print(f"The key {key.key_id} of {service}: it is not shown again.", style="dim")


@app.command("list", epilog=ENVIRONMENT)
def list_keys(*, service: OneService = None, as_json: AsJson = False) -> None:
    """List keys, without their secrets.

    Example: handoff keys list --service notifier
    """
    names = [read_service(service)] if service else [each.name for each in SERVICES]
    found = run(_list(this_site(), names))
    if as_json:
        typer.echo(json.dumps([key.model_dump(mode="json") for key in found]))
    else:
        show(_table(found))


@app.command(epilog=ENVIRONMENT)
def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id, or the key itself.")],
    *,
    service: OneService = None,
) -> None:
    """Take a key back: within 5 seconds nobody is let in by it.

    Example: handoff keys revoke 3kTMd9uLqV2x
    """
    names = [read_service(service)] if service else [each.name for each in SERVICES]
    whole = read_key(key)
    key_id = whole[0] if whole else key
    where = run(_revoke(this_site(), names, key_id))
    out.print(f"Revoked the key {key_id} of {where}.")


async def _create(
    site: Site, service: str, name: str, scopes: list[str], source_id: UUID | None
) -> NewKey:
    async with open_database(site, service, read_only=False) as connection:
        return await keys.create(connection, name=name, scopes=scopes, source_id=source_id)


async def _list(site: Site, services: list[str]) -> list[KeyRecord]:
    found: list[KeyRecord] = []
    for service in services:
        async with open_database(site, service) as connection:
            found += await keys.listed(connection, service)
    return found


async def _revoke(site: Site, services: list[str], key_id: str) -> str:
    for service in services:
        async with open_database(site, service, read_only=False) as connection:
            if await keys.revoke(connection, key_id):
                return service
    raise NotSo(f"No live key has the id {key_id}: `handoff keys list` shows all.")


def _table(found: list[KeyRecord]) -> Table:
    table = Table("service", "id", "name", "scopes", "source", "last used", "state", box=None)
    for key in found:
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        source = str(key.source_id) if key.source_id else "any"
        words = (key.service, key.id, key.name, " ".join(key.scopes), source, used, _state(key))
        table.add_row(*words)
    return table


def _state(key: KeyRecord) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
    return f"until {key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "live"
