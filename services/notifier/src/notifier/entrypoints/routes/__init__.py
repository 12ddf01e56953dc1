"""One module for each kind of record: `routes(context)` gives its router."""
