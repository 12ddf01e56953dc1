"""Wires scoring by hand: what its API and its worker are made of. Nothing is built at import."""

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_scoring.adapters.desks import Desks
from lead_scoring.config import Settings
from lead_scoring.entrypoints.api import SERVICE, build_api
from lead_scoring.entrypoints.context import Context
from lead_scoring.entrypoints.worker import ScoringHearer
from shared.code import version_of
from shared.messaging.worker import Worker
from shared.process import Service
from shared.telemetry.heartbeat import Heartbeats
from shared.web.app import Lifespan
from shared.web.keys import Keyring


def scoring() -> Service[Settings]:
    """Return the service, for `shared.process` to run."""
    return Service(name=SERVICE, settings=_settings, api=make_api, worker=make_worker)


def make_api(_settings: Settings, engine: AsyncEngine, lifespan: Lifespan) -> FastAPI:
    """Return what answers HTTP."""
    return build_api(Context(engine=engine, keyring=Keyring(engine)), lifespan=lifespan)


def make_worker(settings: Settings, engine: AsyncEngine, heartbeats: Heartbeats) -> Worker:
    """Return what hears, scores and says."""
    return Worker(
        engine=engine,
        settings=settings,
        service=SERVICE,
        version=version_of(SERVICE),
        heartbeats=heartbeats,
        hearer=ScoringHearer(Desks()),
    )


def _settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  pydantic reads the environment
