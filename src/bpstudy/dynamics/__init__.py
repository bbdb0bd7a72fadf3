"""Molecular dynamics in restartable chunks: crystals, calculators, MPI, the archive, convergence tests of the DFT."""
