"""The diagram of the deconvnet: a picture whose alt text says what crosses over."""

import io

from PIL import Image

from dreamkit.inside import diagram


def test_the_diagram_has_one_box_a_step_and_says_what_goes_across():
    shown = diagram.deconvnet_diagram()
    alt = shown.metadata["alt"] if "alt" in (shown.metadata or {}) else shown.alt
    assert "switches" in alt and "way down" in alt
    with Image.open(io.BytesIO(shown.data)) as picture:
        assert picture.width >= 900
        blues = [c for n, c in picture.convert("RGB").getcolors(10**7) if n > 2000]
    assert any(b > r + 15 for r, g, b in blues) and any(r > b + 15 for r, g, b in blues)
