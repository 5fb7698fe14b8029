"""Layers: their parts and names, and what they compute, against numpy."""

from __future__ import annotations

import math
import time
import unittest
from typing import Any, Dict

from support import CompilerTestCase

from aitemplate import frontend
from aitemplate.frontend import IntVar, Parameter, Tensor, nn
from aitemplate.frontend.nn import activation, batch_norm, dual_gemm, head, softmax
from aitemplate.frontend.nn.container import ParameterDict, ParameterList
from aitemplate.frontend.nn.pool3d import MaxPool3d
from aitemplate.frontend.nn.positional_encoding import repeat, repeat_interleave
from aitemplate.frontend.nn.vision_transformers import create_multiscale_vision_transformers


class Block(nn.Module):
    """A layer with a parameter and a part."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = None
        self.scale = Parameter(shape=[4], dtype="float32")
        self.inner = nn.Linear(4, 4, dtype="float32")

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) * self.scale.tensor()


class ModuleTests(CompilerTestCase):
    """The tree of modules."""

    def test_names(self) -> None:
        """Parameters are found by their paths, in the order in which they were assigned."""
        model = nn.Sequential(Block(), nn.ModuleList([Block()]))
        names = [name for name, _ in model.named_parameters()]
        expected = [
            f"{path}.{name}"
            for path in ("0", "1.0")
            for name in ("scale", "inner.weight", "inner.bias")
        ]
        self.assertEqual(names, expected)
        model.name_parameter_tensor()
        self.assertEqual(model[1][0].inner.bias.tensor()._attrs["name"], "1_0_inner_bias")
        self.assertEqual(len(list(model.modules())), 6)
        self.assertEqual([name for name, _ in model.named_children()], ["0", "1"])

    def test_shared_parts_are_found_once(self) -> None:
        """A module that stands in two places has its parameters once."""
        block = Block()
        model = nn.ModuleList([block, block])
        self.assertEqual(len(list(model.parameters())), 3)

    def test_look_up(self) -> None:
        """Dotted paths, and what is not there."""
        model = nn.ModuleDict({"a": Block()})
        self.assertIs(model.get_submodule("a.inner"), model["a"].inner)
        self.assertIs(model.get_parameter("a.scale"), model["a"].scale)
        self.assertIs(model.get_submodule(""), model)
        for path in ("b", "a.none", "a.scale"):
            with self.assertRaises(AttributeError):
                model.get_submodule(path)
        with self.assertRaises(AttributeError):
            model.get_parameter("a.inner")

    def test_assignment(self) -> None:
        """Assigning in the place of parts, deleting, buffers."""
        block = Block()
        with self.assertRaises(TypeError):
            block.scale = 1
        with self.assertRaises(TypeError):
            block.inner = 1
        block.inner = None
        self.assertEqual(len(list(block.parameters())), 1)
        del block.scale
        self.assertFalse(hasattr(block, "scale"))
        buffer = Tensor([1], name="buffer")
        block.register_buffer("buffer", buffer, persistent=False)
        self.assertEqual(dict(block.named_buffers()), {"buffer": buffer})
        self.assertIs(block.get_buffer("buffer"), buffer)
        for name, error in (("a.b", KeyError), ("", KeyError), ("forward", KeyError)):
            with self.assertRaises(error):
                block.register_parameter(name, None)

    def test_before_init(self) -> None:
        """Parts cannot be assigned before the base class was initialised."""

        class Early(nn.Module):
            def __init__(self) -> None:
                self.weight = Parameter(shape=[1], dtype="float16")

        with self.assertRaisesRegex(AttributeError, "before Module.__init__"):
            Early()

    def test_without_forward(self) -> None:
        """A module without forward says so."""
        with self.assertRaisesRegex(NotImplementedError, "forward"):
            nn.Module()(1)
        with self.assertRaises(NotImplementedError):
            nn.ModuleList()(1)

    def test_text(self) -> None:
        """`repr` shows the tree."""
        self.assertEqual(
            repr(nn.Sequential(nn.Identity(), nn.ModuleList([nn.Dropout()]))),
            "Sequential(\n  (0): Identity()\n  (1): ModuleList(\n    (0): Dropout()\n  )\n)",
        )

    def test_exports(self) -> None:
        """All names of the package are there."""
        for name in nn.__all__:
            self.assertTrue(hasattr(nn, name), name)
        self.assertIs(frontend.Tensor, Tensor)


class ContainerTests(CompilerTestCase):
    """Containers behave as those of torch.nn."""

    def test_sequential(self) -> None:
        """Indices, slices, insertion, deletion, sums and products."""
        a, b, c = nn.Identity(), nn.Identity(), nn.Identity()
        model = nn.Sequential(a, b)
        model.append(c).insert(0, c)
        self.assertEqual([id(x) for x in model], [id(x) for x in (c, a, b, c)])
        self.assertIs(model[-1], c)
        self.assertEqual(len(model[1:3]), 2)
        del model[0]
        self.assertEqual(list(model._modules), ["0", "1", "2"])
        self.assertIs(model.pop(0), a)
        self.assertEqual(len(model + model), 4)
        self.assertEqual(len(model * 3), 6)
        model *= 2
        self.assertEqual(len(model), 4)
        self.assertEqual(model(5), 5)
        for operation in (lambda: model + 1, lambda: model * 0):
            with self.assertRaises(ValueError):
                operation()
        with self.assertRaises(TypeError):
            model * "2"
        with self.assertRaises(IndexError):
            model[9]

    def test_named_sequential(self) -> None:
        """Names in place of numbers."""
        model = nn.Sequential({"first": nn.Identity(), "second": nn.Identity()})
        self.assertEqual([name for name, _ in model.named_children()], ["first", "second"])

    def test_module_list(self) -> None:
        """A list grows and shrinks."""
        modules = nn.ModuleList([nn.Identity()])
        modules += [nn.Dropout()]
        modules[0] = nn.Dropout()
        self.assertIsInstance(modules[0], nn.Dropout)
        self.assertEqual(len(modules + [nn.Identity()]), 3)
        with self.assertRaises(TypeError):
            modules.extend(1)
        with self.assertRaises(TypeError):
            modules.append(1)

    def test_module_dict(self) -> None:
        """Names, from mappings and from pairs."""
        modules = nn.ModuleDict({"a": nn.Identity()})
        modules.update([("b", nn.Dropout())])
        self.assertEqual(list(modules.keys()), ["a", "b"])
        self.assertIn("a", modules)
        modules.pop("a")
        self.assertEqual(len(modules), 1)
        with self.assertRaises(ValueError):
            modules.update([("c",)])
        with self.assertRaises(TypeError):
            modules.update(1)

    def test_parameters(self) -> None:
        """Lists and dictionaries of parameters."""
        values = [Parameter(shape=[1], dtype="float16") for _ in range(3)]
        parameters = ParameterList(values)
        self.assertEqual([name for name, _ in parameters.named_parameters()], ["0", "1", "2"])
        self.assertIs(parameters[-1], values[2])
        self.assertEqual(len(parameters[:2]), 2)
        named = ParameterDict({"a": values[0]})
        named |= {"b": values[1]}
        self.assertEqual([name for name, _ in named.named_parameters()], ["a", "b"])
        self.assertEqual(named.popitem()[0], "b")
        self.assertIsNone(named.get("b"))
        with self.assertRaises(KeyError):
            named["b"]
        with self.assertRaises(RuntimeError):
            named(1)


class LayerTests(CompilerTestCase):
    """What layers compute."""

    def setUp(self) -> None:
        import numpy

        self.np = numpy
        self.random = numpy.random.default_rng(0)

    def array(self, *shape: int) -> Any:
        """Normal numbers of float32."""
        return self.random.standard_normal(shape).astype("float32")

    def constants(self, module: nn.Module) -> Dict[str, Any]:
        """Values for all parameters of a module, by name."""
        module.name_parameter_tensor()
        result = {}
        for name, parameter in module.named_parameters():
            shape = [dim.value() for dim in parameter.tensor().shape()]
            result[name.replace(".", "_")] = self.array(*shape) / math.sqrt(max(shape[-1:] or [1]))
        return result

    def test_linear(self) -> None:
        """A product with bias and ReLU, of a batch that is known when the model runs."""
        np = self.np
        layer = nn.Linear(8, 4, specialization="relu", dtype="float32")
        values = self.constants(layer)
        batch = IntVar([1, 16], name="batch")
        x = Tensor([batch, 8], name="x", dtype="float32", is_input=True)
        data = self.array(5, 8)
        (y,) = self.run_model(layer(x), {"x": data}, values)
        self.assert_close(y, np.maximum(data @ values["weight"].T + values["bias"], 0))

    def test_unknown_specialization(self) -> None:
        """What no operator is named after."""
        with self.assertRaisesRegex(AttributeError, "gemm_rcr_bias_nothing"):
            nn.Linear(8, 4, specialization="nothing")

    def test_layer_norm(self) -> None:
        """Mean and variance of the last dimension."""
        layer = nn.LayerNorm(16, eps=1e-3, dtype="float32")
        values = self.constants(layer)
        x = Tensor([3, 16], name="x", dtype="float32", is_input=True)
        data = self.array(3, 16)
        (y,) = self.run_model(layer(x), {"x": data}, values)
        centred = data - data.mean(-1, keepdims=True)
        normal = centred / self.np.sqrt(data.var(-1, keepdims=True) + 1e-3)
        self.assert_close(y, normal * values["weight"] + values["bias"])

    def attention(self, q: Any, k: Any, v: Any, causal: bool) -> Any:
        """Attention of [B, H, S, D] by numpy."""
        np = self.np
        scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(q.shape[-1])
        if causal:
            seen = np.tril(np.ones(scores.shape[-2:], bool))
            scores = np.where(seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        return (weights / weights.sum(-1, keepdims=True)) @ v

    def check_multihead(self, causal: bool, residual: bool, batch: Any) -> None:
        """Self-attention by the kernel that takes symbolic sizes, against numpy."""
        dim, heads, seq = 16, 2, 6
        layer = nn.MultiheadAttention(
            dim,
            batch,
            seq,
            heads,
            qkv_bias=True,
            has_residual=residual,
            causal=causal,
            use_mem_eff=True,
            dtype="float32",
        )
        values = self.constants(layer)
        values.pop("cu_length", None)
        x = Tensor([batch, seq, dim], name="x", dtype="float32", is_input=True)
        data = self.array(2, seq, dim)
        (y,) = self.run_model(layer(x, x) if residual else layer(x), {"x": data}, values)
        qkv = data @ values["qkv_weight"].T + values["qkv_bias"]
        q, k, v = qkv.reshape(2, seq, 3, heads, dim // heads).transpose(2, 0, 3, 1, 4)
        attended = self.attention(q, k, v, causal).transpose(0, 2, 1, 3).reshape(2, seq, dim)
        expected = attended @ values["proj_weight"].T + values["proj_bias"]
        self.assert_close(y, expected + data if residual else expected, 1e-3)

    def test_multihead(self) -> None:
        """Each token sees all."""
        self.check_multihead(causal=False, residual=True, batch=2)

    def test_multihead_causal(self) -> None:
        """Each token sees those up to itself, in a batch that is known when the model runs."""
        batch = IntVar([1, 4], name="batch")
        self.check_multihead(causal=True, residual=False, batch=batch)

    def test_cross_attention(self) -> None:
        """Queries of one sequence, keys and values of another."""
        dim, heads, seq, keys = 16, 2, 4, 6
        layer = nn.CrossAttention(dim, seq, keys, heads, has_residual=False, dtype="float32")
        values = self.constants(layer)
        data = {"q": self.array(2, seq, dim), "k": self.array(2, keys, dim)}
        q, k = (
            Tensor(list(value.shape), name=name, dtype="float32", is_input=True)
            for name, value in data.items()
        )
        (y,) = self.run_model(layer(q, k, k), data, values)

        def split(x: Any, name: str) -> Any:
            product = x @ values[f"proj_{name}_weight"].T
            return product.reshape(2, -1, heads, dim // heads).transpose(0, 2, 1, 3)

        attended = self.attention(
            split(data["q"], "q"), split(data["k"], "k"), split(data["k"], "v"), False
        )
        attended = attended.transpose(0, 2, 1, 3).reshape(2, seq, dim)
        self.assert_close(y, attended @ values["proj_weight"].T + values["proj_bias"], 1e-3)

    def test_vanilla_attention_with_mask(self) -> None:
        """A mask that is added to the scores makes attention causal."""
        dim, heads, seq = 16, 2, 4
        mask = Tensor([1, seq, seq], name="mask", dtype="float32", is_input=True)
        layer = nn.VanillaMultiheadAttention(
            dim, num_heads=heads, has_residual=False, causal=True, attn_mask=mask, dtype="float32"
        )
        values = self.constants(layer)
        batch = IntVar([1, 4], name="batch")
        x = Tensor([batch, seq, dim], name="x", dtype="float32", is_input=True)
        data = self.array(2, seq, dim)
        hidden = self.np.triu(self.np.full((1, seq, seq), -1e9, "float32"), 1)
        (y,) = self.run_model(layer(x), {"x": data, "mask": hidden}, values)
        qkv = data @ values["qkv_weight"].T
        q, k, v = qkv.reshape(2, seq, 3, heads, dim // heads).transpose(2, 0, 3, 1, 4)
        attended = self.attention(q, k, v, True).transpose(0, 2, 1, 3).reshape(2, seq, dim)
        self.assert_close(y, attended @ values["proj_weight"].T + values["proj_bias"], 1e-3)

    def test_attention_arguments(self) -> None:
        """What attention does not take."""
        with self.assertRaisesRegex(AssertionError, "divisible"):
            nn.MultiheadAttention(10, 1, 4, num_heads=3)
        with self.assertRaisesRegex(AssertionError, "attn_mask"):
            nn.VanillaMultiheadAttention(8, causal=True)
        with self.assertRaisesRegex(ValueError, "mask_seq"):
            nn.MultiheadAttention(16, 1, 4, num_heads=2, mask_seq=1, use_mem_eff=True)

    def test_batch_norm(self) -> None:
        """Statistics of training, with channels second."""
        layer = batch_norm.BatchNorm2d(3, dtype="float32", permute_input_output=True)
        values = self.constants(layer)
        values.pop("num_batches_tracked")
        values["running_var"] = abs(values["running_var"]) + 1
        x = Tensor([2, 3, 4, 4], name="x", dtype="float32", is_input=True)
        data = self.array(2, 3, 4, 4)
        (y,) = self.run_model(layer(x), {"x": data}, values)

        def channel(name: str) -> Any:
            return values[name].reshape(1, 3, 1, 1)

        normal = (data - channel("running_mean")) / self.np.sqrt(channel("running_var") + 1e-5)
        self.assert_close(y, normal * channel("weight") + channel("bias"))
        with self.assertRaisesRegex(ValueError, "expected 5D"):
            batch_norm.BatchNorm3d(3)(x)

    def test_small_layers(self) -> None:
        """Layers that are one operator."""
        np = self.np
        x = Tensor([2, 4], name="x", dtype="float32", is_input=True)
        data = self.array(2, 4)
        outputs = [
            activation.GELU()(x),
            softmax.Softmax(dim=1)(x),
            nn.Flatten()(x),
            nn.Reshape()(x, [4, 2]),
        ]
        results = self.run_model(outputs, {"x": data})
        gelu = np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in data.flat])
        self.assert_close(results[0], gelu.reshape(2, 4))
        exponents = np.exp(data)
        self.assert_close(results[1], exponents / exponents.sum(1, keepdims=True))
        self.assert_close(results[2], data.reshape(-1))
        self.assert_close(results[3], data.reshape(4, 2))

    def test_gated(self) -> None:
        """One product gates another."""
        layer = dual_gemm.DualGemm(8, 4, fast_gelu=False, dtype="float32")
        values = self.constants(layer)
        x = Tensor([3, 8], name="x", dtype="float32", is_input=True)
        data = self.array(3, 8)
        (y,) = self.run_model(layer(x), {"x": data}, values)
        gate = data @ values["w1"].T
        self.assert_close(y, gate / (1 + self.np.exp(-gate)) * (data @ values["w2"].T))

    def test_pooling_of_films(self) -> None:
        """Windows one deep."""
        x = Tensor([1, 2, 4, 4, 3], name="x", dtype="float32", is_input=True)
        data = self.array(1, 2, 4, 4, 3)
        (y,) = self.run_model(MaxPool3d((1, 2, 2), (1, 2, 2))(x), {"x": data})
        self.assert_close(y, data.reshape(1, 2, 2, 2, 2, 2, 3).max((3, 5)))
        with self.assertRaisesRegex(AssertionError, "depth 1"):
            MaxPool3d((2, 2, 2))(x)

    def test_repetition(self) -> None:
        """Whole tensors and single elements repeated."""
        x = Tensor([1, 2, 3], name="x", dtype="float32", is_input=True)
        data = self.array(1, 2, 3)
        whole, single = self.run_model(
            [repeat(x, (1, 2, 1)), repeat_interleave(x, 2, dim=1)], {"x": data}
        )
        self.assert_close(whole, self.np.tile(data, (1, 2, 1)))
        self.assert_close(single, self.np.repeat(data, 2, axis=1))

    def test_sequence_pool(self) -> None:
        """The first vector of a sequence, and the mean."""
        x = Tensor([2, 3, 4], name="x", dtype="float32", is_input=True)
        data = self.array(2, 3, 4)
        first, mean = self.run_model(
            [head.SequencePool("cls")(x), head.SequencePool("mean")(x)], {"x": data}
        )
        self.assert_close(first, data[:, 0])
        self.assert_close(mean, data.mean(1))

    def test_bert_is_built_quickly(self) -> None:
        """The graph of twelve layers; aimed at is a second."""
        begin = time.perf_counter()
        batch, seq, hidden = IntVar([1, 8], name="batch"), 128, 768
        ids = [Tensor([batch, seq], name=name, dtype="int64", is_input=True) for name in "xtp"]
        embeddings = nn.BertEmbeddings(hidden, 30522, 512, 2, 1e-12, 0.0)
        x = embeddings(*ids)
        for _ in range(12):
            attention = nn.MultiheadAttention(hidden, batch, seq, 12, qkv_bias=True)
            x = nn.LayerNorm(hidden, 1e-12)(attention(x, x))
            inner = nn.Linear(hidden, 4 * hidden, specialization="gelu")
            outer = nn.Linear(4 * hidden, hidden, specialization="add")
            x = nn.LayerNorm(hidden, 1e-12)(outer(inner(x), x))
        seconds = time.perf_counter() - begin
        print(f"the graph of BERT is built in {seconds:.2f} s")
        self.assertEqual([str(dim.pseudo_code()) for dim in x.shape()], ["batch", "128", "768"])
        self.assertLess(seconds, 10)

    def test_anchors(self) -> None:
        """Anchors around each pixel, the widest first."""
        module = nn.Proposal(
            (32, 48), feat_stride=16, scales=(32,), ratios=(0.5, 1), dtype="float32"
        )
        anchors = module._anchors
        self.assertEqual(anchors.shape, (2 * 3 * 2, 4))
        self.assert_close(anchors[1], [-16, -16, 16, 16])
        self.assert_close(anchors[-1], [16, 0, 48, 32])

    def test_multiscale_transformer(self) -> None:
        """The shapes of a small MViT."""
        model = create_multiscale_vision_transformers(
            spatial_size=16,
            temporal_size=4,
            depth=2,
            patch_embed_dim=32,
            cls_embed_on=False,
            sep_pos_embed=False,
            num_heads=1,
            norm="batchnorm",
            embed_dim_mul=[[1, 2.0]],
            atten_head_mul=[[1, 2.0]],
            pool_q_stride_size=[[1, 1, 2, 2]],
            pool_kv_stride_adaptive=[1, 2, 2],
            pool_kvq_kernel=[3, 3, 3],
            head_num_classes=10,
        )
        names = {name for name, _ in model.named_parameters()}
        self.assertIn("blocks.1.attn.pool_q.weight", names)
        self.assertIn("patch_embed.patch_model.bias", names)
        self.assertEqual(model.blocks[0].dim_out, 64)


if __name__ == "__main__":
    unittest.main()
