"""One step of an LSTM cell: the gates, and what they do to the two vectors of the state."""
from .shapes import BLUE, GREEN, GREY, INK, ORANGE, PLAIN, PURPLE, arrow, box, picture, points_of, text

TOP, GATES, BUS, OUT = 110, 275, 350, 205
FORGET, INPUT, NEW, OUTPUT, SHOW = 270, 420, 560, 690, 780


def cell():
    """Draw one step of one layer."""
    parts = [text(490, 34, "One step of an LSTM cell", 18, bold=True)]
    parts += _memory() + _inputs() + _gates() + _output()
    parts.append(text(490, 452, "Every green box multiplies x and h by a matrix of its own, adds a bias, and "
                                "applies \u03c3 (0 to 1) or tanh (-1 to 1).", 14, GREY))
    parts.append(text(490, 474, "\u00d7 and + work unit by unit, on vectors of L numbers.", 14, GREY))
    return picture(1000, 492, "One step of an LSTM cell", parts)


def _circle(x, y, sign):
    return (f'<circle cx="{x}" cy="{y}" r="15" stroke="{PURPLE[0]}" fill="{PURPLE[1]}" stroke-width="1.6"/>\n'
            + text(x, y + 6, sign, 19, INK))


def _memory():
    """The line of c, from the step before to this one."""
    middle = (INPUT + NEW) / 2
    return [text(60, TOP - 4, "c", 20, PURPLE[0], bold=True), text(60, TOP + 16, "of the step before", 13, GREY),
            arrow([(125, TOP), (FORGET - 16, TOP)], PURPLE[0], thick=2.4),
            arrow([(FORGET + 16, TOP), (middle - 16, TOP)], PURPLE[0], thick=2.4),
            arrow([(middle + 16, TOP), (860, TOP)], PURPLE[0], thick=2.4),
            text(890, TOP - 4, "c", 20, PURPLE[0], bold=True), text(924, TOP + 16, "for the next step", 13, GREY),
            _circle(FORGET, TOP, "\u00d7"), _circle(middle, TOP, "+"), _circle(middle, 195, "\u00d7"),
            arrow([(middle, 179), (middle, TOP + 17)])]


def _inputs():
    """x and h, joined, on their way to the gates."""
    bus = points_of([(125, BUS), (OUTPUT, BUS)])
    parts = [text(60, BUS - 4, "h", 20, PURPLE[0], bold=True), text(60, BUS + 16, "of the step before", 13, GREY),
             f'<polyline points="{bus}" fill="none" stroke="{INK}" stroke-width="1.7"/>',
             box(185, 405, 60, 36, BLUE, "x", size=17, bold=True),
             text(228, 410, "the input: a one-hot character, or the output of the layer below", 13, GREY, "start"),
             arrow([(185, 386), (185, BUS + 1)])]
    return parts + [arrow([(x, BUS), (x, GATES + 29)]) for x in (FORGET, INPUT, NEW, OUTPUT)]


def _gates():
    parts = [box(x, GATES, 118, 54, GREEN, name, kind) for x, name, kind in [
        (FORGET, "forget gate f", "\u03c3"), (INPUT, "input gate i", "\u03c3"), (NEW, "new values g", "tanh"),
        (OUTPUT, "output gate o", "\u03c3")]]
    middle = (INPUT + NEW) / 2
    return parts + [arrow([(FORGET, GATES - 28), (FORGET, TOP + 17)]),
                    arrow([(INPUT, GATES - 28), (INPUT, 195), (middle - 16, 195)]),
                    arrow([(NEW, GATES - 28), (NEW, 195), (middle + 16, 195)]),
                    text(FORGET + 10, 190, "how much of c to keep", 13, GREY, "start"),
                    text(middle + 12, 150, "what to add", 13, GREY, "start")]


def _output():
    return [arrow([(SHOW, TOP), (SHOW, TOP + 24)]), box(SHOW, TOP + 42, 72, 34, PLAIN, "tanh", size=14),
            arrow([(SHOW, TOP + 60), (SHOW, OUT - 16)]), _circle(SHOW, OUT, "\u00d7"),
            arrow([(OUTPUT, GATES - 28), (OUTPUT, OUT), (SHOW - 16, OUT)]),
            arrow([(SHOW, OUT + 16), (SHOW, BUS), (860, BUS)], PURPLE[0], thick=2.4),
            text(890, BUS - 4, "h", 20, PURPLE[0], bold=True), text(924, BUS + 16, "for the next step", 13, GREY),
            arrow([(825, BUS), (825, OUT + 40), (868, OUT + 40)], ORANGE[0], thick=2.0),
            text(876, OUT + 38, "the output, also h:", 13, ORANGE[0], "start"),
            text(876, OUT + 55, "to the layer above", 13, ORANGE[0], "start")]
