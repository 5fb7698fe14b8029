"""Masks of products back to back."""

from __future__ import annotations

import enum


class CausalType(enum.Enum):
    """Which scores of an attention count."""

    NO_CAUSAL = 0
    UPPER_RIGHT_EMPTY = 1
    LOWER_LEFT_EMPTY = 2
