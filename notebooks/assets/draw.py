"""Draw the notebooks' pictures as SVG, with nothing but the standard library.

``python notebooks/assets/draw.py`` writes the three files beside this program; the same program always
writes the same bytes.
"""
from html import escape
from pathlib import Path

INK, GREY, PALE = "#1f2933", "#66727f", "#e4e7eb"
# stroke and fill by what a thing is: characters in, characters out, layers, state, plain operations
BLUE = ("#1d5f9e", "#dcebf9")
ORANGE = ("#b3540a", "#fdead3")
GREEN = ("#2b7354", "#def2e6")
PURPLE = ("#6a4ba3", "#ece5f8")
PLAIN = ("#66727f", "#f5f7fa")
SANS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
MONO = "Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace"


def text(x, y, words, size=15, colour=INK, anchor="middle", mono=False, bold=False):
    """Return a line of text whose middle (or start, or end) stands at x on the baseline y."""
    return ('<text x="{}" y="{}" font-family="{}" font-size="{}" fill="{}" text-anchor="{}"{} '
            'xml:space="preserve">{}</text>').format(
                x, y, MONO if mono else SANS, size, colour, anchor,
                ' font-weight="bold"' if bold else "", escape(words))


def rect(x, y, width, height, stroke, fill, thick=1.5, round_=6, dash=""):
    """Return a rectangle with its upper left corner at x, y."""
    return ('<rect x="{}" y="{}" width="{}" height="{}" rx="{}" stroke="{}" fill="{}" stroke-width="{}"'
            '{}/>').format(x, y, width, height, round_, stroke, fill, thick,
                           f' stroke-dasharray="{dash}"' if dash else "")


def box(x, y, width, height, colours, *lines, **options):
    """Return a rounded box centred at x, y with lines of text in its middle."""
    size = options.get("size", 15)
    parts = [rect(x - width / 2, y - height / 2, width, height, *colours)]
    top = y - (len(lines) - 1) * (size + 4) / 2 + size * 0.35
    for index, line in enumerate(lines):
        parts.append(text(x, round(top + index * (size + 4), 1), line,
                          size if index == 0 else size - 2, INK if index == 0 else GREY,
                          mono=options.get("mono", False), bold=options.get("bold", False)))
    return "\n".join(parts)


def arrow(points, colour=INK, dash="", thick=1.7):
    """Return a line through the points, each an (x, y), with a head at its end."""
    (x0, y0), (x1, y1) = points[-2:]
    dx, dy = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
    head = [(x1, y1), (x1 - 9 * dx + 4.5 * dy, y1 - 9 * dy + 4.5 * dx),
            (x1 - 9 * dx - 4.5 * dy, y1 - 9 * dy - 4.5 * dx)]
    path = list(points[:-1]) + [(x1 - 7 * dx, y1 - 7 * dy)]
    return ('<polyline points="{}" fill="none" stroke="{}" stroke-width="{}"{}/>\n'
            '<polygon points="{}" fill="{}"/>').format(
                _points(path), colour, thick, f' stroke-dasharray="{dash}"' if dash else "",
                _points(head), colour)


def _points(points):
    return " ".join(f"{x},{y}" for x, y in points)


def bracket(x0, x1, y, words, colour=GREY):
    """Return a bracket from x0 to x1 that opens downwards, with words above it."""
    corners = _points([(x0, y + 8), (x0, y), (x1, y), (x1, y + 8)])
    return (f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="1.4"/>\n'
            + text((x0 + x1) / 2, y - 6, words, 14, colour))


def picture(width, height, title, parts):
    """Return a whole SVG file on a white ground."""
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" '
            'role="img">\n<title>{2}</title>\n<rect width="{0}" height="{1}" fill="#ffffff"/>\n{3}\n'
            '</svg>\n').format(width, height, escape(title), "\n".join(parts))


def shown(character):
    """Return a character as it is drawn: a space becomes visible."""
    return "\u2423" if character == " " else character


def shown_all(characters):
    """Return a few characters as they are drawn in a line of text, between quotation marks."""
    return "\u201c" + "".join(map(shown, characters)) + "\u201d"


# The unrolled network ---------------------------------------------------------------------------------

def one_hot(x, y, index, size):
    """Return a row of ``size`` small squares around x, y, the one at ``index`` filled."""
    parts = []
    for place in range(size):
        left = x - size * 9 + place * 18
        parts.append(rect(left, y - 9, 18, 18, BLUE[0], BLUE[0] if place == index else "#ffffff", 1, 0))
        parts.append(text(left + 9, y + 5, "1" if place == index else "0", 12,
                          "#ffffff" if place == index else GREY, mono=True))
    return "\n".join(parts)


def histogram(x, y, heights, winner):
    """Return bars standing on y around x, the winner in full colour."""
    parts = [rect(x - 50, y - 46, 100, 52, *ORANGE)]
    for place, height in enumerate(heights):
        colour = ORANGE[0] if place == winner else "#f0b884"
        parts.append(rect(x - 40 + place * 16.5, y - height, 12, height, colour, colour, 0, 1))
    return "\n".join(parts)


# how sure the drawn network is of each of the five characters, step by step, in pixels
CERTAINTY = [(3, 4, 27, 9, 6), (4, 2, 6, 33, 8), (7, 2, 5, 26, 14), (5, 2, 4, 12, 31), (36, 2, 5, 6, 3)]


def unrolled():
    """Draw the network along five characters of a text."""
    word, vocab = "Happy ", sorted(set("Happy "))
    columns = [235 + 138 * step for step in range(5)]
    rows = {"out": 70, "softmax": 155, "two": 262, "one": 352, "one-hot": 432, "in": 505}
    parts = [text(490, 30, "One network, drawn once for each character it reads", 18, bold=True)]
    for name, words, shape in [
            ("out", "next characters", ""), ("softmax", "softmax", "C probabilities"),
            ("two", "LSTM layer 2", "L units"), ("one", "LSTM layer 1", "L units"),
            ("one-hot", "one-hot", "C numbers"), ("in", "characters in", "")]:
        y = rows[name] - (18 if name == "softmax" else 0)
        parts.append(text(20, y + (0 if shape else 5), words, 15, anchor="start", bold=True))
        parts.append(text(20, y + 18, shape, 13, GREY, anchor="start"))
    for step, x in enumerate(columns):
        parts += _column(x, rows, word[step], word[step + 1], vocab, CERTAINTY[step])
    for name in ("one", "two"):
        parts += _state(columns, rows[name])
    parts.append(text(904, 400, "state, kept for", 13, PURPLE[0]))
    parts.append(text(904, 417, "the next window", 13, PURPLE[0]))
    parts.append(text(151, 400, "first: zeros", 13, PURPLE[0]))
    parts.append(text(490, 556, "The weights are the same at every step. The state, on the purple arrows, "
                                "is all that the network remembers.", 14, GREY))
    return picture(980, 575, "The network unrolled over five characters", parts)


def _column(x, rows, character, following, vocab, certainty):
    return [
        box(x, rows["in"], 46, 40, BLUE, shown(character), size=20, mono=True, bold=True),
        arrow([(x, rows["in"] - 21), (x, rows["one-hot"] + 11)]),
        one_hot(x, rows["one-hot"], vocab.index(character), len(vocab)),
        arrow([(x, rows["one-hot"] - 11), (x, rows["one"] + 25)]),
        box(x, rows["one"], 84, 46, GREEN, "LSTM"),
        arrow([(x, rows["one"] - 25), (x, rows["two"] + 25)]),
        box(x, rows["two"], 84, 46, GREEN, "LSTM"),
        arrow([(x, rows["two"] - 25), (x, rows["softmax"] + 9)]),
        histogram(x, rows["softmax"], certainty, vocab.index(following)),
        arrow([(x, rows["softmax"] - 48), (x, rows["out"] + 22)]),
        box(x, rows["out"], 46, 40, ORANGE, shown(following), size=20, mono=True, bold=True)]


def _state(columns, y):
    ends = [columns[0] - 88] + columns + [columns[-1] + 100]
    return [arrow([(left + (44 if index else 0), y), (right - (44 if right != ends[-1] else 0), y)],
                  PURPLE[0], thick=2.2) for index, (left, right) in enumerate(zip(ends, ends[1:]))]


# The sliding window -----------------------------------------------------------------------------------

SENTENCE = "Happy families are all alike; every unhappy family is "
N, M, K = 3, 4, 4
CELL = 38
LEFT, TOP = 130, 230


def window():
    """Draw a text as N rows, and the window of M columns that slides over them."""
    parts = [text(480, 30, "From a text to mini-batches: N = 3 rows, windows of M = 4 columns, K = 4 windows",
                  18, bold=True)]
    parts += _strip() + _rows() + _windows() + _pair()
    return picture(960, 690, "The text as N rows, and a window that slides over them", parts)


ROW_FILLS = ("#eef4fb", "#f6f9ee", "#fbf3ee")


def _strip():
    """The text in one line, coloured by the row that each part becomes."""
    width, parts = 16, [text(48, 68, "the encoded text, cut in N equal parts", 15, GREY, "start")]
    for place, character in enumerate(SENTENCE):
        row = place // (M * K)
        parts.append(rect(48 + place * width, 80, width, 26, PALE, ROW_FILLS[row] if row < N else "#ffffff",
                          1, 0))
        parts.append(text(56 + place * width, 98, shown(character), 13, INK if row < N else "#a5afb9",
                          mono=True))
    for row in range(N):
        start = 48 + row * M * K * width
        parts.append(rect(start, 80, M * K * width, 26, GREY, "none", 1.4, 2))
        parts.append(text(start + M * K * width / 2, 125, f"row {row}", 14, GREY))
    tail = 48 + N * M * K * width
    parts.append(rect(tail, 80, (len(SENTENCE) - N * M * K) * width, 26, GREY, "none", 1.2, 2, "4 3"))
    parts.append(text(tail + 48, 125, "dropped tail", 14, GREY))
    parts.append(text(tail + 48, 142, "(under N·M)", 13, GREY))
    return parts


def _rows():
    """The array of N rows by M·K columns."""
    parts = [text(LEFT - 14, TOP + row * CELL + 25, f"row {row}", 14, GREY, "end")
             for row in range(N)]
    for row in range(N):
        for column in range(M * K):
            parts.append(rect(LEFT + column * CELL, TOP + row * CELL, CELL, CELL, "#cbd2d9",
                              ROW_FILLS[row], 1, 0))
            parts.append(text(LEFT + (column + 0.5) * CELL, TOP + row * CELL + 26,
                              shown(SENTENCE[row * M * K + column]), 18, mono=True))
    return parts


def _windows():
    """The K places of the window, the second one marked, and the y that belongs to it."""
    parts = []
    for place in range(K):
        start = LEFT + place * M * CELL
        chosen = place == 1
        parts.append(bracket(start + 3, start + M * CELL - 3, TOP - 26, f"window {place}",
                             BLUE[0] if chosen else GREY))
    start, height = LEFT + M * CELL, N * CELL
    parts.append(rect(start, TOP, M * CELL, height, BLUE[0], "none", 3.5, 3))
    parts.append(rect(start + CELL, TOP - 7, M * CELL, height + 14, ORANGE[0], "none", 3, 3, "8 5"))
    middle = TOP + height + 30
    parts.append(text(start - 8, middle + 5, "x: the window", 15, BLUE[0], "end", bold=True))
    parts.append(text(start + (M + 1) * CELL + 8, TOP + height + 23, "y: one column later", 15, ORANGE[0],
                      "start", bold=True))
    parts.append(arrow([(start + 12, middle), (start + M * CELL, middle)], BLUE[0], thick=2.2))
    parts.append(text(start + 2 * CELL, middle + 21, "slides by M", 14, BLUE[0]))
    parts.append(text(LEFT + M * K * CELL + 10, TOP + 18, "M·K columns", 13, GREY, "start"))
    return parts


def _grid(left, top, rows, colours, zero_last=False):
    parts = []
    for row, characters in enumerate(rows):
        for column, character in enumerate(characters):
            zero = zero_last and column == len(characters) - 1
            parts.append(rect(left + column * 34, top + row * 34, 34, 34, colours[0],
                              "#ffffff" if zero else colours[1], 1.2, 0))
            parts.append(text(left + (column + 0.5) * 34, top + row * 34 + 23,
                              "0" if zero else shown(character), 17,
                              colours[0] if zero else INK, mono=True, bold=zero))
    return parts


def _pair():
    """The batch that window 1 gives, and the batch that the last window gives."""
    top, length, parts = 470, M * K, []
    for left, place, name in [(130, 1, "window 1 gives"), (540, K - 1, "the last window gives")]:
        columns = range(place * M, (place + 1) * M)
        x = [[SENTENCE[row * length + column] for column in columns] for row in range(N)]
        y = [[(SENTENCE + "?")[row * length + column + 1] for column in columns] for row in range(N)]
        parts.append(text(left, top - 34, name, 15, GREY, "start"))
        parts.append(text(left + 68, top - 9, "x  [N, M]", 15, BLUE[0], bold=True))
        parts.append(text(left + 238, top - 9, "y  [N, M]", 15, ORANGE[0], bold=True))
        parts += _grid(left, top, x, BLUE)
        parts += _grid(left + 170, top, y, ORANGE, zero_last=place == K - 1)
    parts.append(text(846, top + 122, "no next column: 0", 13, ORANGE[0], "end"))
    parts.append(text(480, 628, "Row r of one window goes on in row r of the next, so the LSTM state "
                                "of that row can be carried over:", 14, GREY))
    pieces = [SENTENCE[place * M:(place + 1) * M] for place in range(K)]
    parts.append(text(480, 654, "row 0:  " + " \u2192 ".join(map(shown_all, pieces)), 16, PURPLE[0],
                      mono=True))
    return parts


# The architecture -------------------------------------------------------------------------------------

def architecture():
    """Draw what the graph computes, with the shape of the tensor on each arrow."""
    parts = [text(480, 30, "The graph, from ids to the loss and back to the weights", 18, bold=True)]
    parts += _stack() + _main_line() + _loss_line() + _key()
    return picture(960, 876, "The architecture, with shapes", parts)


MAIN, SIDE = 330, 755


def _up(x, start, end, shape, side="start", at=None):
    """An arrow upwards with a shape beside it, in its middle or at the height that is named."""
    offset = 10 if side == "start" else -10
    return [arrow([(x, start), (x, end)]),
            text(x + offset, (at or (start + end) / 2) + 5, shape, 14, GREY, side, mono=True)]


def _stack():
    """The LSTM layers with their dropout, their states and keep_prob."""
    parts = [rect(185, 355, 290, 280, GREEN[0], "#f6fbf8", 1.4, 10, "6 4"),
             text(197, 376, "dynamic_rnn", 13, GREEN[0], "start"),
             text(463, 376, "over M steps", 13, GREEN[0], "end")]
    for layer, y in [(1, 600), (2, 466)]:
        parts += [box(MAIN, y, 190, 44, GREEN, f"LSTM layer {layer}"),
                  box(MAIN, y - 64, 190, 34, PURPLE, "dropout", size=14),
                  arrow([(MAIN, y - 22), (MAIN, y - 46)]),
                  arrow([(130, y), (234, y)], PURPLE[0], thick=2.2),
                  arrow([(426, y), (530, y)], PURPLE[0], thick=2.2),
                  arrow([(145, y - 64), (234, y - 64)], GREY, "5 4")]
    parts += _up(MAIN, 518, 489, "[N, M, L]")
    for y in (600, 466):
        parts += [text(124, y - 3, "initial_state", 14, PURPLE[0], "end"),
                  text(124, y + 15, "c, h  [N, L]", 13, GREY, "end", mono=True),
                  text(536, y - 3, "final_state", 14, PURPLE[0], "start"),
                  text(536, y + 15, "c, h  [N, L]", 13, GREY, "start", mono=True),
                  text(138, y - 59, "keep_prob", 14, GREY, "end")]
    return parts


def _main_line():
    """From the ids up to the probabilities."""
    parts = [box(MAIN, 800, 190, 44, BLUE, "inputs", "ids, int32"),
             box(MAIN, 710, 190, 40, PLAIN, "one-hot"),
             box(MAIN, 285, 190, 40, PLAIN, "reshape"),
             box(MAIN, 194, 190, 48, GREEN, "\u00d7 W + b", "W [L, C], b [C]: scope softmax", size=15),
             box(MAIN, 90, 190, 44, ORANGE, "predictions", "softmax")]
    parts += _up(MAIN, 777, 731, "[N, M]") + _up(MAIN, 689, 623, "[N, M, C]")
    parts += _up(MAIN, 384, 306, "[N, M, L]", at=335) + _up(MAIN, 264, 219, "[N\u00b7M, L]")
    parts += _up(MAIN, 169, 113, "logits [N\u00b7M, C]", "end")
    return parts


def _loss_line():
    """From the targets and the logits to the update of the weights."""
    parts = [box(SIDE, 800, 190, 44, BLUE, "targets", "ids one character later"),
             box(SIDE, 710, 190, 40, PLAIN, "one-hot"),
             box(SIDE, 620, 190, 40, PLAIN, "reshape"),
             box(SIDE, 430, 190, 48, ORANGE, "cross-entropy", "of each step, then the mean"),
             box(SIDE, 330, 190, 48, PLAIN, "gradients", "clipped by their global norm"),
             box(SIDE, 230, 190, 48, PLAIN, "Adam", "learning_rate"),
             arrow([(MAIN, 141), (SIDE + 170, 141), (SIDE + 170, 430), (SIDE + 97, 430)]),
             text(SIDE + 160, 132, "logits [N\u00b7M, C]", 14, GREY, "end", mono=True),
             f'<circle cx="{MAIN}" cy="141" r="4" fill="{INK}"/>']
    parts += _up(SIDE, 777, 731, "[N, M]") + _up(SIDE, 689, 641, "[N, M, C]")
    parts += _up(SIDE, 599, 455, "[N\u00b7M, C]")
    parts += _up(SIDE, 405, 355, "loss [ ]") + _up(SIDE, 305, 255, "one for each variable", "end")
    parts.append(arrow([(SIDE - 95, 230), (510, 230), (510, 194), (427, 194)], ORANGE[0], "6 4"))
    parts.append(text(520, 220, "new weights", 13, ORANGE[0], "start"))
    parts.append(arrow([(510, 230), (510, 400), (477, 400)], ORANGE[0], "6 4"))
    return parts


def _key():
    letters = ["N sequences in a batch", "M steps in a window", "C distinct characters", "L units in a layer"]
    return [text(480, 858, "   \u00b7   ".join(letters), 14, GREY)]


PICTURES = {"unrolled.svg": unrolled, "window.svg": window, "architecture.svg": architecture}


def main():
    """Write the pictures beside this program."""
    folder = Path(__file__).resolve().parent
    for name, draw in PICTURES.items():
        (folder / name).write_text(draw(), encoding="utf-8")
        print("drew", name)


if __name__ == "__main__":
    main()
