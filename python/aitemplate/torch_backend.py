"""A backend of torch.compile: ``torch.compile(model, backend="aitemplate")``.

Each graph that PyTorch finds is compiled to a library when it is first met; one that cannot be,
runs in PyTorch, with a warning that says why. For inference: graphs that want gradients, or are met
under autocast, run in PyTorch. Weights are taken as they are when compiling; where others come, or
these were changed in place (not through ``.data``, which PyTorch does not note), PyTorch runs.
"""

from __future__ import annotations

import warnings
from typing import Any, Callable, Dict, List, Optional

__all__ = ["backend"]

_OPTIONS = ("num_runtimes", "target", "workdir")


def backend(
    graph: Any,
    example_inputs: List[Any],
    *,
    options: Optional[Dict[str, Any]] = None,
    mode: Optional[str] = None,
    **more: Any,
) -> Callable[..., Any]:
    """What torch.compile calls with a graph and the tensors it was met with.

    Args:
        graph: a `torch.fx.GraphModule`.
        example_inputs: its inputs, parameters among them.
        options: `workdir`, `target`, `num_runtimes`, as for `aitemplate.compile`.
        mode: PyTorch's name for a set of options; there is one here.
        more: options, given by name.

    Returns:
        What runs in the graph's place.

    Raises:
        TypeError: for an option that there is not.
    """
    chosen = {**(options or {}), **more}
    unknown = sorted(set(chosen) - set(_OPTIONS))
    if unknown:
        raise TypeError(f"no option {', '.join(unknown)}; there are {', '.join(_OPTIONS)}")
    reason = _reason_against(graph, example_inputs)
    if reason is None:
        try:
            return _compiled(graph, example_inputs, chosen)
        except Exception as error:  # noqa: BLE001 - PyTorch runs what is not compiled
            reason = str(error)
    warnings.warn(f"aitemplate: a graph runs in PyTorch: {reason}", stacklevel=2)
    return graph.forward


def _reason_against(graph: Any, example_inputs: List[Any]) -> Optional[str]:
    """Why a graph is PyTorch's, or None."""
    import torch

    if any(not isinstance(value, torch.Tensor) for value in example_inputs):
        return "it has an extent or a number as input: call torch.compile(..., dynamic=False)"
    if torch.is_grad_enabled() and any(value.requires_grad for value in example_inputs):
        return "it wants gradients: use torch.no_grad()"
    devices = {value.device for value in example_inputs}
    if len(devices) > 1:
        return f"its inputs are on several devices: {sorted(map(str, devices))}"
    if any(torch.is_autocast_enabled(device.type) for device in devices):
        return "autocast decides its types"
    (output,) = (node for node in graph.graph.nodes if node.op == "output")
    returned = output.args[0]
    nodes = returned if isinstance(returned, (tuple, list)) else [returned]
    for node in nodes:
        value = getattr(node, "meta", {}).get("example_value")
        if not isinstance(value, torch.Tensor):
            return "it returns what is no tensor"
        if value._is_view() and not value.is_contiguous():
            return "it returns a view that is not contiguous"
    return None


def _compiled(graph: Any, example_inputs: List[Any], options: Dict[str, Any]) -> Callable[..., Any]:
    import torch

    from aitemplate.exported import compile as compile_program

    frozen = [isinstance(value, torch.nn.Parameter) for value in example_inputs]
    pinned = [
        (value, value._version) for value, is_frozen in zip(example_inputs, frozen) if is_frozen
    ]
    module = _frozen_module(graph, example_inputs, frozen).eval()
    given = tuple(value for value, is_frozen in zip(example_inputs, frozen) if not is_frozen)
    with torch.no_grad():
        program = torch.export.export(module, given)
    compiled = compile_program(program, name="graph", **options)
    count = len(compiled.output_names)

    def run(*args: Any) -> Any:
        own = (value for value, is_frozen in zip(args, frozen) if is_frozen)
        for value, (known, version) in zip(own, pinned):
            if value is not known or value._version != version:
                return graph.forward(*args)
        results = compiled.run([value for value, is_frozen in zip(args, frozen) if not is_frozen])
        return results if count != 1 else (results[0],)

    return run


def _frozen_module(graph: Any, values: List[Any], frozen: List[bool]) -> Any:
    import torch

    class Frozen(torch.nn.Module):
        """A graph whose parameters are its own, not inputs."""

        def __init__(self) -> None:
            super().__init__()
            self.graph = graph
            self.constants = torch.nn.ParameterList(
                torch.nn.Parameter(value.detach(), requires_grad=False)
                for value, is_frozen in zip(values, frozen)
                if is_frozen
            )

        def forward(self, *args: Any) -> Any:
            """The graph on its inputs and its own parameters, in their places."""
            given, own = iter(args), iter(self.constants)
            return self.graph(*[next(own) if each else next(given) for each in frozen])

    return Frozen()
