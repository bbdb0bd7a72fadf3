"""`python -m bpstudy.cli`."""

from bpstudy.cli import app

app()
