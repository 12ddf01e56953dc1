"""The workload `operations`: audits again and again, and shows on a port of its own what it found.

Every minute what moved lately and what was wrong before, every hour everything. An audit that
fails (Postgres starts again) is no crash: the last figures stay, and their age tells.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from uuid import UUID

from prometheus_client import Gauge
from pydantic import Field

from handoff.audit.reconcile import Scope, reconcile
from handoff.audit.report import Report
from handoff.examination import Finding, examine_database, examine_kafka
from handoff.services import SERVICES
from handoff.site import Site
from shared import limits
from shared.clock import utc_now
from shared.loggers import get_logger
from shared.messaging import backoff
from shared.settings import SilenceSettings, TelemetrySettings, WebSettings
from shared.telemetry import metrics, trail
from shared.telemetry.heartbeat import Heartbeat, Heartbeats
from shared.web import server
from shared.web.health import build_operations

log = get_logger(__name__)

# They stand here, not with the others: a process that never audits would show 0.
LEADS_MISSING = Gauge(
    "handoff_leads_missing",
    "Leads that are lost somewhere or break an invariant, by the last audit: 0, or wake somebody",
)
BROKEN = Gauge("handoff_audit_broken", "Violations by the last audit", ["invariant"])
AUDIT_SECONDS = Gauge("handoff_audit_seconds", "How long the last audit took", ["look"])
AUDIT_AT = Gauge("handoff_audit_timestamp_seconds", "When an audit was last finished; 0: never")

_OVERLAP = timedelta(minutes=5)
_SETTLING_SECONDS = 5.0
_BEAT_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 5.0
_MOST_NAMED = 10

Look = Callable[[], Awaitable[Sequence[Finding]]]
"""Examines one thing."""


class OperationsSettings(WebSettings, TelemetrySettings, SilenceSettings):
    """What the workload needs to know beside where the databases are."""

    audit_seconds: float = Field(
        default=60, ge=1, le=3600, description="time from one audit to the next"
    )
    full_audit_seconds: float = Field(
        default=3600, ge=1, le=604_800, description="time from one audit of everything to the next"
    )


def run_operations(site: Site, settings: OperationsSettings) -> int:
    """Audit until told to stop; return the process's exit code."""
    LEADS_MISSING.set(math.nan)
    metrics.BUILD.labels("operations", "audit", version("handoff")).set(1)
    heartbeats = Heartbeats(settings.silence_seconds)
    watch = Watch(site, settings, heartbeats.loop("audit"))
    operations = build_operations(heartbeats, {})
    return server.run(None, settings, operations, background=[watch.run, partial(_tell, site)])


async def _tell(site: Site, stop: asyncio.Event) -> None:
    """Warn of what is amiss; who audits goes on in spite of it."""
    looks: list[Look] = [partial(examine_database, site, service) for service in SERVICES]
    looks.append(partial(examine_kafka, site.kafka))
    await asyncio.gather(*(_tell_of(look, stop) for look in looks))
    await stop.wait()


async def _tell_of(look: Look, stop: asyncio.Event) -> None:
    """Warn of one thing; of what is away again and again, until it was there to be looked at."""
    while not stop.is_set():
        found = await look()
        for finding in found:
            if finding.notable or not finding.fine:
                log.warning("amiss", said=finding.text)
        if not any(finding.away for finding in found):
            return
        await backoff.sleep(_LOOK_AGAIN_SECONDS, stop)


@dataclass(slots=True)
class Watch:
    """The loop. `concern` holds whom the last audit did not find level: the next looks at them."""

    site: Site
    settings: OperationsSettings
    heartbeat: Heartbeat
    concern: set[UUID] = field(default_factory=set[UUID])
    looked_at: datetime = field(default_factory=utc_now)
    looked_at_all: float = -math.inf

    async def run(self, stop: asyncio.Event) -> None:
        """Audit until told to stop."""
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001  whatever it was, the next audit may succeed
                failures += 1
                log.warning("audit_failed", failures=failures, said=str(error), **trail.of(error))
                self.heartbeat.hold("infrastructure")
                rest = backoff.delay(failures)
            else:
                failures = 0
                self.heartbeat.free()
                self.heartbeat.progress()
                rest = self.settings.audit_seconds - (time.monotonic() - began)
            await self._rest(rest, stop)

    async def _look(self) -> None:
        began, now = time.monotonic(), utc_now()
        everything = began - self.looked_at_all >= self.settings.full_audit_seconds
        since = None if everything else self.looked_at - _OVERLAP
        report = await self._reconcile(Scope(since=since, watched=self.concern))
        if everything:
            self.looked_at_all = began
        if not report.passed_over:
            self.looked_at = now
        self.concern = report.subjects_of_concern()
        _show(report)

    async def _reconcile(self, scope: Scope) -> Report:
        """Audit for as long as there are leads: the limit is of a portion, so it begins anew."""
        clock = asyncio.get_running_loop().time
        async with asyncio.timeout(limits.AUDIT_PORTION) as limit, self.heartbeat.beating():
            return await reconcile(
                self.site,
                wait=_SETTLING_SECONDS,
                scope=scope,
                tell=lambda _what, _count: limit.reschedule(clock() + limits.AUDIT_PORTION),
            )

    async def _rest(self, seconds: float, stop: asyncio.Event) -> None:
        """Wait; a held loop stays held: it is the audit that must succeed, not the waiting."""
        end = time.monotonic() + seconds
        while not stop.is_set() and (left := end - time.monotonic()) > 0:
            self.heartbeat.beat()
            await backoff.sleep(min(left, _BEAT_SECONDS), stop)


def _show(report: Report) -> None:
    look = "lately" if report.since else "everything"
    LEADS_MISSING.set(report.missing)
    AUDIT_SECONDS.labels(look=look).set(report.seconds)
    AUDIT_AT.set(report.checked_at.timestamp() + report.seconds)
    BROKEN.clear()
    for invariant, count in report.broken.items():
        BROKEN.labels(invariant=invariant).set(count)
    log.info(
        "audited",
        look=look,
        leads=max(pair.subjects for pair in report.pairs),
        missing=report.missing,
        broken=report.broken,
        parked=sum(pair.parked for pair in report.pairs),
        balanced=report.balanced,
        kafka_answered=report.kafka_answered,
        seconds=report.seconds,
    )
    if report.missing:
        first = [str(each) for each in sorted(report.lost_or_broken())[:_MOST_NAMED]]
        log.error("leads_missing", count=report.missing, first=first, advice=report.advice)
