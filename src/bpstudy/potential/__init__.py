"""A fitted network as a potential: ASE calculator, molecular dynamics, equation of state, n2p2."""
