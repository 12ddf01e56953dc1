"""The Kafka nodes that scenarios kill, stop and start."""

from tests.stack.nodes import Node, Nodes, some_nodes

__all__ = ["Node", "Nodes", "some_nodes"]
