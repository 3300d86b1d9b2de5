"""The colours of reports: one meaning each, different also to colour-blind readers.

Distances are those of OKLab (Ottosson, 2020). Colour blindness is simulated with the
matrices of Machado, Oliveira and Fernandes (2009), of full severity.
"""

import re
from importlib import resources
from itertools import combinations

import numpy as np
import pytest

CSS = (resources.files("skdnn.explain._report") / "templates/report.css").read_text()
COLOUR_BLIND = np.array(
    [
        np.eye(3),
        # protanopia, deuteranopia, tritanopia
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ]
)
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
# Groups of colours that stand side by side; a value from low to high is an amount.
GROUPS = {
    "class": [f"c{i}" for i in range(6)],
    "sign": ["plus", "minus"],
    "classifier": ["m0", "m1"],
    "training": ["t0", "t1"],
    "amount": ["bar", *(f"v{i}" for i in range(5))],
    "interactive": ["accent"],
}


def colours_of(theme):
    """Return the colours of a theme by name; dark ones replace light ones."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    values = {}
    for block in blocks[: 1 if theme == "light" else 2]:
        values |= dict(re.findall(r"--([\w-]+): (#\w{6});", block))
        heat = re.search(r"--heat: (\d+), (\d+), (\d+)", block)
        values["heat"] = "#{:02x}{:02x}{:02x}".format(*map(int, heat.groups()))
    return values


def bytes_of(code):
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)])


def linear(channels):
    """Return bytes of sRGB as shares of light."""
    shares = np.asarray(channels) / 255
    return np.where(
        shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4
    )


def contrast(one, other):
    """Return the contrast ratio of WCAG 2.1."""
    low, high = sorted(light @ [0.2126, 0.7152, 0.0722] for light in (one, other))
    return (high + 0.05) / (low + 0.05)


def in_oklab(light):
    """Return positions in OKLab, to all readers and with three kinds of blindness."""
    views = np.clip(COLOUR_BLIND @ light, 0, 1)
    return np.cbrt(views @ TO_CONES.T) @ TO_OKLAB.T


@pytest.fixture(params=["light", "dark"])
def colours(request):
    return colours_of(request.param)


def test_contrast_and_distance_of_known_colours():
    white, black = linear([255, 255, 255]), linear([0, 0, 0])
    assert contrast(white, black) == pytest.approx(21)
    np.testing.assert_allclose(in_oklab(white)[0], [1, 0, 0], atol=1e-4)
    # red and green of equal lightness are alike without a cone for either
    red, green = linear([255, 0, 0]), linear([92, 92, 0])
    distances = np.linalg.norm(in_oklab(red) - in_oklab(green), axis=1)
    assert distances[1] < distances[0] / 2


def test_no_colour_has_two_meanings(colours):
    members = [(name, group) for group, names in GROUPS.items() for name in names]
    for (one, of_one), (other, of_other) in combinations(members, 2):
        if of_one == of_other == "amount":
            continue
        views = in_oklab(linear(bytes_of(colours[one])))
        distances = np.linalg.norm(
            views - in_oklab(linear(bytes_of(colours[other]))), axis=1
        )
        # an unnoticed difference is about 0.02; side by side more is needed
        normal, blind = (0.12, 0.06) if of_one == of_other else (0.045, 0.02)
        assert distances[0] > normal, (one, other)
        assert distances[1:].min() > blind, (one, other)


def test_values_from_low_to_high_have_steps_of_lightness(colours):
    lightness = np.array(
        [in_oklab(linear(bytes_of(colours[f"v{i}"])))[0, 0] for i in range(5)]
    )
    assert np.abs(np.diff(lightness)).min() > 0.06
    assert len(set(np.sign(np.diff(lightness)))) == 1


def test_contrast_with_the_ground(colours):
    card = linear(bytes_of(colours["card"]))
    for names in GROUPS.values():
        for name in names:
            assert contrast(linear(bytes_of(colours[name])), card) >= 3, name
    for name in ("ink", "soft", "accent"):
        for ground in ("card", "page"):
            text = linear(bytes_of(colours[name]))
            assert contrast(text, linear(bytes_of(colours[ground]))) >= 4.5, name


def test_contrast_of_each_shade_of_the_confusion_matrix(colours):
    shares = re.search(r"var\(--heat\), \{\{ \[([\d., ]+)\]", CSS).group(1).split(",")
    assert len(shares) == 8
    on_dark = {
        int(i) for i in re.findall(r"td\.h(\d)(?=[^{]*\{ color: var\(--card\))", CSS)
    }
    card, heat = bytes_of(colours["card"]), bytes_of(colours["heat"])
    for i, share in enumerate(map(float, shares), start=1):
        shade = linear(share * heat + (1 - share) * card)
        text = colours["card" if i in on_dark else "ink"]
        assert contrast(linear(bytes_of(text)), shade) >= 4.5, i
