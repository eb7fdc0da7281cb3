"""The network unrolled over five characters of a text."""
from .shapes import BLUE, GREEN, GREY, ORANGE, PURPLE, arrow, box, picture, rect, shown, text


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
