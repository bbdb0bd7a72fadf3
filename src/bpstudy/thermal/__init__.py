"""Validation of the dynamics: temperature, energies and structure compared with statistical mechanics."""
