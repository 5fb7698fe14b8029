"""`compile_model`: tensors in, a library out, loaded."""

from __future__ import annotations

import os
import threading
import uuid
from typing import Any, Dict, List, Optional, Sequence, Union

from aitemplate._native import bridge
from aitemplate.compiler.base import (
    DynamicProfileStrategy,
    IntVarTensor,
    Tensor,
    _NumpyConstantTensorData,
    _TorchConstantTensorData,
)
from aitemplate.compiler.dtype import normalize_dtype
from aitemplate.compiler.model import AIT_DEFAULT_NUM_RUNTIMES, AITemplateAllocatorKind, Model


def walk(outputs: Sequence[Tensor]) -> List[Tensor]:
    """The tensors that outputs depend on, those read before those computed from them."""
    found: List[Tensor] = []
    seen = set()
    stack = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        tensor, is_finished = stack.pop()
        if is_finished:
            found.append(tensor)
            continue
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        stack.append((tensor, True))
        for op in tensor._attrs["src_ops"]:
            for operand in reversed(op._attrs["inputs"] or []):
                stack.append((operand, False))
    return found


def name_tensors(tensors: Sequence[Tensor]) -> None:
    """Names those without a name after what makes them."""
    taken = {tensor._attrs["name"] for tensor in tensors if tensor._attrs["name"] is not None}
    counts: Dict[str, int] = {}
    for tensor in tensors:
        if tensor._attrs["name"] is not None:
            continue
        ops = list(tensor._attrs["src_ops"])
        stem = ops[0]._attrs["op"] if ops else "tensor"
        while True:
            number = counts.get(stem, 0)
            counts[stem] = number + 1
            name = f"{stem}_{number}"
            if name not in taken:
                break
        tensor._attrs["name"] = name
        taken.add(name)
        for op in ops:
            if op._attrs["name"] is None:
                op._attrs["name"] = name


def _check_outputs(outputs: List[Tensor], tensors: List[Tensor]) -> None:
    names = set()
    for tensor in outputs:
        name = tensor._attrs["name"]
        if not tensor._attrs["is_output"]:
            raise ValueError(f"Got non-output tensor in output_tensors list: {name}")
        if name in names:
            raise ValueError(f"Got duplicate name {name} in output_tensors list.")
        names.add(name)
    for tensor in reversed(tensors):
        name = tensor._attrs["name"]
        if tensor._attrs["is_output"] and name not in names:
            raise ValueError(f"Output {name} was not passed into output_tensors")


def _data_of(value: Any) -> Any:
    return (
        _TorchConstantTensorData(value)
        if hasattr(value, "data_ptr")
        else (_NumpyConstantTensorData(value))
    )


def program(
    outputs: List[Tensor], name: str, constants: Optional[Dict[str, Any]] = None
) -> Dict[str, Any]:
    """The program that computes outputs, as the compiler takes it.

    Args:
        outputs: what it computes; they have names.
        name: its name.
        constants: elements of constants by name.
    """
    tensors = walk(outputs)
    name_tensors(tensors)
    inputs, parameters, bound = [], [], []
    seen = set()
    for tensor in tensors:
        if tensor._attrs["src_ops"] or isinstance(tensor, IntVarTensor):
            continue
        attrs = tensor._attrs
        if tensor.number() in seen:
            continue
        seen.add(tensor.number())
        entry = {"tensor": tensor.number(), "name": attrs["name"]}
        if attrs["is_input"]:
            inputs.append(entry)
            continue
        parameters.append(entry)
        if constants and attrs["name"] in constants:
            tensor._bind_data(_data_of(constants[attrs["name"]]))
        data = attrs["data"]
        if data is not None:
            memory = {
                "address": data.address(),
                "dtype": normalize_dtype(attrs["dtype"]),
                "shape": [dim.upper_bound() for dim in attrs["shape"]],
            }
            bound.append({"name": attrs["name"], "memory": memory})
    return {
        "name": name,
        "outputs": [
            {"tensor": tensor.number(), "name": tensor._attrs["name"]} for tensor in outputs
        ],
        "inputs": inputs,
        "parameters": parameters,
        "constants": bound,
    }


def compile_model(
    tensor: Union[Tensor, List[Tensor]],
    target: Any,
    workdir: str,
    test_name: str,
    profile_devs: Optional[List[int]] = None,
    dynamic_profiling_strategy: DynamicProfileStrategy = DynamicProfileStrategy.MAX,
    dll_name: str = "test.so",
    num_runtimes: int = AIT_DEFAULT_NUM_RUNTIMES,
    profile_dir: Optional[str] = None,
    constants: Optional[Dict[str, Any]] = None,
    allocator_kind: Optional[AITemplateAllocatorKind] = None,
    debug_settings: Any = None,
    do_optimize_graph: bool = True,
    profile_timeout: int = 500,
) -> Model:
    """Compiles a model to ``workdir/test_name/dll_name`` and loads it.

    Args:
        tensor: the outputs; marked by ``_attrs["is_output"] = True``.
        target: what `detect_target` returns.
        workdir: the folder for libraries and generated sources.
        test_name: the model's name, and its folder's.
        profile_devs: kept for AITemplate's programs.
        dynamic_profiling_strategy: kept for AITemplate's programs.
        dll_name: the library's file name.
        num_runtimes: how many runs can go on at once.
        profile_dir: kept for AITemplate's programs.
        constants: elements of constants by name: tensors of torch, or numpy arrays.
        allocator_kind: whether the model's memory is counted.
        debug_settings: `dump_ait_to_py` writes the program as Python.
        do_optimize_graph: whether the passes run.
        profile_timeout: kept for AITemplate's programs.

    Returns:
        The model, loaded; ``debug_sorted_graph`` holds the tensors of the optimised program.

    Raises:
        ValueError: for outputs that are not marked, missing, or twice.
        DiagnosticError: for what the compiler found.
    """
    test_name = test_name.replace(",", "_")
    folder = os.path.join(workdir, test_name)
    library = os.path.join(folder, dll_name)
    graph = None
    os.makedirs(folder, exist_ok=True)
    if int(os.environ.get("AIT_RECOMPILE", "1")) == 1:
        outputs = [tensor] if isinstance(tensor, Tensor) else list(tensor)
        tensors = walk(outputs)
        name_tensors(tensors)
        _check_outputs(outputs, tensors)
        if debug_settings is not None and getattr(debug_settings, "dump_ait_to_py", None):
            from aitemplate.utils.serialization.serdes_code import dump_program

            dump_program(outputs, debug_settings.dump_ait_to_py)
        options: Dict[str, Any] = {"optimizes": do_optimize_graph}
        if not do_optimize_graph:
            options["includesSelfTest"] = False
        options.update(getattr(target, "options", {}))
        request = {
            "program": program(outputs, test_name, constants),
            "target": getattr(target, "text", None) or str(target),
            "workDirectory": os.path.abspath(workdir),
            "library": os.path.abspath(library),
            "options": options,
        }
        reply = compile_request(request)
        from aitemplate.compiler.debug_graph import tensors_of

        graph = tensors_of(reply["graph"])
    model = Model(library, num_runtimes, allocator_kind)
    model.debug_sorted_graph = graph
    return model


def compile_request(request: Dict[str, Any]) -> Dict[str, Any]:
    """Compiles in another thread, so that an interrupt of this one ends the compilation."""
    token = uuid.uuid4().hex
    outcome: Dict[str, Any] = {}
    done = threading.Event()

    def work() -> None:
        try:
            outcome["reply"] = bridge.call("compile", {**request, "token": token})
        except BaseException as error:  # noqa: B902 - it is raised in the caller's thread
            outcome["error"] = error
        finally:
            done.set()

    thread = threading.Thread(target=work, name="aitemplate-compile", daemon=True)
    thread.start()
    try:
        done.wait()
    except BaseException:
        # The compiler reads memory of the caller's: it has to end before the caller goes on.
        while not done.is_set():
            bridge.call("cancel", {"token": token})
            done.wait(0.05)
        raise
    if "error" in outcome:
        raise outcome["error"]
    return outcome["reply"]
