"""Features of regions of interest."""

from __future__ import annotations

from typing import Any, Sequence

from aitemplate.compiler import ops
from aitemplate.compiler.base import Tensor
from aitemplate.frontend.nn.module import Module

__all__ = ["RoiAlign", "FPNRoiAlign"]


class RoiAlign(Module):
    """The mean of bilinear samples in each cell of a grid laid over each region (Mask R-CNN).

    Args:
        num_rois: how many regions there are.
        pooled_size: P, the side of the grid.
        sampling_ratio: samples along each side of a cell; 0 takes as many as there are pixels.
        spatial_scale: from the coordinates of a region to those of the features.
        position_sensitive: whether each cell reads channels of its own.
        continuous_coordinate: whether pixels have their centres at halves.

    Shapes: `forward(x [N, H, W, C], rois [R, 5])` gives `[R, P, P, C]`; a region is the index
    of its image, then x1, y1, x2, y2.
    """

    def __init__(
        self,
        num_rois: int,
        pooled_size: int,
        sampling_ratio: int,
        spatial_scale: float,
        position_sensitive: bool,
        continuous_coordinate: bool,
    ) -> None:
        super().__init__()
        self.op = ops.roi_align(
            num_rois,
            pooled_size,
            sampling_ratio,
            spatial_scale,
            position_sensitive,
            continuous_coordinate,
        )

    def forward(self, *args: Tensor) -> Tensor:
        assert len(args) == 2, "RoiAlign takes features and regions"
        return self.op(args[0], args[1])


class FPNRoiAlign(Module):
    """`RoiAlign` on the level of a feature pyramid that suits the size of each region.

    The arguments are those of `RoiAlign`, and `im_shape`, the height and width of the image.
    `forward(features, rois)` takes the levels as a list, the finest first.
    """

    def __init__(
        self,
        num_rois: int,
        pooled_size: int,
        sampling_ratio: int,
        spatial_scale: float,
        position_sensitive: bool,
        continuous_coordinate: bool,
        im_shape: Sequence[int],
    ) -> None:
        super().__init__()
        self.op = ops.multi_level_roi_align(
            num_rois,
            pooled_size,
            sampling_ratio,
            spatial_scale,
            position_sensitive,
            continuous_coordinate,
            im_shape,
        )

    def forward(self, *args: Any) -> Tensor:
        assert len(args) >= 2, "FPNRoiAlign takes the levels of a pyramid and regions"
        return self.op(args[0], args[1])
