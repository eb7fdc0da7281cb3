"""SVG shapes in the pictures' colours, made with nothing but the standard library."""
from html import escape

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
    """Return a line of text whose middle (or start, or end) is at x, on the baseline y."""
    weight = ' font-weight="bold"' if bold else ""
    return (f'<text x="{x}" y="{y}" font-family="{MONO if mono else SANS}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}"{weight} xml:space="preserve">{escape(words)}</text>')


def rect(x, y, width, height, stroke, fill, thick=1.5, round_=6, dash=""):
    """Return a rectangle with its upper left corner at x, y."""
    return (f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{round_}" stroke="{stroke}" '
            f'fill="{fill}" stroke-width="{thick}"{dashed(dash)}/>')


def dashed(dash):
    """Return the attribute for a dashed line, or nothing."""
    return f' stroke-dasharray="{dash}"' if dash else ""


def frame(x, y, width, height, name):
    """Return a dashed frame with the name of a function above its upper left corner."""
    return rect(x, y, width, height, GREY, "none", 1.2, 10, "3 4") + "\n" + text(
        x + 2, y - 7, name, 14, INK, "start", mono=True, bold=True)


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
    return (f'<polyline points="{points_of(path)}" fill="none" stroke="{colour}" stroke-width="{thick}"'
            f'{dashed(dash)}/>\n<polygon points="{points_of(head)}" fill="{colour}"/>')


def points_of(points):
    """Return points as SVG writes them."""
    return " ".join(f"{x},{y}" for x, y in points)


def bracket(x0, x1, y, words, colour=GREY):
    """Return a bracket from x0 to x1 that opens downwards, with words above it."""
    corners = points_of([(x0, y + 8), (x0, y), (x1, y), (x1, y + 8)])
    return (f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="1.4"/>\n'
            + text((x0 + x1) / 2, y - 6, words, 14, colour))


def picture(width, height, title, parts):
    """Return the text of an SVG file on a white ground."""
    lines = "\n".join(parts)
    size = f'width="{width}" height="{height}"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} role="img">\n'
            f'<title>{escape(title)}</title>\n<rect {size} fill="#ffffff"/>\n{lines}\n</svg>\n')


def shown(character):
    """Return a character as it is drawn: a space becomes visible."""
    return "\u2423" if character == " " else character


def shown_all(characters):
    """Return a few characters as they are drawn in a line of text, between quotation marks."""
    return "\u201c" + "".join(map(shown, characters)) + "\u201d"
