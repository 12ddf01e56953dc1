"""The database's history: one revision a change, each with a lock limit, run before new code."""
