"""A real Kubernetes, but for its machines, that takes what is installed and rolls it out."""
