"""Boxes that may hold an object, from all levels of a feature pyramid."""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.proposal import Proposal, generate_shifted_anchors

__all__ = ["FPNProposal", "generate_fpn_anchors"]


def generate_fpn_anchors(
    im_h: int,
    im_w: int,
    feat_strides: Sequence[int],
    scales: Sequence[Sequence[float]],
    ratios: Sequence[float],
    batch_size: int,
    dtype: str,
) -> List[Any]:
    """The anchors of each level, as `generate_shifted_anchors` makes them."""
    return [
        generate_shifted_anchors(im_h, im_w, stride, scale, ratios, batch_size, dtype)
        for stride, scale in zip(feat_strides, scales)
    ]


class FPNProposal(Proposal):
    """`Proposal` of the levels of a feature pyramid, the finest first.

    The anchors are parameters `anchors_2`, `anchors_3` and so on, whose values are in `_anchors`.

    Args:
        im_shape: height and width of the image.
        feat_strides: of each level.
        scales: a list for each level.
        ratios: of the anchors at all levels.
        The rest is as in `Proposal`.

    `forward(deltas, scores)` takes a list of the deltas of each level, and the scores of all.
    Without `nms_on` it gives a list of the boxes of each level.
    """

    def __init__(
        self,
        im_shape: Tuple[int, int],
        feat_strides: Sequence[int] = (4, 8, 16, 32, 64),
        scales: Sequence[Sequence[float]] = ((32,), (64,), (128,), (256,), (512,)),
        ratios: Sequence[float] = (0.5, 1, 2),
        clip_box: bool = True,
        nms_on: bool = True,
        rpn_pre_nms_top_n: int = 6000,
        rpn_post_nms_top_n: int = 300,
        iou_threshold: float = 0.3,
        rpn_min_size: int = 0,
        level: int = -1,
        batch_size: int = 1,
        dtype: str = "float16",
    ) -> None:
        super().__init__(
            im_shape,
            feat_strides,
            scales,
            ratios,
            clip_box,
            nms_on,
            rpn_pre_nms_top_n,
            rpn_post_nms_top_n,
            iou_threshold,
            rpn_min_size,
            level,
            generate_fpn_anchors,
            batch_size,
            dtype,
        )

    def forward(self, *args: Any) -> Any:
        assert len(args) >= (2 if self.nms_on else 1), "FPNProposal takes deltas, and scores"
        assert len(args[0]) == len(self._anchors), (
            f"FPNProposal takes the deltas of {len(self._anchors)} levels, not {len(args[0])}"
        )
        deltas = [ops.reshape()(level, [-1, 4]) for level in args[0]]
        anchors = [
            Tensor(shape=list(boxes.shape), dtype=self.dtype, name=f"anchors_{level}")
            for level, boxes in enumerate(self._anchors, start=2)
        ]
        proposals = self.box_transform(
            ops.concatenate()(deltas, dim=0), ops.concatenate()(anchors, dim=0)
        )
        if self.nms_on:
            return self.suppress(proposals, args[1])
        sizes = [boxes.shape[0] for boxes in self._anchors]
        return list(ops.split()(proposals, sizes, dim=0))
