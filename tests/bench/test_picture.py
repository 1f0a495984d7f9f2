"""The picture is an SVG that any browser shows, and it shows what was measured."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bench import picture
from bench.picture import PANELS, Axis
from bench.sides import GATEWAY
from tests.bench.figures import BOTH, everything, run

SVG = "{http://www.w3.org/2000/svg}"


def test_every_panel_has_a_line_for_each_server_and_a_point_for_each_size() -> None:
    tree = ElementTree.fromstring(picture.draw(BOTH))
    assert tree.tag == f"{SVG}svg"
    panels = [group for group in tree.findall(f"{SVG}g") if group.get("transform")]
    assert len(panels) == len(PANELS)
    for panel in panels:
        assert [len(line.findall(f"{SVG}circle")) for line in panel.findall(f"{SVG}g")] == [3, 3]


def test_the_ratio_at_the_largest_size_is_written_beside_the_lines() -> None:
    texts = ["".join(text.itertext()) for text in ElementTree.fromstring(picture.draw(BOTH)).iter(f"{SVG}text")]
    assert texts.count("100 ×") == len(PANELS)


def test_everything_lies_inside_the_picture() -> None:
    tree = ElementTree.fromstring(picture.draw(BOTH))
    width, height = float(tree.get("width", "0")), float(tree.get("height", "0"))
    for panel in (group for group in tree.findall(f"{SVG}g") if group.get("transform")):
        left, top = (float(number) for number in panel.get("transform", "")[10:-1].split())
        for circle in panel.iter(f"{SVG}circle"):
            assert 0 < left + float(circle.get("cx", "-1")) < width
            assert 0 < top + float(circle.get("cy", "-1")) < height


def test_one_size_makes_no_line_and_still_a_picture() -> None:
    tree = ElementTree.fromstring(picture.draw(run({1000: {GATEWAY: everything(1.0)}})))
    assert not [group for group in tree.findall(f"{SVG}g") if group.get("transform")]


def test_a_decade_is_everywhere_as_long() -> None:
    axis = Axis(1, 1000, 300)
    assert [axis.at(value) for value in axis.decades()] == pytest.approx([0, 100, 200, 300])
