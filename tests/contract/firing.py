"""For each alert: what lets it fire, and what must leave it silent, in the words of promtool."""

from dataclasses import dataclass

Series = dict[str, str]
"""By series, its values: `0+5x10` is 0, 5, 10 … fifty, `_` is none."""

_LONG = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An alert, and series with which it fires, or does not, at a time after their beginning."""

    alert: str
    window: str = ""
    bad: tuple[Series, ...]
    good: tuple[Series, ...]
    at: str = "30m"
    interval: str = "1m"


def constant(value: float) -> str:
    return f"{value}+0x{_LONG}"


def _gauge(alert: str, series: str, *, bad: float, good: float, at: str = "30m") -> Case:
    """Return the case of an alert on one gauge."""
    return Case(
        alert=alert, bad=({series: constant(bad)},), good=({series: constant(good)},), at=at
    )


def _shares(counts: str, parts: str, share: float) -> Series:
    """Return counters of which `parts` grows by a share of what `counts` grows by."""
    return {counts: f"0+100000x{_LONG}", parts: f"0+{100_000 * share:.0f}x{_LONG}"}


_PACES = ((14.4, "1h", "70m", "1m"), (6, "6h", "7h", "5m"), (1, "3d", "75h", "30m"))
"""How fast an allowance is used up, over which window, seen when, and counted how often."""


def _burns(alert: str, counts: str, bad: str, *, allowed: float) -> list[Case]:
    """Return the cases of the three alerts on how fast an allowance is used up.

    `bad`: a counter of what is against the promise; one with `le` counts what keeps it.
    """
    cases: list[Case] = []
    for pace, window, at, interval in _PACES:
        much, little = allowed * pace * 1.1, allowed * pace * 0.9
        fires, silent = (
            _shares(counts, bad, 1 - share if "le=" in bad else share) for share in (much, little)
        )
        cases.append(
            Case(
                alert=alert,
                window=window,
                bad=(fires,),
                good=(silent, {}),
                at=at,
                interval=interval,
            )
        )
    return cases


_REQUESTS = 'handoff_http_request_seconds_count{{method="POST",route="{0}",status="{1}"}}'
_LEASE = 'handoff_lease_epoch{lease="relay",service="notifier",instance="%s"}'
_RESOLVES = 'handoff_lease_epoch{lease="resolve",instance="%s"}'
_ROLES = [
    f'handoff_build_info{{service="{service}",role="{role}"}}'
    for service in ("marketing-intake", "lead-scoring", "sales-pipeline", "notifier")
    for role in ("api", "worker")
]
_ALL = dict.fromkeys(_ROLES, constant(1))
_AUDITED = "handoff_audit_timestamp_seconds"
_INTAKE = {'handoff_build_info{service="marketing-intake",instance="a"}': constant(1)}
_AWAY = 'handoff_http_turned_away_total{instance="%s"}'
_LATE = 'handoff_event_age_seconds_bucket{service="notifier",topic="handoff.deals.v1",le="%s"}'
_TASK = 'handoff_task_late_seconds_bucket{le="%s"}'
_REFUSED = 'handoff_capture_refused_total{cause="full"}'
HERE = {'handoff_build_info{namespace="handoff",pod="notifier-api-0"}': constant(1)}
INSTANCE = 'namespace="handoff",pod="%s",cnpg_io_cluster="postgres"'
UP = f"up{{{INSTANCE}}}"
_SAVED = f"barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{{{INSTANCE}}}"
_ARCHIVED = f"cnpg_pg_stat_archiver_seconds_since_last_archival{{{INSTANCE}}}"
_CLOSED = f'cnpg_collector_pg_wal_archive_status{{value="ready",{INSTANCE}}}'
_VOLUME = 'kubelet_volume_stats_%s_bytes{namespace="handoff",persistentvolumeclaim="postgres-1"}'


def instance(seen: dict[str, str], pod: str = "postgres-1") -> Series:
    """Return what an instance of Postgres shows, beside a process of ours in its namespace."""
    return HERE | {series % pod: values for series, values in seen.items()}


def _volume(left: str) -> Series:
    """Return a volume of 100 bytes with what is left of it."""
    return {**HERE, _VOLUME % "available": left, _VOLUME % "capacity": constant(100)}


def elsewhere(series: Series) -> Series:
    """Return the same where none of our processes is."""
    return {name: values for name, values in series.items() if name not in HERE}


_SAVED_EARLY = instance({_SAVED: constant(9000)}, "postgres-2")
_NEVER_SAVED = instance({UP: constant(1), _SAVED: constant(0)})
_STALLED = instance({_ARCHIVED: "590+60x100", _CLOSED: constant(1)})
_FULL = _volume(constant(9))
_FILLING = _volume("39-0.5x100")


def _bucketed(series: str, *, low: str, high: str, quick: bool) -> Series:
    """Return a histogram of which all or none is in the lower bucket."""
    grows, stays = f"0+60x{_LONG}", f"0+0x{_LONG}"
    return {series % low: grows if quick else stays, series % high: grows, series % "+Inf": grows}


CASES = [
    *_burns("HandoffIntakeFails", _REQUESTS.format("/v1/leads", 201),
            _REQUESTS.format("/v1/leads", 503), allowed=0.0005),
    *_burns("HandoffIntakeSlow", "handoff_capture_seconds_count",
            'handoff_capture_seconds_bucket{le="0.25"}', allowed=0.01),
    *_burns("HandoffLeadsLate", "handoff_story_age_seconds_count",
            'handoff_story_age_seconds_bucket{le="10.0"}', allowed=0.001),
    _gauge("HandoffLeadsMissing", "handoff_leads_missing", bad=1, good=0, at="1m"),
    Case(alert="HandoffAuditTooOld", bad=({}, {_AUDITED: constant(1)}),
         good=({_AUDITED: f"0+60x{_LONG}"},)),
    Case(alert="HandoffServiceGone", good=(_ALL,),
         bad=({}, dict.fromkeys(_ROLES[1:], constant(1)))),
    _gauge("HandoffOutboxOld", 'handoff_outbox_oldest_unpublished_seconds{service="notifier"}',
           bad=61, good=59),
    Case(alert="HandoffNobodyRelays",
         bad=({_LEASE % "a": constant(0), _LEASE % "b": constant(0)},),
         good=({_LEASE % "a": constant(0), _LEASE % "b": constant(7)},)),
    Case(alert="HandoffEventsLate",
         bad=(_bucketed(_LATE, low="10.0", high="30.0", quick=False),),
         good=(_bucketed(_LATE, low="10.0", high="30.0", quick=True),)),
    _gauge("HandoffLagGrows", 'handoff_consumer_lag{service="notifier",topic="handoff.leads.v1"}',
           bad=10_001, good=9_999),
    _gauge("HandoffLoopStuck", 'handoff_loop_seconds_since_progress{loop="relay",instance="a"}',
           bad=301, good=299),
    _gauge("HandoffBreakerOpen", 'handoff_breaker_open{service="notifier"}', bad=1, good=0),
    _gauge("HandoffConflict", 'handoff_parked_leads{reason="conflict"}', bad=1, good=0),
    Case(alert="HandoffLeadsParked",
         bad=({'handoff_parked_leads{reason="poison"}': constant(1)},
              {'handoff_parked_leads{reason="gap"}': constant(1)}),
         good=({'handoff_parked_leads{reason="poison"}': constant(0)},
               {'handoff_parked_leads{reason="busy"}': constant(1)},
               {'handoff_parked_leads{reason="gap"}': f"0x20 1x5 0x{_LONG}"})),
    _gauge("HandoffRelayHeld", 'handoff_parked_leads{reason="held"}', bad=1, good=0),
    _gauge("HandoffUnreadableRecords", "handoff_unreadable_records", bad=1, good=0),
    _gauge("HandoffSubmissionsUnresolved",
           'handoff_submission_oldest_unresolved_seconds{state="received"}', bad=61, good=59),
    Case(alert="HandoffNobodyResolves",
         bad=({_RESOLVES % "a": constant(0), _RESOLVES % "b": constant(0)},),
         good=({_RESOLVES % "a": constant(0), _RESOLVES % "b": constant(7)},)),
    _gauge("HandoffSubmissionsParked",
           'handoff_submission_oldest_unresolved_seconds{state="parked"}', bad=5, good=0),
    Case(alert="HandoffTurnedAway", bad=({_AWAY % "b": f"0+1x{_LONG}"},),
         good=({_AWAY % "b": constant(9)},)),
    Case(alert="HandoffSubmissionsRefused", bad=({_REFUSED: f"0+1x{_LONG}"},),
         good=({_REFUSED: constant(9)},)),
    Case(alert="HandoffTasksLate", bad=(_bucketed(_TASK, low="30.0", high="60.0", quick=False),),
         good=(_bucketed(_TASK, low="30.0", high="60.0", quick=True),), at="40m"),
    # Who is turned away is not answered; and what is over long ago does not wake anybody.
    Case(alert="HandoffIntakeFails", window="1h",
         bad=({**_INTAKE, _AWAY % "a": f"0+1x{_LONG}",
               _REQUESTS.format("/v1/leads", 201): f"0+50x{_LONG}"},),
         good=({**_INTAKE, _AWAY % "b": f"0+1x{_LONG}",
                _REQUESTS.format("/v1/leads", 201): f"0+50x{_LONG}"},
               {_REQUESTS.format("/v1/leads", 201): f"0+50x{_LONG}",
                _REQUESTS.format("/v1/leads", 503): f"0+50x55 2750+0x{_LONG}"},
               {_REQUESTS.format("/v1/leads", 201): f"0+50x{_LONG}",
                _REQUESTS.format("/v1/leads", 422): f"0+50x{_LONG}",
                _REQUESTS.format("/v1/touchpoints", 503): f"0+50x{_LONG}"}),
         at="70m"),
    # A backup is due after a day, and is looked for four hours later.
    Case(alert="HandoffBackupOld", interval="30m", at="28h",
         bad=(_NEVER_SAVED, instance({UP: constant(0)}), instance({UP: constant(1)})),
         good=(instance({UP: constant(1), _SAVED: "0x48 86400x100"}), HERE,
               instance({_SAVED: constant(0)}) | _SAVED_EARLY, elsewhere(_NEVER_SAVED))),
    Case(alert="HandoffLogNotSaved", at="10m",
         bad=(_STALLED, instance({_ARCHIVED: constant(-1), _CLOSED: constant(1)})),
         good=(instance({_ARCHIVED: "590+60x100", _CLOSED: constant(0)}),
               instance({_ARCHIVED: "9000+60x5 0+60x100", _CLOSED: constant(1)}),
               elsewhere(_STALLED))),
    Case(alert="HandoffVolumeNearlyFull", bad=(_FULL,),
         good=(_volume(constant(11)), elsewhere(_FULL))),
    Case(alert="HandoffVolumeFills", interval="30m", at="9h", bad=(_FILLING,),
         good=(_volume("90-0.5x100"), _volume("39+0.5x100"), _volume(constant(39)),
               elsewhere(_FILLING))),
]  # fmt: skip
