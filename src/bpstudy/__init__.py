"""How to choose Behler-Parrinello symmetry functions: a reproducible study."""

__version__ = "0.2.0"
