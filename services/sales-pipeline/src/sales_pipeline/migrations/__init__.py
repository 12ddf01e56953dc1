"""The pipeline's schema, step by step (Alembic); `python -m sales_pipeline.migrate` runs them."""
