"""Snakemake's progress bars on a terminal, as snakemake-logger-plugin-rich draws them."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from rich.live import Live
from rich.progress import Progress, ProgressColumn, Task
from rich.table import Table
from rich.text import Text

REDRAWN_PER_SECOND = 1


def calm_progress(handlers: Iterable[logging.Handler]) -> None:
    """Redraw the bars once a second, without the rules that are done, and with the time that is left.

    By itself the plugin draws all rules eight times a second: a sixth of a core, and more lines than a screen has.
    """
    for handler in handlers:
        live, progress = getattr(handler, "live_display", None), getattr(handler, "progress", None)
        if isinstance(live, Live) and isinstance(progress, Progress):
            live.refresh_per_second = REDRAWN_PER_SECOND
            _leave_out_what_is_done(progress)
            progress.columns = (*progress.columns, TimeLeft())


class TimeLeft(ProgressColumn):
    """Time left for the whole run, as if all jobs took equally long."""

    def render(self, task: Task) -> Text:
        if task.id != 0 or not task.completed or task.remaining is None or task.elapsed is None:
            return Text()
        left = timedelta(minutes=round(task.elapsed / task.completed * task.remaining / 60))
        return Text(f"about {str(left)[:-3]} h left")


def _leave_out_what_is_done(progress: Progress) -> None:
    table_of = progress.make_tasks_table

    def of_those_left(tasks: Iterable[Task]) -> Table:
        tasks = list(tasks)  # the first is the whole run
        return table_of([task for task in tasks if task is tasks[0] or not task.finished])

    progress.make_tasks_table = of_those_left  # type: ignore[method-assign]
