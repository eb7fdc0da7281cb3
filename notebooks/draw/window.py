"""A text as N rows, and the window that slides over them."""
from .shapes import BLUE, GREY, INK, ORANGE, PALE, PURPLE, arrow, bracket, picture, rect, shown, shown_all, text

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
    parts.append(text(480, 628, "Row r of one window continues in row r of the next, so the LSTM state "
                                "of that row can be carried over:", 14, GREY))
    pieces = [SENTENCE[place * M:(place + 1) * M] for place in range(K)]
    parts.append(text(480, 654, "row 0:  " + " \u2192 ".join(map(shown_all, pieces)), 16, PURPLE[0],
                      mono=True))
    return parts
