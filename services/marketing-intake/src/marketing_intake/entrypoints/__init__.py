"""Where work enters: HTTP, and the loop that resolves. Parse, lock, load, call, save, commit."""
