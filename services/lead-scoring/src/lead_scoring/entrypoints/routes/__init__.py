"""The routes of scoring's API: one module a resource."""
