"""What must hold after any storm: nothing lost, doubled, out of order, or from nowhere.

Each check counts violations, asks databases and topics alone, and looks only at the services that
a rig has. Nothing is what it should be.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tests.faults.ledger import Ledger
from tests.faults.rig.quiet import NotQuiet, quiet
from tests.faults.rig.rig import SERVICES, Rig
from tests.stack.topics import Streams, read_back

from handoff.audit.behind import KEPT
from handoff.audit.reconcile import Scope, reconcile
from handoff.site import Site
from shared.contracts.catalogue import TOPICS, heard_by, said_by

INTAKE, SCORING, PIPELINE, NOTIFIER = (
    "marketing_intake", "lead_scoring", "sales_pipeline", "notifier"
)  # fmt: skip


@dataclass
class Evidence:
    """What a scenario knows: its rig, what was sent and said from outside, what the topics hold."""

    rig: Rig
    ledger: Ledger = field(default_factory=Ledger)
    fed: Mapping[tuple[str, UUID], int] = field(default_factory=dict)
    log: Streams = field(default_factory=dict)


Check = Callable[[Evidence], Awaitable[int]]
Findings = dict[str, int]


async def balance(
    rig: Rig,
    *,
    ledger: Ledger | None = None,
    fed: Mapping[tuple[str, UUID], int] | None = None,
    within: float = 30.0,
) -> Findings:
    """Wait until all is heard; return what is broken, and whether it never came to rest."""
    if ledger and ledger.unknown:
        print(f"not answered 2xx at once: {dict(ledger.unknown)}")
    try:
        print(f"at rest after {await quiet(rig, fed, within=within):.1f} s")
    except NotQuiet as error:
        print(error, {name: await process.troubles() for name, process in rig.processes.items()})
        return {"still on its way": 1} | await broken(rig, ledger=ledger, fed=fed)
    return await broken(rig, ledger=ledger, fed=fed)


async def broken(
    rig: Rig,
    *,
    ledger: Ledger | None = None,
    fed: Mapping[tuple[str, UUID], int] | None = None,
) -> Findings:
    """Return the invariants that do not hold, with how often."""
    evidence = await evidence_of(rig, ledger, fed)
    counts = {
        name: await check(evidence)
        for name, (services, check) in CHECKS.items()
        if services <= rig.urls.keys()
    }
    return {name: count for name, count in counts.items() if count}


async def evidence_of(
    rig: Rig,
    ledger: Ledger | None = None,
    fed: Mapping[tuple[str, UUID], int] | None = None,
) -> Evidence:
    """Return all that there is to judge by, the topics as they are now."""
    log = await read_back(rig.kafka, [topic.name for topic in TOPICS])
    return Evidence(rig, ledger or Ledger(), fed or {}, log)


async def _lost_submissions(evidence: Evidence) -> int:
    """Every key that was answered 2xx is stored, under the very receipt that was answered."""
    rows = await evidence.rig.ask(
        INTAKE,
        """
        SELECT k.key, k.receipt_id FROM submission_key k
        WHERE EXISTS (SELECT FROM submission s WHERE s.id = k.receipt_id)
        """,
    )
    found = {row["key"].removeprefix("key:"): str(row["receipt_id"]) for row in rows}
    return sum(found.get(key) != receipt for key, receipt in evidence.ledger.receipts.items())


async def _doubled_submissions(evidence: Evidence) -> int:
    """One key, one submission: its body is told from all others by its `message`."""
    return await evidence.rig.one(
        INTAKE, "SELECT count(*) - count(DISTINCT body) FROM submission WHERE body <> ''"
    )


async def _phantoms(evidence: Evidence) -> int:
    """Nothing is stored that nobody sent, or whose sender was told that it is refused."""
    if not evidence.ledger.sent:
        return 0
    rows = await evidence.rig.ask(INTAKE, "SELECT key FROM submission_key")
    return len({row["key"].removeprefix("key:") for row in rows} - evidence.ledger.may_be_stored)


async def _without_outcome(evidence: Evidence) -> int:
    return await evidence.rig.one(
        INTAKE, "SELECT count(*) FROM submission WHERE outcome IS NULL AND state <> 'waiting'"
    )


async def _doubled_leads(evidence: Evidence) -> int:
    return await evidence.rig.one(
        INTAKE, "SELECT count(*) - count(DISTINCT email) FROM lead WHERE email IS NOT NULL"
    )


async def _touched_unlike_submitted(evidence: Evidence) -> int:
    """Each submission that made or changed a lead left exactly one touchpoint."""
    return await evidence.rig.one(
        INTAKE,
        """
        SELECT count(*) FROM (
            SELECT FROM submission s LEFT JOIN touchpoint t ON t.submission_id = s.id
            WHERE s.outcome IN ('created', 'updated') AND s.body <> ''
            GROUP BY s.id HAVING count(t.id) <> 1
        ) odd
        """,
    )


async def _not_captured_once(evidence: Evidence) -> int:
    return await evidence.rig.one(
        INTAKE,
        """
        SELECT count(*) FROM lead l WHERE 1 <> (
            SELECT count(*) FROM outbox_archive a
            WHERE a.subject = l.id AND a.type = 'lead.captured.v1'
        )
        """,
    )


async def _misnumbered(evidence: Evidence) -> int:
    """What was archived of each stream is 1, 2, 3 … up to the last number given out, once each."""
    counts = [
        await evidence.rig.one(
            service,
            """
            SELECT count(*) FROM said_stream s
            LEFT JOIN LATERAL (
                SELECT count(*) AS events, count(DISTINCT sequence) AS numbers,
                       max(sequence) AS last
                FROM outbox_archive a WHERE a.subject = s.subject AND a.topic = s.topic
            ) a ON true
            WHERE (a.events, a.numbers, a.last)
                  IS DISTINCT FROM (s.last_sequence, s.last_sequence, s.last_sequence)
            """,
        )
        for service in evidence.rig.urls
    ]
    return sum(counts)


async def _not_in_the_log(evidence: Evidence) -> int:
    """What was archived is in its topic, the same events under the same numbers, and no other."""
    lost = 0
    for service in evidence.rig.urls:
        topics = said_by(service.replace("_", "-"))
        rows = await evidence.rig.ask(
            service, "SELECT topic, subject, sequence, event_id FROM outbox_archive"
        )
        said = {(r["topic"], r["subject"], r["sequence"], r["event_id"]) for r in rows}
        logged = {
            (topic, subject, envelope.sequence, envelope.event_id)
            for (topic, subject), stream in evidence.log.items()
            if topic in topics
            for envelope in stream.firsts
        }
        lost += len(said ^ logged)
    return lost


async def _out_of_order_in_the_log(evidence: Evidence) -> int:
    ours = {topic for service in evidence.rig.urls for topic in said_by(service.replace("_", "-"))}
    return sum(not stream.in_order for (topic, _), stream in evidence.log.items() if topic in ours)


async def _unheard(evidence: Evidence) -> int:
    """Every stream was heard, or is parked, up to its last number."""
    said = dict(evidence.fed)
    for service in evidence.rig.urls:
        rows = await evidence.rig.ask(service, "SELECT topic, subject, last_sequence FROM said")
        said |= {(r["topic"], r["subject"]): r["last_sequence"] for r in rows}
    odd = 0
    for service in evidence.rig.urls:
        topics = set(heard_by(service.replace("_", "-")))
        rows = await evidence.rig.ask(
            service, "SELECT topic, subject, last_sequence + parked AS have FROM heard"
        )
        have = {(r["topic"], r["subject"]): r["have"] for r in rows}
        mine = {stream: last for stream, last in said.items() if stream[0] in topics}
        odd += sum(have.get(stream, 0) != last for stream, last in mine.items())
        odd += len(have.keys() - mine.keys())
    return odd


async def _said_twice_of_one_cause(evidence: Evidence) -> int:
    """One event heard leads to one score said, one deal opened: never to two."""
    counts = [
        await evidence.rig.one(
            service,
            """
            SELECT count(*) FROM (
                SELECT FROM outbox_archive WHERE headers ? 'causation_id'
                GROUP BY subject, type, headers ->> 'causation_id' HAVING count(*) > 1
            ) twice
            """,
        )
        for service in {SCORING, PIPELINE} & evidence.rig.urls.keys()
    ]
    return sum(counts)


async def _touches_unlike_said(evidence: Evidence) -> int:
    """Scoring counted each touchpoint that was said, once; not what is parked or given up."""
    rows = await evidence.rig.ask(SCORING, "SELECT lead_id, touchpoints FROM lead_score")
    have = {row["lead_id"]: row["touchpoints"] for row in rows}
    gone = await evidence.rig.ask(
        SCORING,
        """
        SELECT id FROM subject WHERE erased_at IS NOT NULL
        UNION SELECT subject FROM parked_event
        UNION SELECT subject FROM parking_order WHERE verb = 'discard' AND count > 0
        """,
    )
    odd = {row[0] for row in gone}
    called = await _aliases(evidence, SCORING)
    touched: Counter[UUID] = Counter()
    for (topic, subject), stream in evidence.log.items():
        if topic in ("handoff.leads.v1", "handoff.touchpoints.v1"):
            touched[called.get(subject, subject)] += sum(
                b'"touchpoint"' in e.data for e in stream.firsts
            )
    return sum(have.get(lead, 0) != count for lead, count in touched.items() if lead not in odd)


async def _unscored(evidence: Evidence) -> int:
    called = await _aliases(evidence, INTAKE)
    known = await _ids(evidence, INTAKE, "SELECT id FROM lead WHERE erased_at IS NULL")
    leads = known - called.keys()
    parked = await _ids(evidence, SCORING, "SELECT subject FROM parked_event")
    scored = await _ids(evidence, SCORING, "SELECT lead_id FROM lead_score")
    return len((leads ^ scored) - parked)


async def _deals_unlike_qualified(evidence: Evidence) -> int:
    said = "SELECT DISTINCT subject FROM outbox_archive WHERE type = 'lead.qualified.v1'"
    called = await _aliases(evidence, PIPELINE)
    qualified = {called.get(lead, lead) for lead in await _ids(evidence, SCORING, said)}
    parked = await _ids(evidence, PIPELINE, "SELECT subject FROM parked_event")
    own = "SELECT lead_id FROM deal WHERE outcome IS DISTINCT FROM 'merged'"
    deals = await evidence.rig.ask(PIPELINE, own)
    once = {row[0] for row in deals}
    return len((qualified ^ once) - parked) + len(deals) - len(once)


async def _tasks_unlike_deals(evidence: Evidence) -> int:
    deals = await _ids(evidence, PIPELINE, "SELECT id FROM deal")
    tasks = await evidence.rig.ask(
        NOTIFIER, "SELECT deal_id FROM task WHERE kind = 'first_contact'"
    )
    once = {row[0] for row in tasks}
    return len(deals ^ once) + len(tasks) - len(once)


async def _rung_twice(evidence: Evidence) -> int:
    """A task is created, due and overdue once each."""
    return await evidence.rig.one(
        NOTIFIER,
        """
        SELECT count(*) FROM (
            SELECT FROM outbox_archive WHERE type <> 'task.completed.v1' AND payload <> ''
            GROUP BY type, convert_from(payload, 'UTF8')::jsonb ->> 'task_id' HAVING count(*) > 1
        ) twice
        """,
    )


async def _said_to_be_broken(evidence: Evidence) -> int:
    """What each service's own invariants say, as the audit asks them."""
    found = 0
    for service in evidence.rig.urls:
        for row in await evidence.rig.ask(service, "SELECT * FROM broken"):
            print(service, dict(row))
            found += 1
    return found


async def _found_by_the_audit(evidence: Evidence) -> int:
    """What `handoff audit --kafka` would tell: it must not know less than this does."""
    report = await reconcile(site_of(evidence.rig), wait=0, scope=Scope(topics=True))
    lost = sum(each.state not in KEPT for each in report.behind)
    fine = report.kafka is not None and report.kafka.fine
    return lost + len(report.violations) + report.passed_over + (not fine)


def site_of(rig: Rig) -> Site:
    """Return where the rig's databases are, as the audit wants to know it."""
    databases = {name.replace("_", "-"): url for name, url in rig.urls.items()}
    return Site(databases=databases, apis={}, kafka=rig.kafka)


async def _aliases(evidence: Evidence, service: str) -> dict[UUID, UUID]:
    """Return what merged leads became, as a service knows it."""
    rows = await evidence.rig.ask(
        service, "SELECT id, alias_of FROM subject WHERE alias_of IS NOT NULL"
    )
    return {row["id"]: row["alias_of"] for row in rows}


async def _ids(evidence: Evidence, service: str, sql: str) -> set[UUID]:
    return {row[0] for row in await evidence.rig.ask(service, sql)}


CHECKS: dict[str, tuple[set[str], Check]] = {
    "answered 2xx and not stored": ({INTAKE}, _lost_submissions),
    "one key, two submissions": ({INTAKE}, _doubled_submissions),
    "stored and never sent, or refused": ({INTAKE}, _phantoms),
    "stored and without an outcome": ({INTAKE}, _without_outcome),
    "one person, two leads": ({INTAKE}, _doubled_leads),
    "a submission without exactly one touchpoint": ({INTAKE}, _touched_unlike_submitted),
    "a lead without exactly one LeadCaptured": ({INTAKE}, _not_captured_once),
    "said under other numbers than 1, 2, 3": (set(), _misnumbered),
    "archived and not in the topic, or the reverse": (set(), _not_in_the_log),
    "out of order in the topic": (set(), _out_of_order_in_the_log),
    "said and not heard, or the reverse": (set(), _unheard),
    "said twice of one cause": (set(), _said_twice_of_one_cause),
    "broken by what a service says of itself": (set(), _said_to_be_broken),
    "touchpoints scored unlike those said": ({SCORING}, _touches_unlike_said),
    "a lead without a score, or the reverse": ({INTAKE, SCORING}, _unscored),
    "a qualified lead without exactly one deal": ({SCORING, PIPELINE}, _deals_unlike_qualified),
    "a deal without exactly one first contact": ({PIPELINE, NOTIFIER}, _tasks_unlike_deals),
    "a task that rang twice": ({NOTIFIER}, _rung_twice),
    "found by the audit": (set(SERVICES), _found_by_the_audit),
}
