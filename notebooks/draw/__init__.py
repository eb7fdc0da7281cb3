"""The notebooks' pictures, as SVG; the same program always draws the same bytes."""
from .architecture import architecture
from .cell import cell
from .unrolled import unrolled
from .window import window

PICTURES = {"unrolled.svg": unrolled, "window.svg": window, "cell.svg": cell, "architecture.svg": architecture}
