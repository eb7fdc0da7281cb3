/* A text on the page. Each character is a cell, coloured by what is known of it. One character is chosen, with the
 * pointer or the keys, and a box beside it shows what the network expected there.
 * A text is {ids, start, recordAt}: recordAt(place) returns {surprise, activations, guesses, isChosen}, or undefined.
 * `guesses` are what was expected in the place of the character, {id, share}. */
"use strict";
const LONG_BLOCK = 2000; // characters after which a block ends with a line

class Paper {
  /** @param {string} id of the element
   * @param {string} colour one of COLOURS
   * @param {Function} goOn goOn(place, id) writes another character there */
  constructor(id, colour, goOn = null) {
    Object.assign(this, { box: find(id), colour, goOn, at: -1, cells: [] });
    this.plain = make("p", "unseen"); // for a screen reader, which would spell the cells
    this.sheet = Object.assign(make("div"), { ariaHidden: "true" });
    this.box.append(this.plain, this.sheet);
    this.sheet.addEventListener("pointermove", ({ target, pointerType }) => {
      if (pointerType === "mouse" && target.place !== undefined && target.place !== this.at) {
        this.choose(target.place);
      }
    });
    this.box.parentElement.addEventListener("pointerleave", hideGuesses);
    this.sheet.addEventListener("click", ({ target }) => this.choose(target.place ?? -1));
    moveByKeys(this.box, { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -60, ArrowDown: 60 },
      () => (this.at < 0 ? this.cells.length : this.at), () => this.cells.length - 1, (place) => this.moveTo(place));
    document.body.addEventListener("focuschange", () => this.colour === "unit" && this.recolour());
  }

  /** Show another text. */
  show(text) {
    Object.assign(this, { text, cells: [], lineStart: 0, blockStart: 0, at: -1 });
    this.sheet.replaceChildren(make("div", "block"));
    this.grow();
    this.settle();
  }

  /** Show the characters that are new. A block ends with a paragraph, so that only the last one is laid out again. */
  grow() {
    const { ids } = this.text;
    for (let place = this.cells.length; place < ids.length; place++) {
      const [before, last, own] = [place - 2, place - 1, place].map((each) => chars[ids[each]]);
      const isParagraph = before === "\n" || place - this.blockStart > LONG_BLOCK;
      if (last === "\n") {
        this.lineStart = place;
        this.cells[place - 1].classList.toggle("soft", this.cells[place - 1].matches(".soft") && !/\s/.test(own));
      }
      if (last === "\n" && own !== "\n" && isParagraph) {
        this.sheet.append(make("div", "block"));
        this.blockStart = place;
      }
      this.sheet.lastChild.append(this.cellOf(place, own));
    }
  }

  cellOf(place, char) {
    const cell = make("span", place < this.text.start ? "cell prime" : "cell", visible(char));
    if (char === "\n") {
      const isSoft = place - this.lineStart >= (data.long_line ?? Infinity);
      cell.classList.add(place === this.lineStart ? "blank" : isSoft ? "soft" : "hard");
    }
    cell.place = place;
    this.cells.push(cell);
    this.colourCell(place, this.text.recordAt(place));
    return cell;
  }

  colourCell(place, record) {
    if (record) {
      COLOURS[this.colour](this.cells[place], record);
      this.cells[place].classList.toggle("chosen", Boolean(record.isChosen));
    }
  }

  recolour(from = 0, to = this.cells.length) {
    for (let place = from; place < to; place++) {
      this.colourCell(place, this.text.recordAt(place));
    }
  }

  /** Let a screen reader have the text as it is now. */
  settle() {
    this.plain.textContent = visible(textOf(this.text.ids));
  }

  /** Choose a character, or none (-1), and show what was expected there. */
  choose(place) {
    this.cells[this.at]?.classList.remove("framed");
    this.cells[place]?.classList.add("framed");
    this.at = place;
    showGuesses(this, place);
    this.onChoose?.(place);
  }

  moveTo(place) {
    this.choose(place);
    this.cells[place].scrollIntoView({ block: "nearest" });
    find("spoken").textContent = [nameOf(chars[this.text.ids[place]]), describe(this.text.recordAt(place))].join(". ");
  }
}

function describe(record) {
  return !record || Number.isNaN(record.surprise) ? "This was the beginning."
    : `Probability ${percent(2 ** -record.surprise)}, ${record.surprise.toFixed(1)} bits of surprise`;
}

/** Show beside a character of a paper what was expected there. Where the text can go on, each is a button. */
function showGuesses(paper, place) {
  const box = find("guesses");
  const record = paper.text?.recordAt(place);
  const cell = paper.cells[place];
  box.hidden = !record || !cell;
  if (box.hidden) {
    return;
  }
  const id = paper.text.ids[place];
  const before = textOf(paper.text.ids.slice(Math.max(0, place - 12), place));
  find("guesses-before").replaceChildren(visible(before).replace(/\s+/g, " "), make("b", "", glyph(chars[id])));
  find("guesses-said").textContent = describe(record);
  find("guesses-list").replaceChildren(...record.guesses.map((guess) => make("li", "", barOf(guess, guess.id === id,
    paper.goOn && (() => paper.goOn(place, guess.id))))));
  find("guesses-hint").hidden = !paper.goOn;
  const { parentElement: figure } = paper.box;
  paper.box.after(box);
  const [inner, outer] = [cell, figure].map((element) => element.getBoundingClientRect());
  const left = Math.max(0, Math.min(inner.left - outer.left - 20, outer.width - box.offsetWidth));
  Object.assign(box.style, { left: `${left}px`, top: `${inner.bottom - outer.top + 4}px` });
}

/** Make a bar for a character, {id, share}; with an action it is a button. */
function barOf({ id, share }, isMarked, action) {
  const track = make("span", "track", make("i"));
  track.firstChild.style.width = `${100 * share}%`;
  const symbol = make("span", isMarked ? "glyph framed" : "glyph", glyph(chars[id]));
  const parts = [symbol, track, make("span", "", percent(share))];
  const bar = action ? makeButton("bar", action, ...parts) : make("span", "bar", ...parts);
  bar.title = nameOf(chars[id]);
  return bar;
}

function hideGuesses() {
  find("guesses").hidden = true;
}
