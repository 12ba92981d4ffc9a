"""Decisions only: no input or output, no clock, no Matrix library."""
