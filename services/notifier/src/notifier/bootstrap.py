"""Wires the notifier by hand: what its API and its worker are made of; builds nothing at import."""

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from notifier.config import Settings
from notifier.entrypoints.api import SERVICE, build_api
from notifier.entrypoints.context import Context
from notifier.entrypoints.recalling import recall
from notifier.entrypoints.timer import TaskTimer
from notifier.entrypoints.worker import NotifierHearer
from shared.code import version_of
from shared.messaging.worker import Worker
from shared.process import Service
from shared.telemetry.heartbeat import Heartbeats
from shared.web.app import Lifespan
from shared.web.keys import Keyring


def notifier() -> Service[Settings]:
    """Return the service, for `shared.process` to run."""
    return Service(name=SERVICE, settings=_settings, api=make_api, worker=make_worker)


def make_api(_settings: Settings, engine: AsyncEngine, lifespan: Lifespan) -> FastAPI:
    """Return what answers HTTP."""
    return build_api(Context(engine=engine, keyring=Keyring(engine)), lifespan)


def make_worker(settings: Settings, engine: AsyncEngine, heartbeats: Heartbeats) -> Worker:
    """Return what hears, makes tasks, rings them and says so."""
    return Worker(
        engine=engine,
        settings=settings,
        service=SERVICE,
        version=version_of(SERVICE),
        heartbeats=heartbeats,
        hearer=NotifierHearer(),
        recall=recall,
        timers=[TaskTimer()],
    )


def _settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  pydantic reads the environment
