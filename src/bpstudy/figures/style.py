"""Style of all figures and how they are written: print sizes, one font, colours safe for colour-blind readers."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bpstudy.files import atomic_path

WIDTH_CM = 16.0  # the text width of an A4 page
FONT_PT = 8.0
CM_PER_INCH = 2.54

# Okabe and Ito's colours by meaning, the same in every figure.
DFT, NETWORK, HELD_OUT, INDEPENDENT, MARKED, PLAIN = "#000000", "#D55E00", "#009E73", "#CC79A7", "#0072B2", "#7F7F7F"
SETS = {"train": NETWORK, "later": HELD_OUT, "independent": INDEPENDENT}
OTHER_SETS = ("#56B4E9", "#E69F00", "#F0E442")
SET_LABELS = {"train": "training frames", "later": "later frames", "independent": "independent frames"}
TYPES = {"G1": "#000000", "G2": "#D55E00", "G3": "#0072B2", "G4": "#009E73", "G5": "#CC79A7"}

FORMATS = ("png", "svg", "pdf")
METADATA = {  # what a key is called in the format
    "png": {"Title": "Title", "Description": "Description", "Author": "Author"},
    "svg": {"Title": "Title", "Description": "Description", "Author": "Creator"},
    "pdf": {"Title": "Title", "Description": "Subject", "Author": "Author"},
}
UNDATED = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}

STEPS = (
    (0.8, (1, 1.5, 2, 3, 4, 5, 6, 8)),
    (1.4, (1, 2, 3, 5)),
    (2.7, (1, 2, 5)),
    (math.inf, (1,)),
)  # by decades in view

_SETTINGS: Any = {
    "font.family": ["DejaVu Sans"],  # shipped with matplotlib: the same glyphs on every machine
    "mathtext.fontset": "dejavusans",
    "font.size": FONT_PT,
    "axes.titlesize": FONT_PT,
    "axes.labelsize": FONT_PT,
    "xtick.labelsize": FONT_PT - 0.5,
    "ytick.labelsize": FONT_PT - 0.5,
    "legend.fontsize": FONT_PT - 0.5,
    "legend.title_fontsize": FONT_PT - 0.5,
    "figure.titlesize": FONT_PT + 1,
    "figure.labelsize": FONT_PT,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.4,
    "lines.linewidth": 0.9,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "axes.formatter.useoffset": False,
    "figure.dpi": 100,
    "path.simplify": True,
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,
    "svg.hashsalt": "bpstudy",  # ids of an SVG are random otherwise
}


@contextmanager
def theme() -> Iterator[None]:
    """The style of the figures, for drawing and for writing; earlier settings are restored afterwards."""
    with sns.axes_style("ticks"), sns.plotting_context("paper"), mpl.rc_context(_SETTINGS):
        yield


def themed(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorator: draw within `theme()`."""

    @wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> Figure:
        with theme():
            return draw(*args, **kwargs)

    return drawn


def figure(width_cm: float, height_cm: float) -> Figure:
    """An empty figure of that size in print, which lays out its panels without overlap."""
    return Figure(figsize=(width_cm / CM_PER_INCH, height_cm / CM_PER_INCH), layout="constrained")


def set_colors(names: Iterable[str]) -> dict[str, str]:
    """Colours of these sets of frames, in the order in which they are shown: the usual ones, then the others."""
    present = list(dict.fromkeys(names))
    others = dict(zip([name for name in present if name not in SETS], cycle(OTHER_SETS), strict=False))
    return {name: color for name, color in (SETS | others).items() if name in present}


def set_label(name: str) -> str:
    """Name of a set of frames in legends."""
    return SET_LABELS.get(name, f"{name} frames")


def plain_numbers() -> FuncFormatter:
    """Tick labels without offsets or factors beside the axis."""
    return FuncFormatter(lambda value, _: f"{value:.6g}".replace("-", "−"))


def plain_logarithm(axis: Axis) -> None:
    """Plain numbers at the ticks of a logarithmic axis: the less of a decade is in view, the more of them."""
    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    axis.set_major_locator(LogLocator(subs=next(of for most, of in STEPS if decades < most)))
    axis.set_major_formatter(plain_numbers())
    axis.set_minor_formatter(NullFormatter())


def power_of_ten(value: float) -> str:
    """A number in scientific notation as mathematical text."""
    mantissa, exponent = f"{value:.2e}".split("e")
    return rf"${mantissa}\times10^{{{int(exponent)}}}$"


def save(
    figure: Figure, paths: Iterable[str | Path], dpi: int = 300, metadata: Mapping[str, str] | None = None
) -> None:
    """Write the figure to each path, its suffix being the format; the same figure gives the same bytes.

    Args:
        paths: files .png, .svg or .pdf; each appears whole or not at all.
        dpi: of the PNG.
        metadata: Title, Description and Author to embed, or some of them.

    Raises:
        ValueError: a format or a key of the metadata that does not exist; nothing is written then.
    """
    targets = [Path(path) for path in paths]
    wrong = [str(path) for path in targets if path.suffix[1:] not in FORMATS]
    if wrong:
        raise ValueError(f"cannot write {', '.join(wrong)}: the suffix must be one of .png, .svg, .pdf")
    unknown = set(metadata or {}) - set(METADATA["png"])
    if unknown:
        raise ValueError(
            f"metadata {', '.join(sorted(unknown))} cannot be embedded; allowed: {', '.join(METADATA['png'])}"
        )
    for path in targets:
        kind = path.suffix[1:]
        embedded = {METADATA[kind][key]: text for key, text in (metadata or {}).items()}
        with theme(), atomic_path(path) as temporary:
            figure.savefig(temporary, format=kind, dpi=dpi, metadata=UNDATED[kind] | embedded)
