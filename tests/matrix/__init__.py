"""Tests of the Matrix shell."""
