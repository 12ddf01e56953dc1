"""The overlay `local` on a real node, in namespaces of their own: `make kubernetes-run`."""
