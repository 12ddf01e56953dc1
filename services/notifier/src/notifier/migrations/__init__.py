"""The notifier's schema, step by step (Alembic); `python -m notifier.migrate` runs them."""
