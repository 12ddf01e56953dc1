"""One business act a file, as a plain function over a `Desk`: it returns the events it says.

No I/O and no commit: the edge locks, loads, calls one of these, saves, and commits.
"""
