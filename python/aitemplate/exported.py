"""PyTorch's programs as they are: `compile` takes a module, or what `torch.export` makes of it."""

from __future__ import annotations

import os
import re
import tempfile
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from aitemplate.compiler.compiler import compile_request
from aitemplate.compiler.model import Model

__all__ = ["CompiledProgram", "compile"]


class CompiledProgram:
    """A compiled program, called as the module was: tensors in, a tensor or a tuple of them out.

    Attributes:
        model: the library's functions.
        library: the library's path.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.library = model.lib_path
        self._inputs: List[str] = list(model.get_input_name_to_index_map())
        self._outputs: List[str] = list(model.get_output_name_to_index_map())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the program on tensors, by position or by the names of the module's arguments."""
        if len(args) + len(kwargs) != len(self._inputs):
            raise TypeError(
                f"{len(args) + len(kwargs)} tensors for {len(self._inputs)} inputs: "
                f"{', '.join(self._inputs)}"
            )
        inputs: Dict[str, Any] = dict(zip(self._inputs, args))
        for name, value in kwargs.items():
            if name not in self._inputs or name in inputs:
                raise TypeError(f"an unexpected argument '{name}'; the inputs are {self._inputs}")
            inputs[name] = value
        results = self.model.run_with_tensors(
            {name: _contiguous(value) for name, value in inputs.items()}
        )
        if len(self._outputs) == 1:
            return results[self._outputs[0]]
        return tuple(results[name] for name in self._outputs)

    def close(self) -> None:
        """Frees the library; the program cannot be called any more."""
        self.model.close()

    def __enter__(self) -> CompiledProgram:
        return self

    def __exit__(self, *args: Any) -> None:
        self.close()


def _contiguous(value: Any) -> Any:
    return value.contiguous() if hasattr(value, "contiguous") else value


def compile(
    program: Any,
    example_inputs: Optional[Union[Tuple[Any, ...], Sequence[Any]]] = None,
    *,
    dynamic_shapes: Any = None,
    target: Any = None,
    workdir: Optional[str] = None,
    name: Optional[str] = None,
    num_runtimes: int = 1,
) -> CompiledProgram:
    """Compiles a program of PyTorch.

    Args:
        program: a `torch.nn.Module` in eval mode, a `torch.export.ExportedProgram`, or the path of
            one that `torch.export.save` wrote.
        example_inputs: tensors to export a module with.
        dynamic_shapes: what of their extents may change, as `torch.export.export` takes it.
        target: what `detect_target` returns; this machine by default.
        workdir: the folder for the library and its sources; one of the user's cache by default.
        name: the program's name.
        num_runtimes: how many runs can go on at once.

    Returns:
        The compiled program, to be called with tensors.

    Raises:
        DiagnosticError: with all operators that cannot be compiled and the lines they come from.
    """
    from aitemplate.testing import detect_target

    target = target or detect_target()
    with tempfile.TemporaryDirectory(prefix="aitemplate-") as folder:
        if isinstance(program, (str, os.PathLike)):
            path = os.fspath(program)
            name = name or os.path.basename(path).split(".")[0]
        else:
            path, made = _saved(program, example_inputs, dynamic_shapes, folder)
            name = name or made
        name = re.sub(r"\W", "_", name)
        if workdir is None:
            cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
            os.makedirs(os.path.join(cache, "aitemplate", "models"), exist_ok=True)
            # A folder of its own: programs of one name do not replace each other's library.
            workdir = tempfile.mkdtemp(
                prefix=f"{name}-", dir=os.path.join(cache, "aitemplate", "models")
            )
        os.makedirs(workdir, exist_ok=True)
        reply = compile_request(
            {
                "program": {
                    "name": name,
                    "file": os.path.abspath(path),
                    "outputs": [],
                    "inputs": [],
                    "parameters": [],
                    "constants": [],
                },
                "target": getattr(target, "text", None) or str(target),
                "workDirectory": os.path.abspath(workdir),
                "options": dict(getattr(target, "options", {})),
            }
        )
    return CompiledProgram(Model(reply["library"], num_runtimes))


def _saved(program: Any, example_inputs: Any, dynamic_shapes: Any, folder: str) -> Tuple[str, str]:
    """Exports a module if it is one, and saves the program: its path and a name."""
    import torch

    name = type(program).__name__
    if isinstance(program, torch.nn.Module):
        if example_inputs is None:
            raise TypeError("compile of a module needs example_inputs to export it with")
        if program.training:
            raise ValueError(f"{name} is in training mode: call .eval() first")
        with torch.no_grad():
            program = torch.export.export(
                program, tuple(example_inputs), dynamic_shapes=dynamic_shapes
            )
    elif not isinstance(program, torch.export.ExportedProgram):
        raise TypeError(
            f"compile of {name}, expected a torch.nn.Module, an ExportedProgram or a path"
        )
    path = os.path.join(folder, "program.pt2")
    torch.export.save(program, path)
    return path, name
