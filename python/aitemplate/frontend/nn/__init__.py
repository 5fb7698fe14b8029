"""Layers: containers of parameters whose call builds a piece of the graph."""

from aitemplate.frontend.nn.attention import (
    CrossAttention,
    FlashAttention,
    MultiheadAttention,
    ScaledDotProductAttention,
)
from aitemplate.frontend.nn.container import ModuleDict, ModuleList, Sequential
from aitemplate.frontend.nn.conv1d import Conv1d
from aitemplate.frontend.nn.conv2d import (
    Conv2d,
    Conv2dBias,
    Conv2dBiasAddHardswish,
    Conv2dBiasAddRelu,
    Conv2dBiasFewChannels,
    Conv2dBiasHardswish,
    Conv2dBiasHardswishFewChannels,
    Conv2dBiasRelu,
    Conv2dBiasReluFewChannels,
    Conv2dBiasSigmoid,
    Conv2dDepthwise,
    Conv2dDepthwiseBias,
    ConvTranspose2dBias,
    ConvTranspose2dBiasRelu,
)
from aitemplate.frontend.nn.conv3d import Conv3d
from aitemplate.frontend.nn.dropout import Dropout, DropPath
from aitemplate.frontend.nn.dual_gemm import T5DenseGatedGeluDense
from aitemplate.frontend.nn.embedding import BertEmbeddings, Embedding
from aitemplate.frontend.nn.fpn_proposal import FPNProposal
from aitemplate.frontend.nn.group_norm import GroupNorm
from aitemplate.frontend.nn.identity import Identity
from aitemplate.frontend.nn.layer_norm import LayerNorm
from aitemplate.frontend.nn.linear import Linear
from aitemplate.frontend.nn.module import Module
from aitemplate.frontend.nn.multiscale_attention import MultiScaleBlock
from aitemplate.frontend.nn.padding import Ndhwc3to8, Nhwc3to8
from aitemplate.frontend.nn.parameter import Parameter
from aitemplate.frontend.nn.pool2d import AvgPool2d, MaxPool2d
from aitemplate.frontend.nn.proposal import Proposal
from aitemplate.frontend.nn.roi_ops import FPNRoiAlign, RoiAlign
from aitemplate.frontend.nn.upsample import Upsampling2d, Upsampling2dAdd
from aitemplate.frontend.nn.vanilla_attention import (
    VanillaCrossAttention,
    VanillaMultiheadAttention,
    vanilla_attention,
)
from aitemplate.frontend.nn.view_ops import Flatten, Reshape, View

__all__ = [
    "AvgPool2d",
    "BertEmbeddings",
    "Conv1d",
    "Conv2d",
    "Conv2dBias",
    "Conv2dBiasAddHardswish",
    "Conv2dBiasAddRelu",
    "Conv2dBiasFewChannels",
    "Conv2dBiasHardswish",
    "Conv2dBiasHardswishFewChannels",
    "Conv2dBiasRelu",
    "Conv2dBiasReluFewChannels",
    "Conv2dBiasSigmoid",
    "Conv2dDepthwise",
    "Conv2dDepthwiseBias",
    "Conv3d",
    "ConvTranspose2dBias",
    "ConvTranspose2dBiasRelu",
    "CrossAttention",
    "DropPath",
    "Dropout",
    "Embedding",
    "FPNProposal",
    "FPNRoiAlign",
    "FlashAttention",
    "Flatten",
    "GroupNorm",
    "Identity",
    "LayerNorm",
    "Linear",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiScaleBlock",
    "MultiheadAttention",
    "Ndhwc3to8",
    "Nhwc3to8",
    "Parameter",
    "Proposal",
    "Reshape",
    "RoiAlign",
    "ScaledDotProductAttention",
    "Sequential",
    "T5DenseGatedGeluDense",
    "Upsampling2d",
    "Upsampling2dAdd",
    "VanillaCrossAttention",
    "VanillaMultiheadAttention",
    "View",
    "vanilla_attention",
]
