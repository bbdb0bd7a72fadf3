"""Molecular dynamics in restartable chunks: crystals, calculators, MPI, the archive, convergence of the DFT."""
