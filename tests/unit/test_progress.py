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
    for rule, completed in (("Total Progress", 2), ("train", 2), ("energy_figure", 3)):
        display.add_or_update(rule, completed, 3 if rule == "energy_figure" else 5)
    handler.progress.tasks[0].start_time -= 3600  # two of five jobs in an hour
    screen = Console(file=StringIO(), width=110)
    screen.print(handler.progress.get_renderable())
    shown = screen.file.getvalue()
    assert "Total Progress" in shown
    assert "train" in shown
    assert shown.count("about 1:30 h left") == 1
    assert "energy figure" not in shown
