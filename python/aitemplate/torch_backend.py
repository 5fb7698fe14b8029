"""A backend of torch.compile: ``torch.compile(model, backend="aitemplate")``.

Each graph that PyTorch finds is compiled to a library when it is first met; one that cannot be,
runs in PyTorch, with a warning that says why. For inference: weights are taken as they are when
compiling, and graphs that want gradients run in PyTorch.
"""

from __future__ import annotations

import warnings
from typing import Any, Callable, List

__all__ = ["backend"]


def backend(graph: Any, example_inputs: List[Any], **options: Any) -> Callable[..., Any]:
    """What torch.compile calls with a graph and the tensors it was met with.

    Args:
        graph: a `torch.fx.GraphModule`.
        example_inputs: its inputs, parameters among them.
        options: `workdir`, `target`, `num_runtimes`, as for `aitemplate.compile`.

    Returns:
        What runs in the graph's place.
    """
    import torch

    from aitemplate.exported import compile as compile_program

    if any(not isinstance(value, torch.Tensor) for value in example_inputs):
        return graph.forward
    wants_gradients = torch.is_grad_enabled() and any(
        value.requires_grad for value in example_inputs
    )
    if wants_gradients:
        warnings.warn(
            "aitemplate: a graph that wants gradients runs in PyTorch: use torch.no_grad()",
            stacklevel=2,
        )
        return graph.forward

    frozen = [isinstance(value, torch.nn.Parameter) for value in example_inputs]
    module = _Frozen(graph, example_inputs, frozen).eval()
    given = tuple(value for value, is_frozen in zip(example_inputs, frozen) if not is_frozen)
    try:
        with torch.no_grad():
            program = torch.export.export(module, given)
        compiled = compile_program(program, name="graph", **options)
    except (RuntimeError, ValueError, TypeError) as error:
        warnings.warn(f"aitemplate: a graph runs in PyTorch: {error}", stacklevel=2)
        return graph.forward
    outputs = module.output_count()

    def run(*args: Any) -> Any:
        tensors = [value for value, is_frozen in zip(args, frozen) if not is_frozen]
        results = compiled(*tensors)
        return (results,) if outputs == 1 else results

    return run


def _frozen_type() -> type:
    import torch

    class Frozen(torch.nn.Module):
        """A graph whose parameters are its own, not inputs."""

        def __init__(self, graph: Any, values: List[Any], frozen: List[bool]) -> None:
            super().__init__()
            self.graph = graph
            self.is_frozen = frozen
            self.constants = torch.nn.ParameterList(
                torch.nn.Parameter(value.detach(), requires_grad=False)
                for value, is_frozen in zip(values, frozen)
                if is_frozen
            )

        def forward(self, *args: Any) -> Any:
            """The graph on its inputs and its own parameters, in their places."""
            given, own = iter(args), iter(self.constants)
            values = [next(own) if is_frozen else next(given) for is_frozen in self.is_frozen]
            return self.graph(*values)

        def output_count(self) -> int:
            """How many tensors the graph returns."""
            (output,) = (node for node in self.graph.graph.nodes if node.op == "output")
            returned = output.args[0]
            return len(returned) if isinstance(returned, (tuple, list)) else 1

    return Frozen


def _Frozen(*args: Any) -> Any:  # noqa: N802 - made when torch is there
    return _frozen_type()(*args)
