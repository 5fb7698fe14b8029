"""Graphs as text, pictures and programs; shapes; what the times of operators add up to."""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from typing import Any, List

from support import CompilerTestCase, compiled, mark_outputs

from aitemplate.backend.target import CPU, CUDA, ROCM, Target
from aitemplate.compiler import ops
from aitemplate.compiler.base import IntImm, IntVar, IntVarTensor, Tensor
from aitemplate.compiler.transform import mark_param_tensor, name_graph, toposort, transform_utils
from aitemplate.testing import test_utils
from aitemplate.utils import alignment, graph_utils, io, misc, shape_utils, tensor_utils
from aitemplate.utils.debug_settings import AITDebugSettings
from aitemplate.utils.serialization import serdes_code
from aitemplate.utils.visualization import plot_graph


def products() -> Tensor:
    """Two products, one of the other's result, of a batch that is known when the model runs."""
    x = Tensor([IntVar([1, 4], name="batch"), 8], name="x", dtype="float32", is_input=True)
    w = Tensor([8, 8], name="w", dtype="float32")
    first = ops.gemm_rcr()(x, w)
    first._attrs["name"] = "first"
    second = ops.gemm_rcr()(first, w)
    mark_outputs(second)
    second._attrs["name"] = "second"
    return second


class TextTests(CompilerTestCase):
    """Graphs as text."""

    def test_order(self) -> None:
        """Operands come before results, each once."""
        graph = toposort(products())
        self.assertEqual([t._attrs["name"] for t in graph], ["x", "w", "first", "second"])
        self.assertEqual(len(graph_utils.get_sorted_ops(graph)), 2)
        self.assertTrue(transform_utils.check_graph_validity(graph))
        self.assertFalse(transform_utils.check_graph_validity(graph[1:]))
        with self.assertRaisesRegex(RuntimeError, "not established"):
            transform_utils.check_graph_validity(list(reversed(graph)), raiseError=True)

    def test_names_and_parameters(self) -> None:
        """Operators get names; what is neither given nor computed is a parameter."""
        graph = toposort(products())
        name_graph(graph)
        mark_param_tensor(graph)
        self.assertTrue(all(op._attrs["name"] for op in graph_utils.get_sorted_ops(graph)))
        self.assertEqual([t._attrs["is_param"] for t in graph], [False, True, False, False])

    def test_pseudo_code(self) -> None:
        """A line for each operator, with sizes or without."""
        graph = toposort(products())
        text = graph_utils.sorted_graph_pseudo_code(graph)
        self.assertEqual(text.count("gemm_rcr("), 2)
        self.assertIn("[batch, 8]", text)
        self.assertNotIn("shape=", graph_utils.sorted_graph_pseudo_code(graph, with_shape=False))
        self.assertIn("Operators:", graph_utils.sorted_graph_debug_str(graph))

    def test_json(self) -> None:
        """JSON that names operators and tensors."""
        graph = json.loads(graph_utils.sorted_graph_debug_json(toposort(products())))
        self.assertEqual([t["name"] for t in graph["Tensors"]], ["x", "w", "first", "second"])
        self.assertEqual(graph["Operators"][1]["inputs"], ["first", "w"])

    def test_questions(self) -> None:
        """Which operators a graph has."""
        y = products()
        graph = toposort(y)
        self.assertTrue(test_utils.graph_has_op(graph, "gemm_rcr"))
        self.assertFalse(test_utils.graph_has_op(graph, "softmax"))
        self.assertEqual(test_utils.count_ops(graph_utils.get_sorted_ops(graph), "gemm_rcr"), 2)
        self.assertEqual(test_utils.get_src_op_name(y), "gemm_rcr")
        self.assertEqual(test_utils.get_src_input(y)._attrs["name"], "first")
        self.assertEqual(test_utils.get_shape(y.shape(), {"batch": 3}), [3, 8])


class PictureTests(CompilerTestCase):
    """Graphs as pictures."""

    def test_page(self) -> None:
        """A page with all nodes; one with times."""
        with tempfile.TemporaryDirectory() as folder:
            page = os.path.join(folder, "new", "graph.html")
            plot_graph(products(), page)
            with open(page, encoding="utf-8") as file:
                text = file.read()
            for name in ("x", "w", "first", "second"):
                self.assertIn(f'data-name="{name}"', text)
            self.assertEqual(text.count('class="node"'), 6)
            plot_graph(products(), os.path.join(folder, "graph.dot"))
            with self.assertRaisesRegex(ValueError, "extension"):
                plot_graph(products(), os.path.join(folder, "graph"))

    def test_compiled_graph(self) -> None:
        """The program that the compiler made of a graph."""
        with compiled(products(), "picture") as model, tempfile.TemporaryDirectory() as folder:
            graph = model.debug_sorted_graph
            self.assertTrue(transform_utils.check_graph_validity(graph))
            self.assertTrue(graph_utils.sorted_graph_pseudo_code(graph))
            plot_graph(graph, os.path.join(folder, "graph.html"))


class TimingTests(CompilerTestCase):
    """What times add up to."""

    def test_schedules(self) -> None:
        """One after the other, and in parallel."""
        x = Tensor([2, 8], name="x", dtype="float32", is_input=True)
        w = Tensor([8, 8], name="w", dtype="float32")
        branches = [ops.gemm_rcr()(x, w) for _ in range(2)]
        joined = ops.gemm_rcr_bias_add()(branches[0], w, Tensor([8], dtype="float32"), branches[1])
        graph = toposort(joined)
        operators = graph_utils.get_sorted_ops(graph)
        for number, operator in enumerate(operators):
            operator._attrs["original_name"] = f"op_{number}"
        times = {"op_0": 1.0, "op_1": 2.0, "op_2": 4.0}
        result = graph_utils.track_graph_timings(graph, times)
        self.assertEqual(result.tensor_sequential_trackers[joined].execution_end, 7)
        self.assertEqual(result.tensor_parallel_trackers[joined].execution_end, 6)
        self.assertEqual(result.op_parallel_trackers[operators[2]].execution_order, 1)
        self.assertEqual(result.total_duration, 7)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "profile.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({name: {"ms_per_iter": time} for name, time in times.items()}, file)
            self.assertEqual(graph_utils.track_graph_timings(graph, path).duration_max, 4)
        with self.assertRaises(ValueError):
            graph_utils.track_graph_timings(graph, 1)

    def test_groups(self) -> None:
        """Levels in groups."""
        groups = graph_utils.split_simple_multistream_parallel_ops({1: "abc", 0: "d"}, 2)
        self.assertEqual(groups, [["d"], ["a", "b"], ["c"]])


class ProgramTests(CompilerTestCase):
    """Graphs as programs."""

    def read_back(self, outputs: Any, **kwargs: Any) -> Any:
        """Writes a graph and builds it anew; the path stays until the test ends."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "new", "program.py")
        serdes_code.dump_program(outputs, self.path, **kwargs)
        return serdes_code.get_program(self.path)

    def test_products(self) -> None:
        """The same sizes, names and results."""
        import numpy as np

        weight = np.random.default_rng(0).standard_normal((8, 8)).astype("float32")
        y = products()
        with compiled(y, "program", {"w": weight}) as model:
            x = np.ones((3, 8), "float32")
            expected = model.run_with_tensors([x])["second"]
        outputs, graph = self.read_back(y)
        self.assertEqual([t._attrs["name"] for t in graph][-1], "second")
        self.assertEqual(outputs.shape(), y.shape())
        self.assertEqual(serdes_code.get_inputs_from_graph(self.path)["x"], y.shape())
        with compiled(outputs, "program_again") as model:
            self.assert_close(model.run_with_tensors([x])["second"], expected)

    def test_operands_that_are_no_tensors(self) -> None:
        """Numbers, lists of tensors, sizes."""
        x = Tensor([4, 6], name="x", dtype="float32", is_input=True)
        parts = ops.split()(x, 2, dim=0)
        joined = ops.concatenate()([*parts, x * 0.5], dim=0)
        y = ops.reshape()(joined, [-1, 3])
        mark_outputs(y)
        outputs, _ = self.read_back(y)
        self.assertEqual([dim.value() for dim in outputs.shape()], [16, 3])

    def test_indentation(self) -> None:
        """Programs are indented as one likes."""
        text = serdes_code.dump_program(products(), "", indent="  ")
        self.assertIn("\n  def model(self):\n    ", text)


class ShapeTests(CompilerTestCase):
    """Questions about sizes."""

    def test_sizes(self) -> None:
        """Fixed and symbolic sizes."""
        self.assertIsInstance(shape_utils.gen_int_var_min_max([3, 3]), IntImm)
        dim = shape_utils.gen_int_var_min_max([5, 1, 3], name="dim")
        self.assertEqual([dim.lower_bound(), dim.upper_bound()], [1, 5])
        with self.assertRaises(RuntimeError):
            shape_utils.gen_int_var([])
        shape: List[IntVar] = [dim, IntImm(2), IntImm(3)]
        self.assertEqual(shape_utils.get_num_rightmost_static_elements(shape), 6)
        self.assertEqual(shape_utils.get_num_rightmost_static_elements(shape, 1), 3)
        self.assertTrue(shape_utils.all_static_dimensions(shape, 1))
        self.assertFalse(shape_utils.all_static_dimensions(shape))
        self.assertTrue(shape_utils.is_static_dimension(shape, 2))
        self.assertFalse(shape_utils.is_static_dimension(shape, 3))
        self.assertEqual(shape_utils.get_static_stride(shape, 0), 6)
        self.assertIsNone(shape_utils.get_static_stride([IntImm(2), dim], 0))
        self.assertTrue(shape_utils.is_same_shape(shape, list(shape)))
        self.assertFalse(shape_utils.is_same_shape(shape, shape[1:]))
        self.assertTrue(shape_utils.is_empty_rank1_tensor([IntImm(0)]))

    def test_broadcast(self) -> None:
        """Shapes that broadcast, and shapes that do not."""
        dim = IntVar([1, 4], name="dim")
        fits, shape = shape_utils.get_broadcast_max_shape([dim, IntImm(1)], [IntImm(3)])
        self.assertTrue(fits)
        self.assertEqual(shape, [dim, IntImm(3)])
        self.assertEqual(
            shape_utils.get_broadcast_max_shape([IntImm(2)], [IntImm(3)]), (False, None)
        )

    def test_conversions(self) -> None:
        """Sizes in the place of tensors, and ints."""
        dim = IntVar([1, 4], name="dim")
        self.assertEqual(
            shape_utils.convert_shape_to_IntVar([2, dim, IntVarTensor(dim)]), [IntImm(2), dim, dim]
        )
        with self.assertRaises(TypeError):
            shape_utils.convert_shape_to_IntVar(["2"])
        self.assertEqual(shape_utils.convert_IntVar_to_int(IntImm(3)), 3)
        with self.assertRaises(ValueError):
            shape_utils.convert_IntVar_to_int(dim)
        self.assertTrue(shape_utils.is_singleton_dimension(IntVarTensor(IntImm(1))))

    def test_dimensions(self) -> None:
        """Dimensions counted from the back."""
        self.assertEqual(tensor_utils.wrap_dim(-1, 3), 2)
        for dim in (3, -4):
            with self.assertRaises(AssertionError):
                tensor_utils.wrap_dim(dim, 3)

    def test_alignment(self) -> None:
        """How many elements an access takes."""
        self.assertEqual(alignment.find_max_alignment(12, "float16"), 4)
        self.assertEqual(alignment.find_max_alignment_from([8, 6], "float16"), 2)
        self.assertFalse(alignment.valid_alignment(1, "bfloat16"))
        with self.assertRaises(NotImplementedError):
            alignment.get_alignments("bool")


class TargetTests(CompilerTestCase):
    """Targets, and what has no place of its own."""

    def test_targets(self) -> None:
        """Texts and contexts."""
        self.assertEqual(CPU().text, "cpu:native")
        self.assertEqual(CUDA(arch="90").text, "cuda:sm_90a")
        self.assertEqual(CUDA(arch=80, use_fp16_acc=True)._kwargs, {"use_fp16_acc": True})
        self.assertEqual((CUDA().name(), CPU().name()), ("cuda", "cpu"))
        with self.assertRaisesRegex(RuntimeError, "ROCm"):
            ROCM()
        with self.assertRaises(RuntimeError):
            Target.current()
        with CPU() as outer, CUDA(arch="80") as inner:
            self.assertIs(Target.current(), inner)
            self.assertNotEqual(outer, inner)

    def test_environment(self) -> None:
        """Variables are as before afterwards."""
        with test_utils.env_variables(AIT_TESTED="1", HOME=None):
            self.assertEqual(os.environ["AIT_TESTED"], "1")
            self.assertNotIn("HOME", os.environ)
        self.assertNotIn("AIT_TESTED", os.environ)

    def test_filter(self) -> None:
        """Tests for GPUs that are not here are removed."""

        class Some(unittest.TestCase):
            def test_a(self) -> None: ...

            def test_a_bf16(self) -> None: ...

            def test_a_rocm(self) -> None: ...

        test_utils.filter_test_cases_by_test_env(Some)
        names = [name for name in vars(Some) if name.startswith("test_")]
        self.assertEqual(names, ["test_a", "test_a_bf16"])

    def test_small_things(self) -> None:
        """Files, names, settings."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a", "b")
            self.assertGreater(io.file_age(path), 1e6)
            io.touch(path)
            self.assertLess(io.file_age(path), 1e4)
            self.assertEqual(io.file_sizes(folder), 0)
        self.assertEqual(len(misc.short_str("x")), 8)
        self.assertFalse(AITDebugSettings().check_all_outputs)
        self.assertEqual(misc.callstack_stats(enable=True)(lambda x: x + 1)(1), 2)


if __name__ == "__main__":
    unittest.main()
