"""Pictures of graphs."""

from aitemplate.utils.visualization.plot import plot_graph

__all__ = ["plot_graph"]
