"""What the graph computes, with the shape of the tensor on each arrow and the function that makes each part."""
from .shapes import BLUE, GREEN, GREY, INK, ORANGE, PLAIN, PURPLE, arrow, box, frame, picture, rect, text


def architecture():
    """Draw what the graph computes, with the shape of the tensor on each arrow."""
    parts = [text(480, 30, "The graph, from ids to the loss and back to the weights", 18, bold=True)]
    parts += _frames() + _stack() + _main_line() + _loss_line() + _key()
    return picture(960, 900, "The architecture, with shapes", parts)


MAIN, SIDE = 330, 755


def _frames():
    """A frame around what each function makes."""
    return [frame(170, 60, 320, 256, "build_output"), frame(645, 202, 220, 160, "build_optimizer"),
            frame(645, 402, 220, 338, "build_loss"), frame(170, 772, 695, 58, "build_inputs"),
            text(187, 349, "build_lstm", 14, INK, "start", mono=True, bold=True),
            text(222, 715, "in CharRNN", 14, INK, "end", mono=True, bold=True)]


def _up(x, start, end, shape, side="start", at=None):
    """Return an upward arrow labelled with a shape, halfway up or at a given height."""
    offset = 10 if side == "start" else -10
    return [arrow([(x, start), (x, end)]),
            text(x + offset, (at or (start + end) / 2) + 5, shape, 14, GREY, side, mono=True)]


def _stack():
    """The LSTM layers with their dropout, their states and keep_prob."""
    parts = [rect(185, 355, 290, 280, GREEN[0], "#f6fbf8", 1.4, 10, "6 4"),
             text(197, 376, "run by dynamic_rnn", 13, GREEN[0], "start"),
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
             box(542, 800, 150, 44, BLUE, "keep_prob", "a number"),
             box(MAIN, 285, 190, 40, PLAIN, "reshape"),
             box(MAIN, 194, 190, 48, GREEN, "\u00d7 W + b", "W [L, C], b [C], in softmax/", size=15),
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
             box(SIDE, 430, 190, 48, ORANGE, "cross-entropy", "the mean over all steps"),
             box(SIDE, 330, 190, 48, PLAIN, "gradients", "clipped by global norm"),
             box(SIDE, 230, 190, 48, PLAIN, "Adam", "learning_rate"),
             arrow([(MAIN, 141), (SIDE + 170, 141), (SIDE + 170, 430), (SIDE + 97, 430)]),
             text(SIDE + 160, 132, "logits [N\u00b7M, C]", 14, GREY, "end", mono=True),
             f'<circle cx="{MAIN}" cy="141" r="4" fill="{INK}"/>']
    parts += _up(SIDE, 777, 731, "[N, M]") + _up(SIDE, 689, 641, "[N, M, C]")
    parts += _up(SIDE, 599, 455, "[N\u00b7M, C]")
    parts += _up(SIDE, 405, 355, "loss [ ]") + _up(SIDE, 305, 255, "")
    parts.append(arrow([(SIDE - 95, 230), (510, 230), (510, 194), (427, 194)], ORANGE[0], "6 4"))
    parts.append(text(520, 220, "new weights", 13, ORANGE[0], "start"))
    parts.append(arrow([(510, 230), (510, 400), (477, 400)], ORANGE[0], "6 4"))
    return parts


def _key():
    letters = ["N sequences in a batch", "M steps in a window", "C distinct characters", "L units in a layer"]
    return [text(480, 872, "   \u00b7   ".join(letters), 14, GREY)]
