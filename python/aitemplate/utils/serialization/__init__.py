"""Graphs as Python programs that build them."""
