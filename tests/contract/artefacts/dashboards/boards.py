"""The three dashboards: the way of the leads, one service, and what is under them."""

from tests.contract.artefacts.dashboards.board import Board, Panel
from tests.contract.artefacts.dashboards.queries import (
    most,
    quantile,
    quantiles,
    rate,
    share_within,
)

_HOP = "handoff_event_age_seconds"
_STORY = "handoff_story_age_seconds"
_SPEED = "handoff_speed_to_lead_seconds"
_OF = 'service="$service"'
_AWAY = 'reason="infrastructure"'
_LOST_OR_LATE = (
    Panel("Leads missing", [(most("handoff_leads_missing"), "")], kind="stat", width=4, height=4,
          limit=1, meaning="Lost somewhere, or against an invariant: 0, or somebody is woken."),
    Panel("Last audit", [(f"time() - {most('handoff_audit_timestamp_seconds')}", "")], "s", "stat",
          4, 4, 300),
    Panel("In time, last hour", [("1 - handoff:leads_late:ratio_rate1h", "")], "percentunit",
          "stat", 4, 4, meaning="What was done for leads within 10 s of their receipt."),
    Panel("Leads parked", [(f"sum({most('handoff_parked_leads', 'service', 'reason')})", "")],
          kind="stat", width=4, height=4, limit=1),
    Panel("Oldest without outcome", [
        (most("handoff_submission_oldest_unresolved_seconds", where='state="received"'), "")],
        "s", "stat", 4, 4, 60),
    Panel("Taken on within 5 minutes", [(share_within("300.0", _SPEED, "1d"), "")],
          "percentunit", "stat", 4, 4, meaning="Of the deals that reps took on in the last day."),
)  # fmt: skip
_WAY = (
    Panel("Posted, by outcome", [
        (rate("handoff_submissions_total", "outcome"), "{{outcome}}")], "reqps"),
    Panel("From receipt to effect", quantiles(_STORY, "service"), "s", limit=10,
        meaning="Since the submission or request that an event goes back to."),
    Panel("Each hop, 99 of 100 within", [
        (quantile(0.99, "handoff_submission_age_seconds"), "submission to lead"),
        (quantile(0.99, _HOP, "service", "topic"), "{{service}} hears {{topic}}")], "s"),
    Panel("Oldest without outcome, by state", [
        (most("handoff_submission_oldest_unresolved_seconds", "state"), "{{state}}")], "s"),
    Panel("Wait to be sent", [(most("handoff_outbox_depth", "service"), "{{service}}")]),
    Panel("Oldest that waits to be sent", [
        (most("handoff_outbox_oldest_unpublished_seconds", "service"), "{{service}}")], "s",
        limit=60),
    Panel("Wait to be heard", [
        ("sum by (service, topic) (handoff_consumer_lag)", "{{service}} {{topic}}")]),
    Panel("Parked leads", [
        (most("handoff_parked_leads", "service", "reason"), "{{service}} {{reason}}")]),
    Panel("Broken invariants", [(most("handoff_audit_broken", "invariant"), "{{invariant}}")]),
)  # fmt: skip
_SALES = (
    Panel("Speed to lead", quantiles(_SPEED), "s",
          meaning="From the receipt of what led to a deal until a rep took it on."),
    Panel("Tasks ring late by", quantiles("handoff_task_late_seconds"), "s", limit=30),
    Panel("An audit takes", [(most("handoff_audit_seconds", "look"), "{{look}}")], "s"),
)  # fmt: skip
_PROMISES = tuple(
    Panel(title, [(f"handoff:{name}:ratio_rate{window}", window) for window in ("5m", "1h", "6h")],
          "percentunit", limit=allowed, meaning=f"The month's allowance is {allowed:.2%}.")
    for title, name, allowed in (
        ("Posted and not taken", "intake_failures", 0.0005),
        ("Stored after more than 250 ms", "intake_slow", 0.01),
        ("Done after more than 10 s", "leads_late", 0.001),
    )
)  # fmt: skip

_REQUESTS = (
    Panel("Requests", [
        (rate("handoff_http_request_seconds_count", "method", "route", where=_OF),
         "{{method}} {{route}}")], "reqps"),
    Panel("Errors", [
        (rate("handoff_http_request_seconds_count", "route", "status",
              where=f'{_OF}, status=~"[45].."'), "{{status}} {{route}}"),
        (rate("handoff_http_turned_away_total", where=_OF), "turned away")], "reqps"),
    Panel("99 of 100 requests within", [
        (quantile(0.99, "handoff_http_request_seconds", "route", where=_OF), "{{route}}")], "s"),
)  # fmt: skip
_EVENTS = (
    Panel("Events heard", [
        (rate("handoff_events_heard_total", "topic", "effect", where=_OF), "{{topic}} {{effect}}")],
        "eps"),
    Panel("Events in a batch", quantiles("handoff_consumer_batch_events", where=_OF)),
    Panel("A batch takes", quantiles("handoff_consumer_batch_seconds", where=_OF), "s"),
    Panel("Events sent together", quantiles("handoff_relay_batch_rows", where=_OF)),
    Panel("Timers fired", [
        (rate("handoff_timers_fired_total", "timer", where=_OF), "{{timer}}")], "eps"),
    Panel("Spans", [(rate("handoff_spans_total", "outcome", where=_OF), "{{outcome}}")], "eps"),
)  # fmt: skip
_LOOPS = (
    Panel("Since a loop got on", [
        (most("handoff_loop_seconds_since_progress", "instance", "loop", where=_OF),
         "{{instance}} {{loop}}")], "s", limit=300),
    Panel("Held on purpose", [
        (f"{most('handoff_loop_held', 'instance', 'loop', 'reason', where=_OF)} > 0",
         "{{instance}} {{loop}}: {{reason}}")]),
    Panel("Holds a lease", [
        (f"handoff_lease_epoch{{{_OF}}} > bool 0", "{{instance}} {{lease}}")]),
    Panel("Breaker", [(most("handoff_breaker_open", "instance", where=_OF), "{{instance}}")],
          limit=1),
    Panel("Records that are no events", [
        (most("handoff_unreadable_records", where=_OF), "records")], limit=1),
    Panel("Leads that Kafka refuses", [
        (rate("handoff_relay_held_subjects_total", "instance", where=_OF), "{{instance}}")], "eps"),
)  # fmt: skip
_PROCESSES = (
    Panel("Processor", [
        (f"rate(process_cpu_seconds_total{{{_OF}}}[$__rate_interval])", "{{instance}}")],
        "percentunit"),
    Panel("Memory", [(f"process_resident_memory_bytes{{{_OF}}}", "{{instance}}")], "bytes"),
    Panel("Open files", [(f"process_open_fds{{{_OF}}}", "{{instance}}")]),
    Panel("Tasks in the loop", [(f"handoff_asyncio_tasks{{{_OF}}}", "{{instance}}")]),
    Panel("Code that runs", [(f"handoff_build_info{{{_OF}}}", "")], kind="table", width=16),
)  # fmt: skip

_KAFKA = (
    Panel("Brokers take a batch", quantiles("handoff_relay_ack_seconds", "service"), "s"),
    Panel("Events sent", [(rate("handoff_relay_batch_rows_sum", "service"), "{{service}}")], "eps"),
    Panel("Offsets that were not taken", [
        (rate("handoff_offset_commit_failed_total", "service"), "{{service}}")], "eps",
        meaning="Harmless: what is a repeat, the database decides."),
    Panel("Wait to be heard", [
        ("sum by (service, topic) (handoff_consumer_lag)", "{{service}} {{topic}}")]),
    Panel("Loops that wait for Kafka or Postgres", [
        (f"{most('handoff_loop_held', 'service', 'loop', where=_AWAY)} > 0",
         "{{service}} {{loop}}")], width=16),
)  # fmt: skip
_POSTGRES = (
    Panel("A submission is stored within", quantiles("handoff_capture_seconds"), "s", limit=0.25),
    Panel("Submissions that share a commit", quantiles("handoff_capture_batch_rows")),
    Panel("Submissions refused", [
        (rate("handoff_capture_refused_total", "cause"), "{{cause}}")], "reqps"),
    Panel("A batch's transaction", quantiles("handoff_consumer_batch_seconds", "service"), "s"),
    Panel("Rows that wait in outboxes", [(most("handoff_outbox_depth", "service"), "{{service}}")]),
    Panel("Old days that cannot go", [
        (most("handoff_old_days_kept", "service", "table"), "{{service}} {{table}}")]),
)  # fmt: skip

BOARDS = {
    "leads": Board("handoff-leads", "Handoff: leads", (
        ("Is all well?", _LOST_OR_LATE), ("The way of a lead", _WAY), ("Sales", _SALES),
        ("Promises", _PROMISES))),
    "service": Board("handoff-service", "Handoff: a service", (
        ("Requests", _REQUESTS), ("Events", _EVENTS), ("Loops", _LOOPS),
        ("Processes", _PROCESSES)), of_a_service=True),
    "platform": Board("handoff-platform", "Handoff: Kafka and Postgres", (
        ("Kafka, as relays and consumers meet it", _KAFKA),
        ("Postgres, as the services meet it", _POSTGRES))),
}  # fmt: skip
