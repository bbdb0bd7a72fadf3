"""The paper: its numbers are those of the files, what is missing stops it, equal files give equal bytes."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure
from pypdf import PdfReader

from bpstudy.claims import CLAIMS
from bpstudy.config.analysis import FITS
from bpstudy.config.study import load
from bpstudy.figures.paper import PaperError, build
from bpstudy.figures.style import save

REPOSITORY = Path(__file__).parents[2]
MANUSCRIPT = REPOSITORY / "paper"
DAY = date(2025, 3, 14)


@pytest.fixture(scope="module")
def study():
    return load(yaml.safe_load((REPOSITORY / "config.yaml").read_text()))


def _metrics(study) -> pd.DataFrame:
    rows = []
    for number, name in enumerate(study.experiments):
        for seed in range(3):
            for factor, part in enumerate(("train", "later", "independent"), start=1):
                rmse = factor * (1 + 0.1 * number) * (1.113, 2.117, 9.119)[seed]
                rows.append(
                    {
                        "experiment": name,
                        "seed": seed,
                        "set": part,
                        "mse_ev2": (27e-3 * rmse) ** 2,
                        "rmse_mev_per_atom": rmse,
                        "rmse_over_sd": rmse / 5.432,
                        "mean_rmse_mev_per_atom": 5.432,
                        "noise_floor_mev_per_atom": 0.0123,
                        "ridge_rmse_mev_per_atom": 1.234 + 0.1 * number,
                        "iterations": 100 + number,
                        "seconds": 60.5 + number,
                    }
                )
    return pd.DataFrame(rows)


def _ranking(study) -> pd.DataFrame:
    names = study.comparisons.groups[study.comparisons.combinations]
    of_types = pd.DataFrame(
        {
            "group": study.comparisons.combinations,
            "experiment": names,
            "rank": range(len(names), 0, -1),
            "rmse_mev_per_atom": np.linspace(2.718, 1.618, len(names)),
            "probability_best": np.linspace(0, 0.876, len(names)),
            "probability_worst": np.linspace(0.654, 0, len(names)),
        }
    )
    spread = pd.DataFrame(
        {
            "group": "consecutive-or-strided",
            "experiment": study.comparisons.groups["consecutive-or-strided"],
            "rank": [2, 1],
            "rmse_mev_per_atom": [5.551, 0.737],
        }
    )
    return pd.concat([of_types, spread]).assign(set=study.comparisons.decided_on, low=1.511, high=3.033)


def _claims() -> list[dict]:
    """The ledger as `bpstudy.claims.ledger` writes it: the paper's claims not reproduced, ours on forces reproduced."""
    shared = {"paper": "so", "interval": None, "rule": "a rule"}
    ours = {"C4": ("reproduced", 0.5), "F1": ("reproduced", 0.351), "F2": ("reproduced", 0.266)}
    rows = []
    for name in CLAIMS:
        verdict, value = ours.get(name, ("not reproduced", 0.1))
        row = {"id": name, "claim": f"the claim {name}", "ours": f"{name} measured", "value": value, "verdict": verdict}
        rows.append(row | shared)
    return rows


def _with_forces(study) -> pd.DataFrame:
    rows = []
    for number, pair in enumerate(study.with_forces.pairs):
        for fit, error in zip(FITS, (0.876, 0.123), strict=True):
            row = {"pair": pair, "fit": fit, "ridge_rmse_mev_per_atom": 0.345, "force_rms_mev_per_angstrom": 191.4}
            for column, value in (("rmse_mev_per_atom", error), ("force_rmse_mev_per_angstrom", 60 * error)):
                value *= 1 + number / 10
                row |= {column: value, f"{column}_least": 0.9 * value, f"{column}_greatest": 1.3 * value}
            rows.append(row | {"force_ridge_rmse_mev_per_angstrom": 8.76})
    return pd.DataFrame(rows)


SUPPLEMENT = ("figS1", "figS2", "figS3", "figS5", "figS6", "figS7", "figS8")


def _folder(root: Path, study) -> tuple[Path, dict[str, Path]]:
    """The manuscript and all it reads in `root`, and the inputs."""
    shutil.copytree(MANUSCRIPT, root / "paper")
    results = root / "results"
    results.mkdir()
    thermo = pd.DataFrame({"potential_ev": [-1.0, -1.2, -1.4], "temperature_kelvin": [100.0, 200.0, 300.0]})
    cutoff = study.unit_functions.cutoff_angstrom
    magnitudes = {"G3": 31.7, "G1": 52.3, "G2": 0.0413, "G4": 1.87e-7, "G5": 2.49e-4}
    tables = {
        "metrics": _metrics(study),
        "ranking": _ranking(study),
        "unit-scatter": pd.DataFrame(
            {"sum": ["G1", "G1+G3", "G3"], "terms": [1, 2, 1], "scatter": [0.713, 0.212, 0.377]}
        ),
        "hierarchy": pd.DataFrame(
            [("angstrom", c, g, m * s) for c, s in ((cutoff, 1.0), (99.0, 7.0)) for g, m in magnitudes.items()],
            columns=["length_unit", "cutoff_angstrom", "function", "magnitude"],
        ),
        "with-forces": _with_forces(study),
        "coverage": pd.DataFrame(
            {
                "quantity": ["energy", "forces"],
                "members": 10,
                "confidence": 0.95,
                "frames_calibrated": 190,
                "frames_measured": 191,
                "coverage": [0.937, 0.949],
                "coverage_uncalibrated": [0.421, 0.469],
            }
        ),
        "properties": pd.DataFrame(
            [("C11", "GPa", 13.36, 13.01, 12.9, 13.2, -0.026), ("vacancy", "eV", 0.61, 0.7432, 0.5, 0.8, 0.218)],
            columns=["property", "unit", "dft", "median", "lowest", "highest", "deviation"],
        ),
        **{f"thermo-{system}": thermo for system in study.systems},
    }
    inputs = {"config": results / "config.json", "claims": results / "claims.json"}
    inputs["config"].write_text(study.model_dump_json())
    inputs["claims"].write_text(json.dumps(_claims()))
    for key, table in tables.items():
        inputs[key] = results / f"{key}.csv"
        table.to_csv(inputs[key], index=False)
    picture = Figure(figsize=(2, 1))
    picture.subplots().plot(np.arange(3))
    for key in (
        "fig01",
        "fig02",
        "fig11",
        "fig12",
        "fig13",
        "fig14",
        "fig15",
        *SUPPLEMENT,
        *study.figures.predictions,
        *study.figures.sums,
    ):
        inputs[key] = results / f"{key}.pdf"
    save(picture, [path for key, path in inputs.items() if key.startswith("fig")])
    return root, inputs


@pytest.fixture
def paper(tmp_path, study):
    return _folder(tmp_path, study)


@pytest.fixture(scope="module")
def built(tmp_path_factory, study) -> Path:
    """The paper of the tables as they are."""
    return _build(*_folder(tmp_path_factory.mktemp("built"), study))


def _build(root, inputs, day=DAY) -> Path:
    output = root / "results" / "paper.pdf"
    build(root / "paper" / "paper.typ", output, root, inputs, day)
    return output


def _text(pdf: Path) -> str:
    """The text of the paper with single spaces."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(pdf).pages).split())


def test_a_coverage_that_too_few_frames_leave_open_is_not_reported(paper):
    root, inputs = paper
    table = pd.read_csv(inputs["coverage"])
    table[["coverage", "coverage_uncalibrated"]] = np.nan
    table.to_csv(inputs["coverage"], index=False)
    text = _text(_build(root, inputs))
    assert "can be calibrated on held-out frames" in text
    assert "the intervals of a committee" not in text


def test_numbers_of_the_paper_are_those_of_the_tables(built, study):
    text = _text(built)
    names = list(study.experiments)
    first, last = (names.index(study.figures.overview[place]) for place in (0, -1))
    assert "have a standard deviation of 5.43 meV per atom" in text
    assert f"with {len(study.seeds)} random seeds per setting" in text
    assert "error of 0.737 meV per atom, the same number of consecutive frames 5.55" in text
    assert "lowers the held-out errors of energies and forces to 35 % and 27 %" in text
    assert "does not hold on held-out frames" in text
    assert "We reproduce C4;" in text
    assert "0.123 (0.11–0.16) 0.345 7.38 (6.6–9.6) 8.76" in text  # the first pair, with forces
    assert "RMS force: 191" in text
    assert "2.12 (1.1–9.1)" in text  # median, least and greatest of the first experiment
    assert "is smallest for G1+G3 (0.212) and largest for G1 (0.713)" in text
    assert "Its median is 0.295 over the sums with" in text
    assert f"is between {3.0 * 2.117 * (1 + 0.1 * first):.3g}" in text
    assert f"between {1.234 + 0.1 * first:.3g} and {1.234 + 0.1 * last:.3g}" in text  # ridge
    assert "(1.62, interval 1.51 to 3.03 meV per atom), with a probability of 0.88" in text
    assert "with 0.65 of being the worst" in text
    assert "in the DFT energies, 0.0123 meV per atom" in text
    assert "in 94 % of 191 later frames and that of a force component in 95 %" in text
    assert "200 ± 82" in text  # temperature
    assert "163" in text  # sd of the energies, meV
    for system in study.used_systems:
        assert system in text


def test_the_order_of_magnitudes_is_computed(paper, built):
    root, inputs = paper
    before = _text(built)
    table = pd.read_csv(inputs["hierarchy"])
    table.loc[table["function"] == "G4", "magnitude"] *= 1e12
    table.to_csv(inputs["hierarchy"], index=False)
    after = _text(_build(root, inputs))
    order = re.compile(r"hence the order (.*?);")
    digits = [re.findall(r"[1-5]", order.search(text).group(1)) for text in (before, after)]
    assert digits == [["1", "3", "2", "5", "4"], ["4", "1", "3", "2", "5"]]


def test_every_picture_and_experiment_has_its_place(built, study):
    text = _text(built)
    figures = 7 + len(study.figures.predictions) + len(study.figures.sums)
    captions = re.findall(r"Figure (S?[0-9]+):", text)
    assert sorted(captions) == sorted([*map(str, range(1, figures + 1)), *(key[3:] for key in SUPPLEMENT)])
    assert "Table 3:" in text
    for name, experiment in study.experiments.items():
        assert experiment.forces or text.count(name) >= 2  # settings and errors
    for pair in study.with_forces.pairs:
        assert f"{pair} energies and forces" in text


def test_the_ledger_is_a_table(built):
    text = _text(built)
    for row in _claims():
        assert f"{row['id']} the claim {row['id']} so {row['id']} measured {row['verdict']}" in text


def test_a_study_of_ones_own_has_no_discussion_of_the_lithium(paper, built):
    root, inputs = paper
    assert "= Conclusion" not in _text(built)
    assert "Conclusion" in _text(built)
    study = json.loads(inputs["config"].read_text())
    ranking = pd.read_csv(inputs["ranking"])
    ranking[ranking["experiment"] != study["reported"]["worst"]].to_csv(inputs["ranking"], index=False)
    text = _text(_build(root, inputs))
    assert "Conclusion" not in text
    assert f"compares {len(study['experiments'])} settings" in text


def test_imported_systems_need_no_dynamics(paper):
    root, inputs = paper
    study = json.loads(inputs["config"].read_text())
    name = study["unit_functions"]["system"]
    study["systems"][name] = {"trajectory": "mine/run.xyz"}
    inputs["config"].write_text(json.dumps(study))
    thermo = pd.read_csv(inputs[f"thermo-{name}"]).assign(temperature_kelvin=np.nan)
    thermo.to_csv(inputs[f"thermo-{name}"], index=False)
    text = _text(_build(root, inputs))
    assert "mine/run.xyz" in text
    assert "were not computed here" in text


def test_equal_files_give_equal_bytes_with_the_date_of_the_data(paper, built):
    root, inputs = paper
    pdf = _build(root, inputs)
    first = pdf.read_bytes()
    assert built.read_bytes() == first  # in another folder, too
    assert "14 March 2025" in _text(pdf)
    assert PdfReader(pdf).metadata.creation_date.date() == DAY
    assert _build(root, inputs, date(2025, 3, 15)).read_bytes() != first


def test_only_fonts_that_come_with_typst(built):
    pages = PdfReader(built).pages
    fonts = {
        font.get_object()["/BaseFont"].split("+")[-1] for page in pages for font in page["/Resources"]["/Font"].values()
    }
    assert fonts
    assert all(re.match("Libertinus|NewCM|DejaVuSansMono", font) for font in fonts), fonts


def test_no_number_of_the_results_is_typed_in():
    source = (MANUSCRIPT / "paper.typ").read_text()
    prose = re.sub(
        r"//[^\n]*|#let (?:ordinal|percent)[^\n]*|[0-9.]+(cm|pt|fr|%)|calc\.pow\(10\.0|95 %|1000 \* sd|10\^", "", source
    )
    assert (
        re.findall(
            r"[0-9]+\.[0-9]+|[0-9]{2,}(?![0-9\"])",
            re.sub(r"@?\b(fig|marquardt|liu|adam|behler|[a-z]+|C)[0-9]+", "", prose),
        )
        == []
    )


@pytest.mark.parametrize("key", ["config", "metrics", "fig02"])
def test_a_missing_file_is_named_and_nothing_is_written(paper, key):
    root, inputs = paper
    inputs[key].unlink()
    with pytest.raises(PaperError, match=rf"missing: {key}: .*{inputs[key].name}"):
        _build(root, inputs)
    assert not (root / "results" / "paper.pdf").exists()


@pytest.mark.parametrize("key", ["metrics", "fig11", "thermo-cu4"])
def test_an_input_that_was_not_given_is_named(paper, key):
    root, inputs = paper
    del inputs[key]
    with pytest.raises(PaperError, match=f"the input '{key}' was not given"):
        _build(root, inputs)


def test_an_empty_table_is_named(paper):
    root, inputs = paper
    inputs["metrics"].write_text("experiment,seed,set,rmse_mev_per_atom\n")
    with pytest.raises(PaperError, match="the table 'metrics' has no rows"):
        _build(root, inputs)


def test_a_missing_column_and_a_wrong_number_stop_it(paper):
    root, inputs = paper
    good = pd.read_csv(inputs["metrics"])
    good.drop(columns="rmse_over_sd").to_csv(inputs["metrics"], index=False)
    with pytest.raises(PaperError, match="rmse_over_sd"):
        _build(root, inputs)
    good.astype({"mse_ev2": object}).replace(good["mse_ev2"][0], "much").to_csv(inputs["metrics"], index=False)
    with pytest.raises(PaperError, match="much"):
        _build(root, inputs)


def test_files_outside_the_root_are_refused(paper, tmp_path_factory):
    root, inputs = paper
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "metrics.csv"
    shutil.copy(inputs["metrics"], elsewhere)
    with pytest.raises(PaperError, match=f"not in .*metrics: {elsewhere}"):
        _build(root, {**inputs, "metrics": elsewhere})


def test_a_broken_manuscript_keeps_the_old_paper(paper):
    root, inputs = paper
    before = _build(root, inputs).read_bytes()
    with (root / "paper" / "paper.typ").open("a") as source:
        source.write("\n#no-such-function()\n")
    with pytest.raises(PaperError, match="unknown variable: no-such-function") as caught:
        _build(root, inputs)
    assert "paper.typ" in str(caught.value)
    assert (root / "results" / "paper.pdf").read_bytes() == before
    assert sorted(path.name for path in (root / "results").glob(".*")) == []
