"""The doors of scoring: its API, and what its worker hears."""
