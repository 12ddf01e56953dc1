"""The commands of `handoff`, one module each: read arguments, call the work, print it."""
