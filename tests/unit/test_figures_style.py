"""Figures as files: formats, size, reproducible bytes, embedded metadata, refusals."""

import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image
from pypdf import PdfReader

from bpstudy.figures import style

FORMATS = ("png", "svg", "pdf")


@style.themed
def _drawing(offset: float = 0.0) -> Figure:
    figure = style.figure(width_cm=10.0, height_cm=5.0)
    ax = figure.subplots()
    sns.scatterplot(x=np.arange(9), y=np.arange(9) + offset, ax=ax)
    ax.fill_between([0, 8], [0, 1], [1, 2], alpha=0.3)
    ax.set(xlabel="time (fs)", ylabel="$E$ (eV)")
    return figure


def _write(folder, **options):
    paths = [folder / f"a.{kind}" for kind in FORMATS]
    style.save(_drawing(), paths, **options)
    return paths


def test_all_formats_can_be_read_and_have_the_size_in_print(tmp_path):
    png, svg, pdf = _write(tmp_path, dpi=200)
    with Image.open(png) as image:
        assert image.size == pytest.approx((10 / 2.54 * 200, 5 / 2.54 * 200), abs=1)
        assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    root = ElementTree.parse(svg).getroot()
    assert float(root.get("width").removesuffix("pt")) == pytest.approx(10 / 2.54 * 72)
    page = PdfReader(pdf).pages[0]
    assert float(page.mediabox.width) == pytest.approx(10 / 2.54 * 72)


def test_text_of_vector_formats_is_text_in_the_one_font(tmp_path):
    _, svg, pdf = _write(tmp_path)
    texts = ["".join(node.itertext()) for node in ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert "time (fs)" in texts
    page = PdfReader(pdf).pages[0]
    assert "time (fs)" in page.extract_text()
    fonts = [font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()]
    assert fonts
    assert all("DejaVuSans" in font for font in fonts)


@pytest.mark.parametrize("metadata", [None, {"Title": "E(t)", "Description": "of copper", "Author": "bpstudy"}])
def test_equal_figures_have_equal_bytes(tmp_path, metadata):
    first = _write(tmp_path / "first", metadata=metadata)
    second = _write(tmp_path / "second", metadata=metadata)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    other_data = tmp_path / "other.png"
    style.save(_drawing(offset=1.0), [other_data])
    assert other_data.read_bytes() != first[0].read_bytes()


def test_no_dates(tmp_path):
    for path in _write(tmp_path):
        assert not re.search(rb"20[0-9]{2}-[0-9]{2}|D:20[0-9]{2}", path.read_bytes()), path.name


def test_metadata_are_embedded_in_every_format(tmp_path):
    png, svg, pdf = _write(tmp_path, metadata={"Title": "Å title", "Description": '{"a": 1}', "Author": "Someone"})
    with Image.open(png) as image:
        assert (image.text["Title"], image.text["Description"]) == ("Å title", '{"a": 1}')
    text = svg.read_text()
    assert "Å title" in text
    assert "Someone" in text
    assert "{&quot;a&quot;: 1}" in text or '{"a": 1}' in text
    info = PdfReader(pdf).metadata
    assert (info.title, info.subject, info.author) == ("Å title", '{"a": 1}', "Someone")


@pytest.mark.parametrize(
    ("names", "metadata", "message"),
    [
        (["a.jpg", "a.png"], None, r"a\.jpg.*\.png, \.svg, \.pdf"),
        (["a.png"], {"Licence": "MIT"}, "Licence.*Title, Description, Author"),
    ],
)
def test_wrong_requests_write_nothing(tmp_path, names, metadata, message):
    with pytest.raises(ValueError, match=message):
        style.save(_drawing(), [tmp_path / name for name in names], metadata=metadata)
    assert list(tmp_path.iterdir()) == []


def test_the_look_of_others_is_left_alone(tmp_path):
    before = dict(mpl.rcParams)
    _write(tmp_path)
    assert dict(mpl.rcParams) == before


def test_sets_of_frames_have_colours_of_their_own_in_a_fixed_order():
    colors = style.set_colors(["hot", "independent", "train", "train", "cold"])
    assert list(colors) == ["train", "independent", "hot", "cold"]
    assert len(set(colors.values())) == 4
    assert colors["train"] == style.set_colors(["train"])["train"]


@pytest.mark.parametrize(
    ("value", "text"), [(-0.5, "−0.5"), (0, "0"), (1.5e-7, "1.5e−07"), (56.4485, "56.4485"), (20000, "20000")]
)
def test_plain_numbers(value, text):
    assert style.plain_numbers()(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(5.95e-6, r"$5.95\times10^{-6}$"), (0.0, r"$0.00\times10^{0}$"), (123, r"$1.23\times10^{2}$")]
)
def test_power_of_ten(value, text):
    assert style.power_of_ten(value) == text
