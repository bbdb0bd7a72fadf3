"""Training error against iteration, of all seeds."""

import pandas as pd

from bpstudy.figures.histories import histories
from bpstudy.figures.style import save

params = snakemake.params
figure = histories(pd.read_csv(snakemake.input.histories), list(params.experiments), width_cm=params.width_cm)
save(figure, snakemake.output, params.dpi)
