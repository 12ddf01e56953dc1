"""Every metric of the project, with its meaning: names by Prometheus' conventions.

Labels have few values: never an id, never a path.
"""

from functools import cache
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_HOURS = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 4 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY)

M = TypeVar("M", Counter, Gauge, Histogram)


@cache
def child(metric: M, *labels: str) -> M:
    """Return a metric under its labels, and keep it: to look it up costs more than to count.

    Not for one that is ever cleared.
    """
    return metric.labels(*labels)


SPANS = Counter("handoff_spans_total", "Spans that were to be exported", ["outcome"])
BUILD = Gauge(
    "handoff_build_info", "1; which code runs in this process", ["service", "role", "version"]
)

SINCE_PROGRESS = Gauge(
    "handoff_loop_seconds_since_progress",
    "Time since a loop last did work or saw that there is none",
    ["loop"],
)
LOOP_HELD = Gauge("handoff_loop_held", "1 while a loop waits on purpose", ["loop", "reason"])

REQUEST_SECONDS = Histogram(
    "handoff_http_request_seconds",
    "Time from a request's head to its answer, by route template",
    ["method", "route", "status"],
    buckets=_SECONDS,
)

TURNED_AWAY = Counter(
    "handoff_http_turned_away_total", "Requests answered 503 because too much arrived at once"
)
TASKS = Gauge("handoff_asyncio_tasks", "Tasks of this process that are not done")

CAPTURE_SECONDS = Histogram(
    "handoff_capture_seconds",
    "Time until a submission was stored or refused, in the queue and at its commit",
    buckets=_SECONDS,
)
CAPTURE_BATCH = Histogram("handoff_capture_batch_rows", "Rows that shared a commit", buckets=_ROWS)
CAPTURE_REFUSED = Counter("handoff_capture_refused_total", "Submissions answered 503", ["cause"])
SUBMISSIONS = Counter(
    "handoff_submissions_total", "Submissions by what became of them", ["outcome"]
)
SUBMISSION_AGE = Histogram(
    "handoff_submission_age_seconds",
    "Age of a submission when its outcome commits",
    buckets=_SECONDS,
)
OLDEST_UNRESOLVED = Gauge(
    "handoff_submission_oldest_unresolved_seconds",
    "Age of the oldest submission without outcome; told by who resolves",
    ["state"],
)

DAYS_KEPT = Gauge(
    "handoff_old_days_kept", "Old day partitions that hold what is still needed", ["table"]
)
OUTBOX_DEPTH = Gauge("handoff_outbox_depth", "Events that wait to be sent")
OUTBOX_OLDEST = Gauge(
    "handoff_outbox_oldest_unpublished_seconds", "Age of the oldest event that waits to be sent"
)
RELAY_BATCH = Histogram("handoff_relay_batch_rows", "Events sent together", buckets=_ROWS)
RELAY_SECONDS = Histogram(
    "handoff_relay_ack_seconds", "Time from reading a batch to its last ack", buckets=_SECONDS
)
RELAY_HELD = Counter("handoff_relay_held_subjects_total", "Subjects whose event cannot be sent")
LEASE_EPOCH = Gauge(
    "handoff_lease_epoch", "Epoch of a lease that this process holds; 0: it does not", ["lease"]
)

HEARD = Counter(
    "handoff_events_heard_total",
    "Events by topic and by what became of them: applied, ignored, passed, duplicate, parked",
    ["topic", "effect"],
)
BATCH_EVENTS = Histogram("handoff_consumer_batch_events", "Events a transaction", buckets=_ROWS)
BATCH_SECONDS = Histogram(
    "handoff_consumer_batch_seconds", "Time of a batch's transaction", buckets=_SECONDS
)
EVENT_AGE = Histogram(
    "handoff_event_age_seconds",
    "Age of an event when its effect commits",
    ["topic"],
    buckets=_SECONDS,
)
STORY_AGE = Histogram(
    "handoff_story_age_seconds",
    "Time since the submission or request that an event goes back to, when its effect commits",
    ["topic"],
    buckets=_SECONDS,
)
SPEED_TO_LEAD = Histogram(
    "handoff_speed_to_lead_seconds",
    "Time from the receipt of what led to a deal until a rep took the deal on",
    buckets=_HOURS,
)
CONSUMER_LAG = Gauge(
    "handoff_consumer_lag", "Events that wait for this member of the consumer group", ["topic"]
)
OFFSET_COMMIT_FAILED = Counter(
    "handoff_offset_commit_failed_total", "Offsets that Kafka did not take; harmless"
)
PARKED_LEADS = Gauge("handoff_parked_leads", "Leads that are parked in this service", ["reason"])
UNREADABLE_RECORDS = Gauge(
    "handoff_unreadable_records", "Records that are no events, kept aside: they belong to no lead"
)
BREAKER_OPEN = Gauge("handoff_breaker_open", "1 while the consumer is stopped by its breaker")
TIMERS_FIRED = Counter("handoff_timers_fired_total", "Subjects whose timer fired", ["timer"])
TASK_LATE = Histogram(
    "handoff_task_late_seconds", "How late after its time a task was rung as due", buckets=_SECONDS
)
