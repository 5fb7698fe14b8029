#!/usr/bin/env python3
"""Records PyTorch's convolutions as an independent truth.

    python3 Tests/Fixtures/make_convolution_fixture.py

writes Tests/Fixtures/operators/convolution.json, one case a line: the shapes of x, weight and bias,
the arguments by PyTorch's names, and the elements of the result. Element i of an operand is
`(i * 37 + seed) % 23 - 11`, seeds 0, 5 and 9, so that every sum is an integer and exact.

Needs torch; 2.13.0 made the file in git.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

FILE = pathlib.Path(__file__).resolve().parent / "operators" / "convolution.json"


def tensor(shape, seed):
    count = 1
    for extent in shape:
        count *= extent
    elements = [(i * 37 + seed) % 23 - 11 for i in range(count)]
    return torch.tensor(elements, dtype=torch.float64).reshape(shape)


CASES = [
    # x, weight, bias, transposed, arguments
    ([2, 3, 9], [4, 3, 3], True, False, {}),
    ([3, 9], [4, 3, 2], False, False, {"stride": 2}),
    ([1, 4, 12], [6, 2, 3], True, False, {"stride": 2, "padding": 3, "dilation": 2, "groups": 2}),
    ([2, 3, 6, 7], [5, 3, 3, 3], True, False, {"padding": 1}),
    ([1, 3, 7, 9], [4, 3, 3, 2], False, False, {"stride": [2, 3], "padding": [1, 0]}),
    ([1, 2, 5, 6], [3, 2, 4, 3], False, False, {"padding": "same", "dilation": [1, 2]}),
    ([1, 6, 5, 5], [6, 1, 3, 3], True, False, {"padding": 1, "groups": 6}),
    ([2, 4, 3, 3], [8, 4, 1, 1], True, False, {}),
    ([2, 4, 3, 3], [4, 2, 1, 1], False, False, {"groups": 2}),
    ([1, 4, 5, 5], [3, 4, 1, 1], False, False, {"stride": 2, "padding": 1}),
    ([1, 2, 3, 4, 5], [3, 2, 2, 3, 3], True, False, {"padding": [1, 0, 2], "stride": [1, 1, 2]}),
    ([2, 3, 5], [3, 4, 3], True, True, {}),
    ([1, 4, 5], [4, 3, 4], False, True, {"stride": 3, "padding": 2, "output_padding": 1, "groups": 2}),
    ([1, 2, 6], [2, 3, 3], False, True, {"stride": 2, "dilation": 3, "output_padding": 2}),
    ([1, 2, 4], [2, 2, 2], False, True, {"padding": 3, "stride": 2}),
    ([3, 4, 5], [3, 2, 3, 3], True, True, {"stride": 2, "padding": 1, "output_padding": 1}),
    ([1, 4, 3, 4], [4, 2, 2, 3], True, True, {"stride": [2, 1], "groups": 2, "dilation": [1, 2]}),
    ([2, 3, 3, 2], [3, 5, 1, 1], False, True, {}),
    ([1, 2, 2, 3, 3], [2, 3, 2, 1, 3], True, True, {"stride": [2, 2, 1], "padding": [1, 0, 1]}),
]

FUNCTIONS = {
    False: {3: F.conv1d, 4: F.conv2d, 5: F.conv3d},
    True: {3: F.conv_transpose1d, 4: F.conv_transpose2d, 5: F.conv_transpose3d},
}

lines = []
for x_shape, w_shape, has_bias, transposed, arguments in CASES:
    x, weight = tensor(x_shape, 0), tensor(w_shape, 5)
    outputs = w_shape[1] * arguments.get("groups", 1) if transposed else w_shape[0]
    bias = tensor([outputs], 9) if has_bias else None
    y = FUNCTIONS[transposed][len(w_shape)](x, weight, bias, **arguments)
    entry = {"x": x_shape, "weight": w_shape, "bias": has_bias, "transposed": transposed}
    for name, value in arguments.items():
        entry[name] = [value] if isinstance(value, int) else value
    entry["shape"] = list(y.shape)
    entry["y"] = [int(value) for value in y.flatten()]
    lines.append(json.dumps(entry))
FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n")
