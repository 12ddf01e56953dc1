"""The product as the benchmark's client meets it: a key, a source, reps, and leads to post."""

from dataclasses import dataclass

from handoff import keys
from handoff.bench import leads
from handoff.bench.client import Sample, load
from handoff.bench.installation import Installation
from handoff.bench.leads import Make
from handoff.door import ask, open_client
from handoff.site import Site
from handoff.views import open_database

_NAME = "handoff bench"
_INTAKE, _SALES = "marketing-intake", "sales-pipeline"
_REPS = ("Ada Lovelace", "Grace Hopper", "Emmy Noether")


@dataclass(frozen=True, slots=True)
class Product:
    """Where leads are posted to."""

    url: str
    make: Make

    async def load(self, *, at_once: int, seconds: float, most: int = 1_000_000_000) -> Sample:
        """Let so many clients post for some seconds, or until so many leads were posted.

        Raises:
            BadAnswers: not every answer was good.
        """
        sample = await load(self.url, self.make, at_once=at_once, seconds=seconds, most=most)
        return sample.all_good()


async def open_product(installation: Installation) -> Product:
    """Make a source and a key for it; the intake's API must run."""
    site = installation.site
    key = await make_key(site, _INTAKE, "leads:write", "sources:write")
    async with open_client(site.api(_INTAKE), key) as client:
        wanted = {"name": _NAME, "kind": "api", "channel": "advertising"}
        source = (await ask(client, "POST", "/v1/sources", json=wanted)).json()["id"]
    url = f"{site.api(_INTAKE)}/v1/leads"
    lead = leads.of_product(source)
    return Product(url, leads.numbered(url, lead, {"Authorization": f"Bearer {key}"}))


async def add_reps(installation: Installation) -> None:
    """Make who gets the deals; the pipeline's API must run."""
    key = await make_key(installation.site, _SALES, "reps:write")
    async with open_client(installation.site.api(_SALES), key) as client:
        for name in _REPS:
            email = f"{name.lower().replace(' ', '.')}@sales.example.com"
            await ask(client, "POST", "/v1/reps", json={"name": name, "email": email})


async def make_key(site: Site, service: str, *scopes: str) -> str:
    """Return a key that lasts as long as its database."""
    async with open_database(site, service, read_only=False) as connection:
        return (await keys.create(connection, name=_NAME, scopes=scopes)).text
