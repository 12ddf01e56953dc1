"""lead-scoring: says how good a lead is, why, and whether sales should have it.

Owns scorecards, and per lead its score, the entries that add up to it, and its qualification.
Hears leads, touchpoints and deals; says `LeadScored`, `LeadQualified` and `LeadDisqualified`.
"""
