"""Writes the programs that the importer's tests read: `NAME.pt2`, and `NAME.safetensors` with what
PyTorch computes (`in.NAME` in the order of inputs, `out.0` and so on).

    python3 make_programs.py        # torch 2.13
"""

import json
import math
import os
import struct

import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
DTYPES = {
    torch.float32: "F32", torch.float64: "F64", torch.float16: "F16",
    torch.int64: "I64", torch.int32: "I32", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip

BARE = "losses", "grids", "ordering", "masks", "bytes", "cells", "algebra", "specials", "parts", "extents"


class Layers(nn.Module):
    """Linear layers, normalisations, activations, a symbolic batch."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16)
        self.norm = nn.LayerNorm(16)
        self.second = nn.Linear(16, 4, bias=False)
        self.register_buffer("scale", torch.linspace(0.5, 2, 16))

    def forward(self, x):
        y = self.norm(F.gelu(self.first(x))) * self.scale
        z = F.silu(y) + F.hardswish(y) - F.leaky_relu(y, 0.2) + F.softplus(y) + F.elu(y)
        return self.second(z), torch.cat([y, z], 1).view(x.shape[0], 4, 8).transpose(1, 2), y.softmax(-1)


class Images(nn.Module):
    """Convolutions of several kinds, batch norm, pools, interpolation."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, bias=False)
        self.grouped = nn.Conv2d(8, 12, 1, groups=4)
        self.up = nn.ConvTranspose2d(12, 6, 3, stride=2, padding=1, output_padding=1)
        self.bn.running_mean.normal_()
        self.bn.running_var.uniform_(0.5, 2)

    def forward(self, x):
        y = F.relu6(self.bn(self.stem(x)))
        y = self.grouped(self.depthwise(y) + y)
        z = self.up(F.max_pool2d(y, 3, 2, 1, ceil_mode=True))
        z = F.avg_pool2d(z, 2) + F.interpolate(z, scale_factor=0.5, mode="bilinear")
        return F.adaptive_avg_pool2d(z, 1).flatten(1), F.adaptive_avg_pool2d(y, (3, 2)), F.pixel_shuffle(y, 2)


class Attention(nn.Module):
    """Attention with a mask, causal, with grouped queries; an embedding."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(32, 16)
        self.qkv = nn.Linear(16, 16 + 8 + 8)

    def forward(self, ids, mask):
        b, t = ids.shape
        q, k, v = self.qkv(self.table(ids)).split([16, 8, 8], -1)
        q = q.view(b, t, 4, 4).transpose(1, 2)
        k, v = (each.view(b, t, 2, 4).transpose(1, 2) for each in (k, v))
        causal = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        masked = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :], enable_gqa=True)
        return causal.transpose(1, 2).reshape(b, t, 16), masked


class Movements(nn.Module):
    """Views, indices, order, reductions and creation."""

    def forward(self, x, index):
        a = x[:, 1:, ::2].roll((1, -2), (0, 2)).flip(1)
        b = torch.stack(x.unbind(1), -1).movedim(2, 0).masked_fill(x.transpose(0, 1) > 1, -1)
        c = x[:, index].gather(2, index[None, :, None].expand(x.shape[0], 3, 5) % 4)
        top, where = x.topk(2, -1)
        d = torch.einsum("bij,bkj->bik", x, x).cumsum(-1) + torch.arange(4)
        e = torch.where(x > 0, x, torch.full_like(x, 0.25)).var((1, 2), correction=0)
        f = F.pad(x, (1, 2), mode="reflect").clone().add_(1).amax(-1, keepdim=True)
        g = torch.triu(torch.ones(4, 6), 1) * x.std(1, keepdim=True)
        return a, b, c, top, where, d, e, f, g, x.argmax(-1), x.repeat(1, 2, 1).mean((0, 1))


class Corners(nn.Module):
    """What is easily taken for something else."""

    def forward(self, x, n, mask):
        aten = torch.ops.aten
        a = aten.rsub(x, 3, 2) + aten.rsub(x, x * 2, alpha=0.5)
        b = torch.add(n, 2, alpha=3), torch.div(n, 4, rounding_mode="trunc"), torch.addcmul(n, n, n)
        c = (x * 1).mul_(x.double() * 0.5).add_(1), torch.lerp(x, -x, 0.75), torch.lerp(x, -x, mask.float()[:3, :6])
        d = x.index_select(1, torch.tensor(2)), x.narrow(1, -2, 2), n.cumsum(0, dtype=torch.int32)
        e = torch.arange(0, 2.5, dtype=torch.int64), torch.linspace(0, 1, 7, dtype=torch.float64)
        f = torch.scatter(x, 1, n[:3, None] % 6, x, reduce="add"), aten.elu(x, 1.6, 1.05, 1.1)
        g = F.scaled_dot_product_attention(x[None], x[None], x[None], attn_mask=mask[None, :3, :3])
        h = aten.native_layer_norm(x, [6], None, None, 1e-5)[0], F.adaptive_max_pool1d(x, 2)
        i = F.prelu(x, torch.tensor(0.3)), F.pad(x, (1, 1), mode="circular"), n.float().div(0).neg()
        return a, *b, *c, *d, *e, *f, g, *h, *i


class Recurrent(nn.Module):
    """Recurrent layers: stacked, in both directions, sequences first, without biases."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 6, 2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(12, 7)
        self.plain = nn.RNN(7, 3, bias=False, nonlinearity="relu")
        self.bare = nn.GRU(3, 2, bias=False)

    def forward(self, x):
        y, (h, c) = self.lstm(x)
        z, k = self.gru(y)
        w, v = self.plain(z)
        return y, h, c, z, k, w, v, self.bare(w)[0]


class Changes(nn.Module):
    """Changes in place of tensors that share memory, and a part without gradients."""

    def forward(self, x, cut):
        a = x * 2
        row, column = a[1], a[:, 2:4]
        column.fill_(7)
        row.add_(1)
        b = x + 1
        flat, first = b.view(-1), b.unbind(0)[0]
        flat[::3].mul_(-1)
        first.copy_(x[2])
        c = (x * 3).t()
        c[1:3, 0] = 5
        c[:, 1:].masked_fill_(c[:, 1:] > 1, 0.5)
        d = x.relu()
        e = F.dropout(d.flatten(), training=False, inplace=True)
        d += 1
        f = torch.zeros(3, 6)
        f[cut, cut + 1] = 4
        f[:, 5] = x[:, 0]
        with torch.no_grad():
            g = (x.sigmoid() * f).tril(1)
        mask = x > 0
        mask &= x < 1
        h = x.split(2, 1)[1].permute(1, 0).contiguous()
        return a, row, column, b, flat, first, c, d, e, f, g, mask, h.sub_(1)


class Positions(nn.Module):
    """Updates at positions, positions among sorted values."""

    def forward(self, x, n, rows):
        aten = torch.ops.aten
        a = x.scatter_reduce(1, n, x[:, :4], "mean"), x.scatter_reduce(1, n, x[:, :4], "amax", include_self=False)
        b = x.index_add(1, n[0, :2], x[:, :2], alpha=2), x.index_fill(1, n[0, :2], 3), x.index_copy(1, n[0, 2:4], x[:, :2])
        c = aten.index_put(x, [None, n[1]], x[:, :4], False), aten.index_put(x, [rows, rows], x[0, :2], True)
        d = x[rows[:, None], n[:2]], x[:, None].expand(-1, 2, -1)[rows, :, rows], x.take(n), x.take_along_dim(n, 1)
        e = F.one_hot(n, 7), torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0]), right=True)
        f = torch.searchsorted(x.sort(-1).values, x[:, :2].contiguous()), torch.isin(n, rows)
        g = x.cummax(1).values, x.any(dim=()), torch.cat([torch.zeros(0).double(), x[0]])
        return *a, *b, *c, *d, *e, *f, *g


class Numbers(nn.Module):
    """Numbers of the program beside tensors."""

    def forward(self, x, n):
        size = x.shape[0]
        a = x * size, n + size * 2, x / (size + 1), (x > 0) * (size // 2), size - n.int()
        return *a, torch.full((2,), size * size), torch.arange(size, size + 3), x.new_ones(2).fill_(size)


class Samples(nn.Module):
    """Windows as columns and back, samples at positions, smooth resizing, batch statistics."""

    def forward(self, x, grid):
        aten = torch.ops.aten
        columns = F.unfold(x, 3, dilation=(1, 2), padding=1, stride=2)
        a = columns, F.fold(columns, x.shape[2:], 3, dilation=(1, 2), padding=1, stride=2)
        b = F.grid_sample(x, grid, align_corners=True), F.grid_sample(x, grid, padding_mode="border", align_corners=False)
        c = F.grid_sample(x, grid, mode="nearest", align_corners=True), x.unfold(2, 3, 2)
        d = F.interpolate(x, (3, 9), mode="bilinear", antialias=True), F.interpolate(x, (11, 4), mode="bicubic", antialias=True)
        e = F.avg_pool2d(x, 2, divisor_override=3), F.batch_norm(x, None, None, training=True)
        f = aten._weight_norm(x, x[:, :1, :1, :1], 0), F.pixel_unshuffle(x[0, :, :6], 2)
        return *a, *b, *c, *d, *e, *f


class Stacks(nn.Module):
    """Stacks and diagonals, differences and products, other names of functions."""

    def forward(self, x, v):
        a = torch.hstack([v, v]), torch.vstack([v, x]), torch.dstack([x, x]), torch.column_stack([x, x[:, 0]])
        b = *torch.meshgrid(v[:2], v, indexing="xy"), *torch.broadcast_tensors(x, v), torch.atleast_3d(x)
        c = x.diagonal(1), x.diagonal(-1), torch.diag_embed(v, -2), torch.diag(v, 1), x.trace(), x.rot90(3)
        d = x.diff(n=2, dim=0), x.diff(prepend=x[:, :1]), torch.std_mean(x, 1)[0], *torch.aminmax(x, dim=1)
        e = F.mse_loss(x, x * 2), F.cosine_similarity(x, v[None]), torch.cdist(x, x + 1), torch.logaddexp(x, x * 2)
        f = torch.linalg.cross(x[:3, :3], x[1:, :3]), torch.inner(x, x), torch.tensordot(x, x, 2), torch.addmv(x[:, 0], x, v)
        g = F.threshold(x, 0.1, 20), F.hardshrink(x), F.softshrink(x), F.rrelu(x), x.sigmoid().logit(1e-6)
        h = x.clip(-1, 1), x.absolute(), x.moveaxis(0, 1), x.greater(0), x.ravel(), x.roll(3), x.isneginf()
        return *a, *b, *c, *d, *e, *f, *g, *h, *x.tensor_split(3, 1), x.repeat_interleave(2), torch.fmax(x, -x)


class Reviewed(nn.Module):
    """What a reader of the importer found: changes before an axis, copies, new shapes, defaults."""

    def forward(self, x):
        y = x + 1
        y[-10:].mul_(2)
        z = x * 2
        copied = torch.slice_copy(z, 0, 0, 1)
        z.add_(1)
        wide = (x * 3).unsqueeze_(0)
        return y, copied, z, wide, torch.linalg.diagonal(x[:, None] * x[:3]), torch.vdot(x[0], x[1])


class Sizes(nn.Module):
    """Numbers that follow from sizes, also beside half precision, which they are not rounded to."""

    def forward(self, x, y, n):
        size = x.shape[0]
        third, root = size / 3, torch.sym_sqrt(size)
        a = y * size, y / size, x.sum(0) / size, y * third, y / root, y.float() * (1 / size), n * third, n % size
        b = y * math.trunc(third), torch.ones(math.trunc(size / 300)), y * torch.sym_min(third, 100.5) ** 2, n + size**2
        c = torch.full((2,), third), y.new_full((2,), third), torch.where(y > 0, y, third), y.masked_fill(y > 0, root)
        d = torch.linspace(0, 3, 7).half(), torch.add(y.float(), y, alpha=third), torch.lerp(y, -y, 1 / size), y ** (1 / size)
        return *a, *b, *c, *d, y.index_fill(0, torch.tensor([-1, 2]), size), (y > 0) * third, torch.add(n, n, alpha=size)


class Rounding(nn.Module):
    """What half precision rounds: once for a function, and the numbers of remainders and powers."""

    def forward(self, x):
        a = torch.lerp(x, -x, 0.75), torch.addcmul(x, x, x, value=0.001), torch.addcdiv(x, x, x + 3, value=0.1)
        b = torch.div(x, 0.3, rounding_mode="trunc"), x // 0.3, x % 0.3, torch.fmod(x, 0.3), x.abs() ** 0.3
        c = x == 0.1, x >= 0.1, x < 2049, x != 2.7, F.hardshrink(x, 0.1), x > 1e5
        return *a, *b, *c, x * 2049, x / 3, torch.add(x, x, alpha=2)


class Losses(nn.Module):
    """Losses, of elements and of classes."""

    def forward(self, x, y, t):
        sign, p, q, w = y.sign(), x.sigmoid(), y.sigmoid(), torch.arange(1.0, 6)
        a = F.smooth_l1_loss(x, y, beta=0.7), F.huber_loss(x, y, "sum", 0.6), F.soft_margin_loss(x, sign)
        b = F.binary_cross_entropy(p, q, w), F.binary_cross_entropy_with_logits(x, q, pos_weight=w)
        c = F.kl_div(x, F.relu(y), reduction="none"), F.kl_div(x, y, log_target=True, reduction="batchmean")
        d = F.poisson_nll_loss(x, y.abs() * 5, full=True), F.margin_ranking_loss(x, y, sign, 0.3), F.hinge_embedding_loss(x, sign)
        e = F.triplet_margin_loss(x, y, x * y, swap=True), F.cosine_embedding_loss(x, y, sign[:, 0], 0.1), torch.dist(x, y, 3)
        f = F.cross_entropy(x, t, w, ignore_index=1), F.cross_entropy(x, t, w, label_smoothing=0.2), F.cross_entropy(x, q, label_smoothing=0.1)
        g = F.nll_loss(x, t, reduction="none"), F.nll_loss(x[..., None], t[:, None], w), F.multi_margin_loss(x, t, 2, 0.5, w)
        return *a, *b, *c, *d, *e, *f, *g, F.pairwise_distance(x, y, 1, keepdim=True)


class Grids(nn.Module):
    """Samples at the points of grids, with all borders and interpolations; grids of affine maps."""

    def forward(self, x, grid, solid, points, theta):
        a = [F.grid_sample(x, grid, mode, "reflection", c) for mode in ("bilinear", "nearest", "bicubic") for c in (True, False)]
        b = [F.grid_sample(x, grid, "bicubic", border, False) for border in ("zeros", "border")]
        c = [F.grid_sample(solid, points, mode, border, False) for mode in ("bilinear", "nearest") for border in ("zeros", "reflection")]
        affine = F.affine_grid(theta, (2, 3, 4, 5), align_corners=False)
        return *a, *b, *c, affine, F.affine_grid(theta, (2, 3, 3, 1), align_corners=True), F.grid_sample(x, affine, align_corners=False)


class Ordering(nn.Module):
    """Elements by their order: with equal ones, and with NaN."""

    def forward(self, x, n, gaps):
        a = *x.cummax(1), *n.cummax(0), *n.cummin(1), *gaps.cummax(1), *gaps.cummin(1), x.logcumsumexp(1)
        b = *x.kthvalue(2, 0, True), *x.median(1), x.median(), gaps.median(1).values, gaps.nanmedian(1).values, n.mode(1).values
        c = torch.quantile(x, 0.3, 1), torch.quantile(gaps, torch.tensor([0.1, 0.9]), 1, True), torch.msort(x), x.histc(4, -1, 1)
        d = gaps.nansum(1), gaps.nanmean(0), (n > 2).max(1).values, (n > 2).max(1).indices, x.sum().sort(0).values
        return *a, *b, *c, *d


class Masks(nn.Module):
    """Values put where a mask says, in its order."""

    def forward(self, x, rows, mask, values):
        aten = torch.ops.aten
        a = aten.index_put(x, [rows], values), aten.index_put(x, [rows], values[:1]), aten.index_put(x, [rows], values, True)
        b = aten.index_put(x, [mask], values.flatten()[:5]), aten.index_put(x.T, [None, rows], values.T[:, :3])
        c = x.masked_scatter(mask, values), x.masked_scatter(rows[:, None], values), aten.put(x, torch.tensor([0, -1]), values[0, :2])
        counts = torch.tensor([2, 0, 1, 3])
        return *a, *b, *c, x.repeat_interleave(counts, 0, output_size=6)


class Bytes(nn.Module):
    """Images of bytes, resized in fixed point."""

    def forward(self, x):
        a = [F.interpolate(x, (4, 5), mode=mode, antialias=True) for mode in ("bilinear", "bicubic")]
        b = [F.interpolate(x, (14, 11), mode=mode, antialias=each) for mode in ("bilinear", "bicubic") for each in (True, False)]
        return *a, *b, F.interpolate(x, (5, 3)), F.interpolate(x, scale_factor=0.6, mode="bilinear"), F.max_pool2d(x.int(), 2)


class Cells(nn.Module):
    """Single steps of recurrent layers, bags of embeddings, a bilinear form."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.plain = nn.LSTMCell(4, 6), nn.GRUCell(4, 6), nn.RNNCell(4, 6, nonlinearity="relu")
        self.bags = nn.ModuleList([nn.EmbeddingBag(9, 4, mode=mode, padding_idx=2) for mode in ("sum", "mean", "max")])
        self.bilinear = nn.Bilinear(4, 6, 3)

    def forward(self, x, h, n, offsets):
        flat = [bag(n.flatten(), offsets) for bag in self.bags]
        weighted = F.embedding_bag(n, self.bags[0].weight, mode="sum", per_sample_weights=x[:, :n.shape[1]])
        return *self.lstm(x, (h, h * 2)), self.gru(x, h), self.plain(x, h), *flat, *(bag(n) for bag in self.bags), weighted, self.bilinear(x, h)


class Algebra(nn.Module):
    """Sums by Einstein's notation with ellipses and diagonals; matrices."""

    def forward(self, x, y):
        forms = "...id,...jd->...ij", "bi...,bj...->b...", "...,...->...", "iij,iik->ijk", "bij,bij"
        a = [torch.einsum(form, *each) for form, each in zip(forms, [(x, y), (x, x), (x, x[0]), (x, x), (x, y)])]
        b = torch.linalg.norm(x), torch.linalg.matrix_norm(x, 1), torch.linalg.matrix_norm(x, -math.inf, keepdim=True), torch.linalg.matrix_power(x, 5)
        c = torch.linalg.multi_dot([x[0], x[1], x[2]]), torch.kron(x[0, :2], y[1]), torch.block_diag(x[0, 0], x[1], torch.tensor(2.0))
        d = torch.addbmm(x[0], x, y, beta=0.5, alpha=2), torch.addr(x[0], x[0, 0], x[1, 0]), torch.linalg.matrix_power(x, 0)
        return *a, torch.einsum("ii", x[0]), torch.einsum("...ii->...i", x), *b, *c, *d


class Specials(nn.Module):
    """Functions of several others, and where they are special."""

    def forward(self, x, y):
        a = torch.hypot(x, y), torch.copysign(x, y), torch.signbit(x), torch.xlogy(x, y), torch.special.xlog1py(x, y), torch.heaviside(x, y)
        b = torch.isclose(x, y), torch.isclose(x, x, equal_nan=True), torch.logaddexp2(x, y), torch.ldexp(x, torch.arange(14) % 4), torch.float_power(x, 2)
        c = x.round(decimals=1), (x * 100).round(decimals=-1), x.sinc(), x.rad2deg(), torch.special.entr(x), torch.special.ndtr(x), x.asinh(), x.isreal()
        d = torch.trapezoid(x[7:], dx=0.5), torch.cumulative_trapezoid(x[7:]), torch.fake_quantize_per_tensor_affine(x[7:], 0.1, 3, -8, 7)
        return *a, *b, *c, *d


class Parts(nn.Module):
    """Parts, positions and windows; borders that take away; tensors of rank 0 along an axis."""

    def forward(self, x, one):
        a = *torch.hsplit(x, 2), *torch.vsplit(x, [1, 3]), x.sum_to_size(1, 6), torch.cartesian_prod(x[0], x[1]), torch.diagflat(x[0], -1)
        b = torch.tril_indices(3, 4, 1), torch.triu_indices(3, 4), torch.hann_window(6) * x, torch.hamming_window(6, False) * x, torch.blackman_window(5) + one
        c = F.pad(x, (-1, 2), mode="reflect"), F.pad(x, (2, -1), mode="circular"), F.pad(x[None], (-2, 1, 1, -1), mode="replicate")
        d = one.cumsum(0), one.topk(1)[1], one.gather(0, torch.tensor(0)), one.index_select(0, torch.tensor([0])), one.squeeze(0)
        return *a, *b, *c, *d, F.max_pool1d(x, 2), F.interpolate(x[None], 4, mode="nearest-exact")


class Extents(nn.Module):
    """Masks, shifts and padding by sizes, positions along axes that stand apart, a number returned."""

    def forward(self, x, cache, rows):
        t, p = x.shape[0], cache.shape[0]
        a = torch.ones(t, p).tril(p - t), torch.ones(t, p).triu(t - p)
        b = x.roll(1, 0), x.roll((-3, 5), (0, 1)), x.roll(2)
        c = F.pad(x, (0, 0, 0, (4 - t % 4) % 4)).view(-1, 4, 4).roll(-2, 1).reshape(-1, 4)[:t]
        y = F.avg_pool1d(cache[:, 0].T, 2)
        z = F.avg_pool1d(y, 2).repeat_interleave(2, 1)
        rest = y.shape[1] - z.shape[1]
        d = torch.cat([y, F.pad(z, (rest // 2, rest - rest // 2))])
        e = cache.clone()
        e[rows, :, rows % 3] = x
        f = cache.clone()
        f[rows, 1:, rows % 3] += x[:, 1:]
        return *a, *b, c, d, e, f, 7, None


class Selecting(nn.Module):
    """A result whose shape depends on the data."""

    def forward(self, x):
        return x.masked_select(x > 0) * 2, (x @ x.T).inverse()


class Changing(nn.Module):
    """A module that changes its own state, which no library does."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(3))

    def forward(self, x):
        self.count.add_(1)
        return x + self.count


class Unknown(nn.Module):
    """Operators that cannot be compiled."""

    def forward(self, x):
        return torch.linalg.inv(x @ x.T) + torch.special.bessel_j0(x @ x.T), torch.linalg.inv(x @ x.T)


def write_safetensors(path, tensors):
    """A file of tensors; the format is a length, a JSON header, bytes."""
    header, offset, parts = {}, 0, []
    for name, tensor in tensors.items():
        data = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
        parts.append(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def save(name, model, inputs, dynamic=None):
    """Exports a model, and runs it at other sizes than those of the export where these are symbolic."""
    model = model.eval()
    program = torch.export.export(model, inputs, dynamic_shapes=dynamic)
    for node in program.graph.nodes:
        # Lines of this file, wherever it lies; programs of many nodes go without.
        if name in BARE:
            for key in ("stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn"):
                node.meta.pop(key, None)
        if "stack_trace" in node.meta:
            trace = node.meta["stack_trace"].replace(HERE + os.sep, "")
            node.meta["stack_trace"] = trace.replace(os.path.dirname(torch.__file__), "torch")
    torch.export.save(program, f"{HERE}/{name}.pt2")
    if name in ("unknown", "changing", "selecting"):
        return
    given = inputs
    if dynamic:
        given = tuple(torch.cat([each, each[:1]]) if sizes else each for each, sizes in zip(inputs, dynamic))
    names = [spec.arg.name for spec in program.graph_signature.input_specs if spec.kind.name == "USER_INPUT"]
    tensors = {f"in.{key}": each for key, each in zip(names, given)}
    outputs = [each for each in model(*given) if torch.is_tensor(each)]
    tensors |= {f"out.{index}": each for index, each in enumerate(outputs)}
    write_safetensors(f"{HERE}/{name}.safetensors", tensors)


def main():
    """Writes all programs."""
    torch.manual_seed(0)
    batch = torch.export.Dim("batch", min=1, max=64)
    mask = torch.rand(3, 6) > 0.3
    mask[:, 0] = True
    with torch.no_grad():
        save("layers", Layers(), (torch.randn(3, 8),), ({0: batch},))
        save("images", Images(), (torch.randn(2, 3, 13, 15),))
        save("attention", Attention(), (torch.randint(0, 32, (3, 6)), mask), ({0: batch}, {0: batch}))
        save("movements", Movements(), (torch.randn(3, 4, 6), torch.tensor([2, 0, 3])))
        mask = torch.rand(4, 6) > 0.4
        mask[1] = False
        save("corners", Corners(), (torch.randn(3, 6), torch.tensor([-7, 9, 4, -2]), mask))
        save("recurrent", Recurrent(), (torch.randn(3, 4, 5),))
        save("changes", Changes(), (torch.randn(3, 6), torch.tensor([2, 0])))
        n = torch.rand(3, 6).argsort(-1)[:, :4]
        save("positions", Positions(), (torch.randn(3, 6), n, torch.tensor([2, 0])))
        save("numbers", Numbers(), (torch.randn(3, 6), torch.tensor([[4, 1], [2, 2], [0, 9]])), ({0: batch}, {0: batch}))
        save("samples", Samples(), (torch.randn(2, 3, 7, 6), torch.rand(2, 4, 3, 2) * 3 - 1.5))
        save("stacks", Stacks(), (torch.randn(4, 5), torch.randn(5)))
        save("reviewed", Reviewed(), (torch.randn(4, 3),))
        given = torch.randn(2050, 1).half(), torch.randn(8).half(), torch.tensor([7, -3], dtype=torch.int32)
        save("sizes", Sizes(), given, ({0: torch.export.Dim("batch", min=600, max=4096)}, {}, {}))
        save("rounding", Rounding(), (torch.cat([torch.randn(20) * 3, torch.tensor([60000.0, 2.7, 100, 0.1, 2048])]).half(),))
        save("losses", Losses(), (torch.randn(4, 5), torch.randn(4, 5), torch.tensor([1, 0, 4, 2])))
        points = torch.rand(2, 4, 3, 2) * 4 - 2, torch.randn(1, 2, 3, 4, 5), torch.rand(1, 2, 3, 4, 3) * 4 - 2
        save("grids", Grids(), (torch.randn(2, 3, 5, 6), *points, torch.randn(2, 2, 3)))
        gaps = torch.randn(3, 6)
        gaps[0, 1], gaps[2] = math.nan, math.nan
        save("ordering", Ordering(), (torch.randn(3, 6), torch.randint(0, 4, (3, 6)), gaps))
        rows, mask = torch.tensor([True, False, True, True]), torch.zeros(4, 6, dtype=torch.bool)
        mask[[0, 1, 1, 2, 3], [5, 0, 3, 2, 4]] = True
        save("masks", Masks(), (torch.randn(4, 6), rows, mask, torch.randn(3, 6)))
        save("bytes", Bytes(), (torch.randint(0, 256, (1, 3, 9, 8), dtype=torch.uint8),))
        n = torch.tensor([[1, 2, 8], [0, 2, 2]])
        save("cells", Cells(), (torch.randn(2, 4), torch.randn(2, 6), n, torch.tensor([0, 4, 4])))
        save("algebra", Algebra(), (torch.randn(3, 3, 3), torch.randn(3, 3, 3)))
        special = torch.tensor([0.0, -0.0, 1, -1, math.inf, -math.inf, math.nan, 0.25, -0.75, 2.5, 30, 1e-3, 0.0, -2])
        save("specials", Specials(), (special, torch.cat([special[3:], special[:3]])))
        save("parts", Parts(), (torch.randn(4, 6), torch.tensor(1.5)))
        rows = torch.export.Dim.AUTO
        given = torch.randn(3, 4), torch.randn(7, 4, 3), torch.tensor([4, 0, 2])
        save("extents", Extents(), given, ({0: rows}, {0: rows}, {0: rows}))
        save("selecting", Selecting(), (torch.randn(3, 3),))
        save("changing", Changing(), (torch.randn(3),))
        save("unknown", Unknown(), (torch.randn(3, 3),))


if __name__ == "__main__":
    main()
