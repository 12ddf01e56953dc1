"""Marketing-intake: takes submissions in, knows who the people behind them are.

Owns sources, submissions, the identity of leads, touchpoints and consent. Says the `Lead*` events
and `TouchpointRecorded`. Scoring, deals and follow-up are other services' work.
"""
