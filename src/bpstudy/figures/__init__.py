"""Figures, one module a family: tables in, a matplotlib `Figure` out; `style.save` writes it."""
