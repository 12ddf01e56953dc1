"""One lead that went all the way, and hands to spoil what became of it."""

from datetime import timedelta
from uuid import UUID

from tests.integration.handoff.databases import SCORES, Databases

from handoff.audit.reconcile import Scope, reconcile
from handoff.audit.report import Report
from shared.clock import utc_now
from shared.ids import new_id

SUBMISSION = """
    INSERT INTO submission (id, source_id, key, body, sender, received_at, state, lead_id)
    VALUES ($1, $2, $3, '', '{}', $4, $5, $6)
"""
_KEY = "INSERT INTO submission_key (source_id, key, receipt_id, hash) VALUES ($1, $2, $3, '')"
_EMAIL = "UPDATE lead SET email = $2 WHERE id = $1"
DEAL = """
    INSERT INTO deal (id, lead_id, opened_for, owner_id, stage, score, grade, outcome,
        closed_at, version, asked_at, created_at, updated_at)
    SELECT $2, $1, $1, id, 'new', 50, 'B2', $3, CASE WHEN $3::text IS NOT NULL THEN now() END, 1,
        now(), now(), now() FROM rep LIMIT 1
"""
_GIVEN_UP = """
    INSERT INTO parking_order (id, verb, subject, actor, done_at, count)
    VALUES ($1, 'discard', $2, 'Jo', now(), $3)
"""
_ALIAS = "INSERT INTO subject (id, alias_of) VALUES ($1, $2)"
_CARD = (
    "INSERT INTO lead (id, version, card, created_at, updated_at)"
    " VALUES ($1, 1, '{}', now(), now()) ON CONFLICT DO NOTHING"
)
TASK = """
    INSERT INTO task (id, playbook_id, playbook, trigger_event_id, informed_by, lead_id,
        opened_for, deal_id, role, kind, title, due_at, grace_seconds, state, next_at,
        version, created_at, updated_at)
    SELECT $3, id, name, $2, $2, $1, $1, $3, role,
        task_kind, '', now(), 1, 'open', now(), 1, now(),
        now() FROM playbook WHERE name = 'first contact'
"""
_SAID = """
    INSERT INTO outbox_archive (id, event_id, topic, subject, sequence, type, payload, headers,
        created_at, partition, "offset")
    VALUES (1, $1, $2, $3, $4, $5, '{}', '{}', $6, 0, 1)
"""
NUMBER = """
    INSERT INTO said_stream VALUES ($1, $2, $3)
    ON CONFLICT (topic, subject) DO UPDATE SET last_sequence = excluded.last_sequence
"""
DEALS = "handoff.deals.v1"


class World:
    """One lead that went all the way, and hands to spoil what became of it."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.lead, self.deal, self.receipt, self.source = new_id(), new_id(), new_id(), new_id()
        self.opened, self.merged = UUID(int=0), new_id()

    async def run(self, service: str, statement: str, *values: object) -> None:
        await self.databases.owners[service].execute(statement, *values)

    async def say(
        self,
        service: str,
        topic: str,
        wire_type: str,
        sequence: int = 1,
        *,
        lead: UUID | None = None,
    ) -> UUID:
        event_id = new_id()
        await self.run(service, NUMBER, topic, lead or self.lead, sequence)
        values = (event_id, topic, lead or self.lead, sequence, wire_type, utc_now())
        await self.run(service, _SAID, *values)
        return event_id

    async def hear(self, hearer: str, topic: str, *, lead: UUID | None = None) -> None:
        await self.databases.hear(hearer, lead or self.lead, 1, topic=topic)

    async def submit(self, key: str, state: str, *, ago: float = 0, lead: UUID | None) -> UUID:
        receipt, at = new_id(), utc_now() - timedelta(seconds=ago)
        values = (receipt, self.source, key, at, state, lead)
        await self.run("marketing-intake", SUBMISSION, *values)
        await self.run("marketing-intake", _KEY, self.source, key, receipt)
        return receipt

    async def go_all_the_way(self) -> None:
        await self.databases.say(self.lead, 1)
        await self.databases.all_hear(self.lead, 1)
        await self.submit("key:1", "created", lead=self.lead)
        await self.run("marketing-intake", _EMAIL, self.lead, "ann@example.com")
        await self.own("ann@example.com", self.lead)
        await self.run("lead-scoring", "UPDATE lead_score SET qualified_at = now()")
        await self.say("lead-scoring", SCORES, "lead.qualified.v1")
        for hearer in ("sales-pipeline", "notifier"):
            await self.hear(hearer, SCORES)
        await self.run("sales-pipeline", _CARD, self.lead)
        await self.run("sales-pipeline", DEAL, self.lead, self.deal, None)
        await self.run("notifier", "UPDATE playbook SET updated_at = '2026-01-01'")
        self.opened = await self.say("sales-pipeline", DEALS, "deal.opened.v1")
        for hearer in ("lead-scoring", "notifier"):
            await self.hear(hearer, DEALS)
        await self.run("notifier", TASK, self.lead, self.opened, new_id())

    async def merge_another(self) -> None:
        """Let a second lead have gone all the way, and then be found to be the same person."""
        await self.databases.say(self.merged, 1)
        await self.databases.all_hear(self.merged, 1)
        await self.run("lead-scoring", "DELETE FROM lead_score WHERE lead_id = $1", self.merged)
        await self.submit("key:merged", "created", lead=self.lead)
        await self.say("lead-scoring", SCORES, "lead.qualified.v1", lead=self.merged)
        for hearer in ("sales-pipeline", "notifier"):
            await self.hear(hearer, SCORES, lead=self.merged)
        await self.run("sales-pipeline", DEAL, self.lead, new_id(), "merged")
        deal = "UPDATE deal SET opened_for = $1 WHERE outcome = 'merged'"
        await self.run("sales-pipeline", deal, self.merged)
        opened = await self.say("sales-pipeline", DEALS, "deal.opened.v1", lead=self.merged)
        for hearer in ("lead-scoring", "notifier"):
            await self.hear(hearer, DEALS, lead=self.merged)
        await self.run("notifier", TASK, self.lead, opened, new_id())
        for service in self.databases.owners:
            await self.run(service, "INSERT INTO subject (id) VALUES ($1)", self.lead)
            await self.run(service, _ALIAS, self.merged, self.lead)

    async def give_up(self, service: str, lead: UUID, *, count: int = 1) -> None:
        await self.run(service, _GIVEN_UP, new_id(), lead, count)

    async def own(self, email: str, lead: UUID) -> None:
        statement = "INSERT INTO identity_key VALUES ('email', $1, $2)"
        await self.run("marketing-intake", statement, email, lead)

    async def audit(self, since: float | None = None) -> Report:
        at = utc_now() - timedelta(seconds=since) if since else None
        return await reconcile(self.databases.site, wait=0, scope=Scope(since=at))
