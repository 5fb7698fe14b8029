"""Modules of AITemplate's names: what programs import of `ops.tensor`."""
