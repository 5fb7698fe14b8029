"""PyTorch's programs as they are: `compile` takes a module, or what `torch.export` makes of it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from aitemplate.compiler.compiler import compile_request
from aitemplate.compiler.model import Model

__all__ = ["CompiledProgram", "compile"]


class CompiledProgram:
    """A compiled program: tensors in, a tensor or a tuple of them out.

    One that was made of a module, or of an `ExportedProgram`, returns what that returns: tuples,
    lists and dictionaries of tensors as they are there.

    Attributes:
        model: the library's functions.
        library: the library's path.
        output_names: the outputs' names in the library.
    """

    def __init__(
        self, model: Model, restore: Optional[Any] = None, owned: Optional[str] = None
    ) -> None:
        self.model = model
        self.library = model.lib_path
        self.output_names: List[str] = list(model.get_output_name_to_index_map())
        self._inputs: List[str] = list(model.get_input_name_to_index_map())
        self._restore = restore
        self._finalizer = (
            weakref.finalize(self, shutil.rmtree, owned, ignore_errors=True) if owned else None
        )

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
        results = self.run([inputs[name] for name in self._inputs])
        if self._restore is not None:
            return self._restore(results)
        return results[0] if len(results) == 1 else tuple(results)

    def run(self, inputs: Sequence[Any]) -> List[Any]:
        """The outputs for inputs, both in the library's order."""
        results = self.model.run_with_tensors([_contiguous(value) for value in inputs])
        return [results[name] for name in self.output_names]

    def close(self) -> None:
        """Frees the library; the program cannot be called any more."""
        self.model.close()
        if self._finalizer is not None:
            self._finalizer()

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
    restore = owned = None
    with tempfile.TemporaryDirectory(prefix="aitemplate-") as folder:
        if isinstance(program, (str, os.PathLike)):
            path = os.fspath(program)
            name = name or os.path.basename(path).split(".")[0]
        else:
            program, made = _exported(program, example_inputs, dynamic_shapes)
            target = target or _target_of(program)
            path = _saved(program, folder)
            restore = _restoring(program)
            name = name or made
        if target is None:
            from aitemplate.testing import detect_target

            target = detect_target()
        name = re.sub(r"\W", "_", name)
        if workdir is None:
            # A folder of its own, which goes with the program: programs of one name do not replace
            # each other's library.
            workdir = owned = tempfile.mkdtemp(prefix=f"aitemplate-{name}-")
        os.makedirs(workdir, exist_ok=True)
        try:
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
            model = Model(reply["library"], num_runtimes)
        except BaseException:
            if owned:
                shutil.rmtree(owned, ignore_errors=True)
            raise
    return CompiledProgram(model, restore, owned)


def _exported(program: Any, example_inputs: Any, dynamic_shapes: Any) -> Tuple[Any, str]:
    """The exported program that a module is, and a name."""
    import torch

    name = type(program).__name__
    if isinstance(program, torch.nn.Module):
        if example_inputs is None:
            raise TypeError("compile of a module needs example_inputs to export it with")
        if program.training:
            raise ValueError(f"{name} is in training mode: call .eval() first")
        if isinstance(example_inputs, torch.Tensor):
            example_inputs = (example_inputs,)
        with torch.no_grad():
            program = torch.export.export(
                program, tuple(example_inputs), dynamic_shapes=dynamic_shapes
            )
    elif not isinstance(program, torch.export.ExportedProgram):
        raise TypeError(
            f"compile of {name}, expected a torch.nn.Module, an ExportedProgram or a path"
        )
    # Updates in place become values, or what the program says that it changes.
    return program.run_decompositions({}), name


def _saved(program: Any, folder: str) -> str:
    import torch

    path = os.path.join(folder, "program.pt2")
    torch.export.save(program, path)
    return path


def _target_of(program: Any) -> Any:
    """The CPU for a program whose tensors are there; None for one on a GPU."""
    from aitemplate.backend.target import CPU

    tensors = list(program.state_dict.values()) + list(program.constants.values())
    tensors += [each for each in _leaves(program.example_inputs) if hasattr(each, "device")]
    is_on_gpu = any(getattr(each, "is_cuda", False) for each in tensors)
    return None if is_on_gpu else CPU()


def _leaves(value: Any) -> List[Any]:
    import torch

    return torch.utils._pytree.tree_leaves(value)


def _restoring(program: Any) -> Any:
    """What makes the module's own result of a list of tensors; None where outputs are others."""
    import torch

    spec = program.call_spec.out_spec
    if spec is None:
        return None
    kinds = [each.arg for each in program.graph_signature.output_specs]
    is_tensor = [type(each).__name__ == "TensorArgument" for each in kinds]
    values = [getattr(each, "value", None) for each in kinds]

    def restore(results: List[Any]) -> Any:
        rest = iter(results)
        leaves = [next(rest) if given else value for given, value in zip(is_tensor, values)]
        return torch.utils._pytree.tree_unflatten(leaves, spec)

    return restore
