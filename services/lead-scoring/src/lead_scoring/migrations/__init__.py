"""Scoring's schema, step by step (Alembic); `python -m lead_scoring.migrate` runs them."""
