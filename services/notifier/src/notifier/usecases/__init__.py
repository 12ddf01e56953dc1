"""One business act per file: the command and its function. Read `follow_deal.py` first.

Each is a plain function over the desk, for one lead or for five hundred: it changes what lies
there and returns the events it says. It loads nothing, saves nothing, commits nothing, so that
HTTP, Kafka and the timer enter by the same ones.
"""
