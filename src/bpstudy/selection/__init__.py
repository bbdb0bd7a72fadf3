"""Which symmetry functions? A pool of candidates, methods that choose among them, and what their choices are worth."""
