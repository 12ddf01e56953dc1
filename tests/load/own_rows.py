# ruff: noqa: S608  our own text
"""What each service has of its own of many leads (`many_leads`): one statement a table, in SQL.

What people look for is spread over them as they would find it, with something common and something
rare of each: sources, scores, grades, owners, stages, ends, states.
"""

_N = "FROM generate_series(1, {most}) AS g (n)"
_SOURCE = "made('source', CASE WHEN n % 1000 = 7 THEN 3 WHEN n % 10 < 3 THEN 2 ELSE 1 END, 3)"
_REP = "made('rep', CASE WHEN n % 1000 = 20 THEN 3 ELSE 1 + n / 10 % 2 END, 3)"
_LATER = "at(n, {most}) + interval '60 days'"

_SUBMISSIONS = """
INSERT INTO submission (id, source_id, key, body, sender, received_at, state, lead_id, resolution,
                        resolved_at)
"""
INTAKE = (
    """INSERT INTO source (id, name, kind, channel, honeypot, token_hash)
    SELECT made('source', n, 3), 'Source ' || n, 'form', 'content', 'website',
           sha256(n::text::bytea)
    FROM generate_series(1, 3) AS g (n)""",
    f"""INSERT INTO lead (id, version, email, phone, stamp, erased_at, merged_into, created_at,
            updated_at)
    SELECT made('lead', n, {{most}}), 1,
           CASE WHEN NOT {{erased}} AND NOT {{merged}} THEN 'person' || n || '@example.com' END,
           '+49' || n, '{{{{}}}}', CASE WHEN {{erased}} THEN at(n, {{most}}) END,
           CASE WHEN {{merged}} THEN {{person}} END, at(n, {{most}}), at(n, {{most}}) {_N}""",
    "INSERT INTO identity_key SELECT 'email', email, id FROM lead WHERE email IS NOT NULL",
    f"""INSERT INTO lead_phone
    SELECT CASE WHEN n % 1000 = 7 THEN '+4930000000' ELSE '+49' || n END, {{person}} {_N}
    ON CONFLICT DO NOTHING""",
    f"""{_SUBMISSIONS}
    SELECT made('receipt', n, {{most}}), {_SOURCE}, 'key:' || n, repeat('x', 200)::bytea,
           '{{{{}}}}', at(n, {{most}}), 'created', {{person}}, n, at(n, {{most}}) {_N}""",
    """INSERT INTO submission_key (source_id, key, receipt_id, hash, outcome, lead_id)
    SELECT source_id, key, id, '', 'created', lead_id FROM submission""",
    # Of every hundred some came again, and a few were turned away.
    f"""{_SUBMISSIONS}
    SELECT made('again', n, {{most}}), {_SOURCE}, NULL, repeat('x', 200)::bytea, '{{{{}}}}',
           at(n, {{most}}),
           (ARRAY['updated', 'duplicate', 'quarantined', 'rejected'])[n % 100 / 20],
           CASE WHEN n % 100 < 60 THEN {{person}} END, n, at(n, {{most}})
    {_N} WHERE n % 100 IN (20, 40, 60, 80)""",
    f"""INSERT INTO touchpoint (id, lead_id, submission_id, source_id, kind, channel, occurred_at,
            received_at, detail)
    SELECT made('touchpoint', n, {{most}}), {{person}}, made('receipt', n, {{most}}), {_SOURCE},
           'form', 'content', at(n, {{most}}), at(n, {{most}}),
           '{{{{"source_name": "Site", "page_url": "https://www.example.com/pricing"}}}}' {_N}""",
    f"""INSERT INTO consent (id, lead_id, purpose, granted, occurred_at, received_at)
    SELECT made('consent', n, {{most}}), {{person}}, 'email_marketing', true, at(n, {{most}}),
           at(n, {{most}}) {_N}""",
    f"""INSERT INTO erased_identity
    SELECT sha256(n::text::bytea), at(n, {{most}}) {_N} WHERE {{erased}}""",
)
SCORING = (
    f"""INSERT INTO lead_score (lead_id, version, touchpoints, score, grade, fit, engagement,
            entries, scorecard_id, scorecard_version, qualification, qualified_at, created_at,
            updated_at)
    SELECT made('lead', n, {{most}}), 1, 1, CASE WHEN n % 1000 = 7 THEN 100 ELSE n % 100 END,
           CASE WHEN n % 1000 = 7 THEN 'A1' ELSE (ARRAY['B2', 'C3', 'D4'])[1 + n / 10 % 3] END,
           10, 10, '[]', s.id, 1,
           CASE WHEN n % 1000 = 20 THEN 'lost' WHEN {{qualified}} THEN 'qualified' ELSE 'open' END,
           CASE WHEN {{qualified}} THEN at(n, {{most}}) END, at(n, {{most}}), at(n, {{most}})
    {_N}, scorecard s
    WHERE s.state = 'active' AND NOT ({{merged}} OR {{erased}} OR {{given_up}})""",
    f"""INSERT INTO touchpoint (lead_id, event_id, occurred_at, submitted, facts)
    SELECT {{person}}, made('captured', n, {{most}}), at(n, {{most}}), true, '{{{{}}}}' {_N}""",
    f"""INSERT INTO parking_order (id, verb, subject, actor, reason, asked_at, done_at, count)
    SELECT made('order', n, {{most}}), 'discard', made('lead', n, {{most}}), 'Jo', 'no',
           at(n, {{most}}), at(n, {{most}}), 1 {_N} WHERE {{given_up}}""",
)
_DEALS = f"""
SELECT n, CASE WHEN {{merged}} THEN 'merged'
               ELSE (ARRAY['lost', 'won', 'won', 'recycled'])[1 + n / 100 % 10] END AS outcome
{_N} WHERE {{qualified}}
"""
PIPELINE = (
    "DELETE FROM outbox",
    "DELETE FROM said_stream WHERE topic = 'handoff.reps.v1'",
    """INSERT INTO rep (id, name, email, state, version, created_at, updated_at)
    SELECT made('rep', n, 3), 'Rep ' || n, n || '@example.com', 'active', 1, now(), now()
    FROM generate_series(1, 3) AS g (n)""",
    f"""INSERT INTO lead (id, version, card, created_at, updated_at)
    SELECT made('lead', n, {{most}}), 1, '{{{{}}}}', now(), now() {_N} WHERE {{qualified}}""",
    f"""INSERT INTO deal (id, lead_id, opened_for, owner_id, stage, score, grade, version, asked_at,
            outcome, closed_at, created_at, updated_at)
    SELECT made('deal', n, {{most}}), {{person}}, made('lead', n, {{most}}), {_REP},
           CASE WHEN outcome IN ('won', 'lost') THEN outcome
                WHEN n / 1000 % 50 = 7 THEN 'negotiation'
                ELSE (ARRAY['new', 'contacted', 'demo'])[1 + n / 1000 % 3] END,
           50, 'B2', 1, at(n, {{most}}), outcome,
           CASE WHEN outcome IS NOT NULL THEN at(n, {{most}}) END,
           at(n, {{most}}), at(n, {{most}})
    FROM ({_DEALS}) AS d""",
    f"""INSERT INTO timeline_entry (id, deal_id, lead_id, kind, detail, occurred_at, created_at,
            updated_at)
    SELECT made('entry', n, {{most}}), made('deal', n, {{most}}), {{person}}, 'opened', '{{{{}}}}',
           at(n, {{most}}), at(n, {{most}}), at(n, {{most}}) {_N} WHERE {{qualified}}""",
    f"""INSERT INTO customer (id, lead_id, order_count, last_purchase_at, lifetime_value,
            created_at, updated_at)
    SELECT made('customer', n, {{most}}), made('lead', n, {{most}}), 1, at(n, {{most}}),
           '{{{{"EUR": 100}}}}', at(n, {{most}}), at(n, {{most}})
    FROM ({_DEALS}) AS d WHERE outcome = 'won'""",
    f"""INSERT INTO sales_order (id, deal_id, lead_id, customer_id, owner_id, amount_minor,
            currency, placed_at, created_at, updated_at)
    SELECT made('sale', n, {{most}}), made('deal', n, {{most}}), made('lead', n, {{most}}),
           made('customer', n, {{most}}), {_REP}, 100, 'EUR', at(n, {{most}}), at(n, {{most}}),
           at(n, {{most}})
    FROM ({_DEALS}) AS d WHERE outcome = 'won'""",
)
_STATE = """(ARRAY['open', 'open', 'open', 'completed', 'completed', 'completed', 'completed',
                   'cancelled', 'cancelled', 'overdue'])[1 + n / 100 % 10]"""
NOTIFIER = (
    "UPDATE playbook SET updated_at = '2026-01-01'",
    """INSERT INTO rep (id, version, name, email, state, created_at, updated_at)
    SELECT made('rep', n, 3), 1, 'Rep ' || n, n || '@example.com', 'active', now(), now()
    FROM generate_series(1, 3) AS g (n)""",
    f"""INSERT INTO lead (id, version, card, created_at, updated_at)
    SELECT made('lead', n, {{most}}), 1, '{{{{}}}}', now(), now() {_N} WHERE {{qualified}}""",
    f"""INSERT INTO task (id, playbook_id, playbook, trigger_event_id, informed_by, lead_id,
            opened_for, deal_id, owner_id, role, kind, title, due_at, grace_seconds, state, next_at,
            finished_at, cause, version, created_at, updated_at)
    SELECT made('task', n, {{most}}), p.id, p.name, made('opened', n, {{most}}),
           made('opened', n, {{most}}), {{person}}, made('lead', n, {{most}}),
           made('deal', n, {{most}}), {_REP},
           CASE WHEN n % 1000 = 20 THEN 'marketing' ELSE 'deal_owner' END, p.task_kind, '',
           {_LATER}, 60, state, CASE WHEN state = 'open' THEN {_LATER} END,
           CASE WHEN state IN ('completed', 'cancelled') THEN at(n, {{most}}) END,
           CASE WHEN state = 'cancelled' THEN 'deal_closed' END, 1, at(n, {{most}}), at(n, {{most}})
    FROM (SELECT n, {_STATE} AS state {_N} WHERE {{qualified}}) AS t, playbook p
    WHERE p.name = 'first contact'""",
)
OWN = {
    "marketing-intake": INTAKE,
    "lead-scoring": SCORING,
    "sales-pipeline": PIPELINE,
    "notifier": NOTIFIER,
}
