"""Is the dynamics right? Temperature, energies and structure against statistical mechanics."""
