"""The progress bars of a run on a terminal: once a second, and of the rules that are left."""

import logging
from io import StringIO
from types import SimpleNamespace

from rich.console import Console
from snakemake_logger_plugin_rich.handler import RichLogHandler

from bpstudy.running.progress import calm_progress


def test_bars_of_rules_that_are_done_go_and_redrawing_is_slow():
    settings = SimpleNamespace(dryrun=False, printshellcmds=False, show_failed_logs=True, verbose=False)
    handler = RichLogHandler(settings=settings, console=Console())
    calm_progress([logging.NullHandler(), handler])
    assert handler.live_display.refresh_per_second == 1
    display = handler.event_handler.progress_display
    for rule, completed in (("Total Progress", 5), ("train", 2), ("energy_figure", 3)):
        display.add_or_update(rule, completed, 3 if rule == "energy_figure" else 5)
    screen = Console(file=StringIO(), width=80)
    screen.print(handler.progress.get_renderable())
    shown = screen.file.getvalue()
    assert "Total Progress" in shown
    assert "train" in shown
    assert "energy figure" not in shown
