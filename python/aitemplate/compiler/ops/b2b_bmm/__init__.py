"""Modules of AITemplate's names: what programs import of `ops.b2b_bmm`."""
