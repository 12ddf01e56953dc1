"""What a first run is given to play with once all is up: sources, reps, keys, a `curl` line.

Made once and kept in `.run/demo.json`, so a restart finds the same keys. It is never in the way:
where it cannot be made, `handoff up` says so and goes on.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from pydantic import BaseModel, Field, ValidationError

from handoff import keys
from handoff.demo.sources import Source, keep_sources
from handoff.door import Refused, ask, enter, open_client
from handoff.layout import find_layout
from handoff.secret_file import write_privately
from handoff.site import NotFound, Site, site_of
from handoff.state import SystemState
from handoff.views import open_database

_NAME = "demonstration"
_TAKEN = 409
_REPS = ("Ada Lovelace", "Grace Hopper", "Emmy Noether")
_LEAD = {
    "email": "anna.schmidt@acme.example.com",
    "first_name": "Anna",
    "last_name": "Schmidt",
    "company": "ACME",
    "job_title": "Head of Operations",
    "form_id": "demo-request",
    "message": "Please show us a demo next week.",
}
_EXPECTED = (
    NotFound, Refused, httpx.HTTPError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError,
)  # fmt: skip


class Seeds(BaseModel):
    """What was made. A key per service; the one of marketing-intake writes to the API source."""

    keys: dict[str, str]
    api_source: str
    form_path: str
    ads_path: str
    ads_key: str | None = Field(description="null where an earlier run was shown it")


async def seed(running: SystemState) -> str:
    """Make the demonstration's records unless they exist; return the text that `up` prints."""
    path = find_layout(os.environ).run / "demo.json"
    site = site_of(running)
    try:
        seeds = _read(path)
        if seeds is None or not await _known(site, seeds):
            seeds = await _make(site)
            write_privately(path, seeds.model_dump_json(indent=2) + "\n")
    except _EXPECTED as error:
        return f"\nThe demonstration's sources, reps and keys were not made: {error}"
    return _text(site, seeds, path)


def _read(path: Path) -> Seeds | None:
    """Return what an earlier run kept."""
    if not path.exists():
        return None
    try:
        return Seeds.model_validate_json(path.read_text())
    except ValidationError:
        return None


async def _known(site: Site, seeds: Seeds) -> bool:
    """Tell whether these databases know what was kept."""
    service = "marketing-intake"
    async with open_client(site.api(service), seeds.keys[service]) as client:
        try:
            await ask(client, "GET", f"/v1/sources/{seeds.api_source}")
        except Refused:
            return False
    return True


async def _make(site: Site) -> Seeds:
    """Make everything; what another run has made is taken as it is."""
    sources = await _sources(site)
    await _reps(site)
    api_source = sources["api"]["id"]
    return Seeds(
        keys={service: await _key(site, service, api_source) for service in keys.SCOPES},
        api_source=api_source,
        form_path=sources["form"]["path"],
        ads_path=sources["ads"]["path"],
        ads_key=sources["ads"].get("google_key"),
    )


async def _sources(site: Site) -> dict[str, Source]:
    wanted: dict[str, dict[str, Any]] = {
        "api": {"name": "Demo website", "kind": "api", "channel": "content"},
        "form": {"name": "Demo contact form", "kind": "form", "channel": "content"},
        "ads": {"name": "Demo Google Ads", "kind": "google_ads", "channel": "advertising"},
    }
    scopes = ["sources:write", "leads:read"]
    async with enter(site, "marketing-intake", scopes, name=_NAME) as client:
        return await keep_sources(client, wanted)


async def _reps(site: Site) -> None:
    async with enter(site, "sales-pipeline", ["reps:write"], name=_NAME) as client:
        for name in _REPS:
            email = f"{name.lower().replace(' ', '.')}@sales.example.com"
            try:
                await ask(client, "POST", "/v1/reps", json={"name": name, "email": email})
            except Refused as refused:
                if refused.status != _TAKEN:
                    raise


async def _key(site: Site, service: str, api_source: str) -> str:
    """Give a key with all scopes but those of operators; marketing-intake's for one source."""
    scopes = [scope for scope in keys.SCOPES[service] if scope != keys.OPERATE]
    source_id = None
    if service == "marketing-intake":
        source_id, scopes = UUID(api_source), ["leads:write", "leads:read"]
    async with open_database(site, service, read_only=False) as connection:
        key = await keys.create(connection, name=_NAME, scopes=scopes, source_id=source_id)
    return key.text


def _text(site: Site, seeds: Seeds, path: Path) -> str:
    """Return what to try: a line that can be pasted into a shell, and what comes after it."""
    key = seeds.keys["marketing-intake"]
    handoff = _near(Path(sys.executable).with_name("handoff"))
    curl = (
        f"curl -sS {site.api('marketing-intake')}/v1/leads -H 'Authorization: Bearer {key}'"
        f" -H 'Content-Type: application/json' -H 'Prefer: wait=5' -d '{json.dumps(_LEAD)}'"
    )
    return f"""
Send a lead:

  {curl}

and follow it with the lead_id of the answer, or send a few hundred:

  {handoff} trace LEAD_ID
  {handoff} demo

Keys for every service, and where a form and Google Ads post to: {_near(path)}
"""


def _near(path: Path) -> str:
    """Return a path as it is written from here, if it is below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
