"""Pictures for notebooks, each with a text that says what is seen.

`picture`, `strip`, `grid`, `maps`, `filters` and the charts return an `IPython.display.Image` (a
JPEG with alt text); `film` returns an `IPython.display.HTML`. A notebook shows it when it is the
last value of a cell; a script can write its `.data`. pyplot's global state is not used.
"""

from .charts import bars, curves, lines
from .looping import film
from .shown import chart, filters, grid, maps, picture, strip
from .tensors import heat, mosaic, overlay, signed, spotlight

__all__ = [
    "bars",
    "chart",
    "curves",
    "film",
    "filters",
    "grid",
    "heat",
    "lines",
    "maps",
    "mosaic",
    "overlay",
    "picture",
    "signed",
    "spotlight",
    "strip",
]
