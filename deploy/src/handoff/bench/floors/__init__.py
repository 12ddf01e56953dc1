"""What the product is compared to: the smallest servers that take a lead, one file each.

Each is `POST /leads` by FastAPI as its tutorial writes it, served by one uvicorn process.
"""
