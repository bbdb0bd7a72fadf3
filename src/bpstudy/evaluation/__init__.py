"""Tables of errors, rankings and descriptor content, which figures and claims are made from."""
