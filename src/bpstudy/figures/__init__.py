"""Figures, one module per family: tables in, a matplotlib `Figure` out; `style.save` writes it."""
