"""The results page in a real browser: everything shown, sortable, readable on a phone, and nothing fetched."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from bpstudy.figures.results_page import Shown, caption_of, summary, write_page
from tests.workflow import browser

METRICS = pd.DataFrame(
    [
        ("small", "12G2", "independent", 0, 0.5, 1.0, None),
        ("small", "12G2", "independent", 1, 0.7, 1.0, None),
        ("large", "24G2", "independent", 0, 0.2, 0.9, 12.0),
    ],
    columns=[
        "experiment",
        "functions",
        "set",
        "seed",
        "rmse_mev_per_atom",
        "ridge_rmse_mev_per_atom",
        "force_rmse_mev_per_angstrom",
    ],
)


@pytest.fixture
def page(tmp_path):
    picture = tmp_path / "fig01.png"
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    figure.savefig(picture)
    plt.close(figure)
    claims = json.loads((Path(__file__).parents[2] / "docs/claims.json").read_text())
    shown = [Shown("fig01", picture, "Energy <of> Cu4.", "audit/figures/fig01.png.html")]
    write_page(tmp_path / "index.html", claims, shown, METRICS, {"Paper": "paper/paper.pdf"}, "A study")
    return tmp_path / "index.html"


def test_the_page_is_complete_in_itself(page):
    text = page.read_text()
    assert "http://" not in text
    assert "https://" not in text
    assert "data:image/png;base64," in text
    assert "Energy &lt;of&gt; Cu4." in text
    assert 'class="verdict not-reproduced"' in text


def test_medians_over_seeds_and_their_dots():
    small, large = summary(METRICS)
    assert small["rmse_mev_per_atom"] == 0.6
    assert small["force_rmse_mev_per_angstrom"] is None
    assert [seed for seed, *_ in small["dots"]] == [0, 1]
    assert large["dots"][0][2] == 4
    assert small["dots"][1][2] == 116


def test_captions_lose_their_markup():
    rst = "Energies of\n``DFT``.\n\n`Where from <audit/{{ snakemake.output[0] }}.html>`__\n"
    assert caption_of(rst) == "Energies of DFT."


@pytest.mark.skipif(not browser.CHROMIUM, reason="needs Chromium: sudo apt-get install chromium")
def test_it_works_in_a_browser(page, tmp_path):
    script = """
    const images = [...document.images].map((image) => { image.loading = "eager"; return image; });
    await Promise.all(images.map((image) => image.decode()));
    const first = () => document.querySelector("#metrics tbody tr:not([hidden]) td").textContent;
    document.querySelectorAll("#metrics th button")[3].click();
    const least = first();
    document.querySelectorAll("#metrics th button")[3].click();
    const largest = first();
    const filter = document.getElementById("filter");
    filter.value = "24g2"; filter.dispatchEvent(new Event("input"));
    return { widths: images.map((image) => image.naturalWidth), least, largest, filtered: first(),
             wide: document.documentElement.scrollWidth > document.documentElement.clientWidth };
    """
    found, console = browser.visit(page, script, tmp_path / "profile")
    assert console == []
    assert all(width > 0 for width in found["widths"])
    assert (found["least"], found["largest"], found["filtered"]) == ("large", "small", "large")
    assert not found["wide"]
