"""Blocks of symmetry functions on disk, their gradients for chosen frames, and the hierarchy of unit functions."""
