"""Claims, errors and figures on one page."""

import json
from pathlib import Path

import pandas as pd

from bpstudy.figures.results_page import Shown, caption_of, write_page
from bpstudy.running.jobs import job

with job(snakemake):
    read, asked = snakemake.input, snakemake.params
    pictures = zip(asked.names, read.figures, read.captions, asked.audits, strict=True)
    write_page(
        snakemake.output[0],
        json.loads(Path(read.claims).read_text()),
        [Shown(name, Path(file), caption_of(Path(rst).read_text()), audit) for name, file, rst, audit in pictures],
        pd.read_csv(read.metrics),
        {"Paper": "paper/paper.pdf", "Metrics": "evaluation/metrics.csv", "All steps": "audit/index.html"},
        "bpstudy: results",
    )
