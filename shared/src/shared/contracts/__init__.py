"""What the services say to each other: one module per publisher, the envelope, the catalogue.

Pydantic models are the source; JSON Schema, AsyncAPI and golden samples are generated from them.
No behaviour and no entity lives here.
"""
