"""Boxes that may hold an object, from the outputs of a region proposal network."""

from __future__ import annotations

import math
from typing import Any, Callable, Optional, Sequence, Tuple, Union

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.compiler.ops.common.epilogue import FuncEnum
from aitemplate.frontend.nn.module import Module

__all__ = ["Proposal", "gen_batch_inds", "generate_anchors", "generate_shifted_anchors"]


def generate_anchors(
    ratios: Sequence[float] = (0.5, 1, 2), scales: Sequence[float] = (8, 16, 32)
) -> Any:
    """Boxes around the origin: for each scale s and ratio r, of area s^2 and height r times width.

    Returns:
        A numpy array `[len(scales) * len(ratios), 4]` of x1, y1, x2, y2.
    """
    import numpy as np

    boxes = []
    for scale in scales:
        for ratio in ratios:
            half_width = scale / math.sqrt(ratio) / 2
            half_height = half_width * ratio
            boxes.append([-half_width, -half_height, half_width, half_height])
    return np.array(boxes)


def generate_shifted_anchors(
    im_h: int,
    im_w: int,
    feat_stride: int,
    scales: Sequence[float],
    ratios: Sequence[float],
    batch_size: int,
    dtype: str,
) -> Any:
    """The boxes of `generate_anchors` around each pixel of a feature map, for each image.

    Args:
        im_h, im_w: the size of the image.
        feat_stride: how many of its pixels lie between two of the feature map.
        scales, ratios: of the boxes.
        batch_size: how many images.
        dtype: the element type.

    Returns:
        A numpy array `[batch_size * H * W * len(scales) * len(ratios), 4]`.
    """
    import numpy as np

    rows = np.arange(math.ceil(im_h / feat_stride)) * feat_stride
    columns = np.arange(math.ceil(im_w / feat_stride)) * feat_stride
    y, x = np.meshgrid(rows, columns, indexing="ij")
    shifts = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    boxes = (shifts + generate_anchors(ratios, scales)).reshape(-1, 4)
    return np.tile(boxes, (batch_size, 1)).astype(dtype)


def gen_batch_inds(batch_size: int, rpn_post_nms_top_n: int, dtype: str = "float16") -> Any:
    """The number of its image for each box: a numpy array `[batch_size, rpn_post_nms_top_n, 1]`."""
    import numpy as np

    numbers = np.arange(batch_size).reshape(-1, 1, 1)
    return np.broadcast_to(numbers, (batch_size, rpn_post_nms_top_n, 1)).astype(dtype)


class Proposal(Module):
    """Boxes from anchors and what the network says of them, the best kept, overlapping ones not.

    The anchors are a parameter, `anchors` (or `anchors_<level>`), whose values are in `_anchors`;
    so are the numbers of the images, `batch_inds`, in `_batch_inds`.

    Args:
        im_shape: height and width of the image.
        feat_stride: how many of its pixels lie between two of the feature map.
        scales, ratios: of the anchors; their product is A, how many lie around a pixel.
        clip_box: whether boxes are cut at the border of the image.
        nms_on: whether overlapping boxes are left out; otherwise all boxes are the result.
        rpn_pre_nms_top_n, rpn_post_nms_top_n: how many boxes are kept before and after that.
        iou_threshold: from what overlap on a box is left out.
        rpn_min_size: the least side of a box.
        level: the level of a feature pyramid; -1 if there is none.
        f_proc: makes the anchors in place of `generate_shifted_anchors`.
        batch_size: N, how many images.
        dtype: the element type.

    Shapes: `forward(deltas [N, H, W, 4 A], scores [N, H, W, A])` gives regions `[N K, 5]`, the
    number of the image and x1, y1, x2, y2, and boxes `[N K, 4]`; K is `rpn_post_nms_top_n`.
    """

    def __init__(
        self,
        im_shape: Tuple[int, int],
        feat_stride: Union[int, Sequence[int]] = 16,
        scales: Sequence[Any] = (32, 64, 128, 256, 512),
        ratios: Sequence[float] = (0.5, 1, 2),
        clip_box: bool = True,
        nms_on: bool = True,
        rpn_pre_nms_top_n: int = 6000,
        rpn_post_nms_top_n: int = 300,
        iou_threshold: float = 0.3,
        rpn_min_size: int = 0,
        level: int = -1,
        f_proc: Optional[Callable[..., Any]] = None,
        batch_size: int = 1,
        dtype: str = "float16",
    ) -> None:
        super().__init__()
        self.im_h, self.im_w = im_shape
        self.clip_box = clip_box
        self.nms_on = nms_on
        self.rpn_pre_nms_top_n = rpn_pre_nms_top_n
        self.rpn_post_nms_top_n = rpn_post_nms_top_n
        self.iou_threshold = iou_threshold
        self.rpn_min_size = rpn_min_size
        self.level = level
        self.dtype = dtype
        self.batch_size = batch_size
        make_anchors = generate_shifted_anchors if f_proc is None else f_proc
        self._anchors = make_anchors(
            self.im_h, self.im_w, feat_stride, scales, ratios, batch_size, dtype
        )
        self._batch_inds = gen_batch_inds(batch_size, rpn_post_nms_top_n, dtype=dtype)

    def forward(self, *args: Any) -> Any:
        assert len(args) >= (2 if self.nms_on else 1), "Proposal takes deltas, and scores"
        deltas = ops.reshape()(args[0], [-1, 4])
        name = "anchors" if self.level == -1 else f"anchors_{self.level}"
        anchors = Tensor(shape=list(self._anchors.shape), dtype=self.dtype, name=name)
        proposals = self.box_transform(deltas, anchors)
        if not self.nms_on:
            return proposals
        regions, boxes = self.suppress(proposals, args[1])
        return regions, ops.reshape()(boxes, [-1, 4])

    def suppress(self, proposals: Tensor, scores: Tensor) -> Tuple[Tensor, Tensor]:
        """The best boxes that do not overlap: as regions `[N K, 5]`, and as boxes `[N, K, 4]`."""
        boxes = ops.nms(
            self.rpn_pre_nms_top_n,
            self.rpn_post_nms_top_n,
            self.iou_threshold,
            self.rpn_min_size,
        )(
            ops.reshape()(proposals, [self.batch_size, -1, 4]),
            ops.reshape()(scores, [self.batch_size, -1]),
        )
        numbers = Tensor(
            shape=[self.batch_size, self.rpn_post_nms_top_n, 1],
            dtype=self.dtype,
            name="batch_inds",
        )
        regions = ops.concatenate()([numbers, boxes], dim=2)
        return ops.reshape()(regions, [-1, 5]), boxes

    def box_transform(self, bbox_deltas: Tensor, anchors: Tensor) -> Tensor:
        """Anchors moved by deltas: the centre by shares of the side, the side by exponents.

        Args:
            bbox_deltas: `[M, 4]`, dx, dy, dw, dh.
            anchors: `[M, 4]`, x1, y1, x2, y2.

        Returns:
            `[M, 4]`, x1, y1, x2, y2.
        """
        delta_x, delta_y, delta_w, delta_h = ops.split()(bbox_deltas, 1, dim=1)
        x1, y1, x2, y2 = ops.split()(anchors, 1, dim=1)
        left, right = self._side(x1, x2, delta_x, delta_w, self.im_w)
        top, bottom = self._side(y1, y2, delta_y, delta_h, self.im_h)
        return ops.concatenate()([left, top, right, bottom], dim=1)

    def _side(
        self, low: Tensor, high: Tensor, shift: Tensor, stretch: Tensor, limit: int
    ) -> Tuple[Tensor, Tensor]:
        def apply(function: FuncEnum, *operands: Any) -> Tensor:
            return ops.elementwise(function)(*operands)

        extent = apply(FuncEnum.SUB, high, low)
        centre = apply(FuncEnum.ADD, low, apply(FuncEnum.MUL, extent, 0.5))
        centre = apply(FuncEnum.ADD, apply(FuncEnum.MUL, shift, extent), centre)
        extent = apply(FuncEnum.MUL, apply(FuncEnum.EXP, stretch), extent)
        half = apply(FuncEnum.MUL, extent, 0.5)
        ends = [apply(FuncEnum.SUB, centre, half), apply(FuncEnum.ADD, centre, half)]
        if self.clip_box:
            ends = [apply(FuncEnum.HARDTANH, end, 0, limit) for end in ends]
        return ends[0], ends[1]
