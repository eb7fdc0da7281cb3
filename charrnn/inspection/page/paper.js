/* A text on the page. Each character is a cell, coloured by what is known of it. One character is chosen, with the
 * pointer or the keys, and a box beside it shows what the network expected there.
 * A text is {ids, start, recordAt}: recordAt(place) returns {surprise, activations, guesses, isChosen}, or undefined.
 * `guesses` are what was expected in the place of the character, {id, share}. */
"use strict";

const LONG_LINE = 45; // characters from which on a line end is one of the layout, and not of the text
const LONG_BLOCK = 2000; // characters after which a block ends with a line
const isAllNear = !("ContentVisibilityAutoStateChangeEvent" in window); // old browsers do not say what is in sight

class Paper {
  /** @param {string} id of the element
   * @param {string} colour one of COLOURS
   * @param {{goOn: Function, isLong: boolean}} options goOn(place, id) writes another character there; of a long text
   *   only what is near what is in sight has cells */
  constructor(id, colour, { goOn = null, isLong = false } = {}) {
    Object.assign(this, { box: find(id), colour, goOn, isLong: isLong && !isAllNear, at: -1, cells: [], blocks: [] });
    this.plain = make("p", "unseen"); // for a screen reader, which would spell the cells
    this.sheet = make("div", "sheet");
    this.sheet.setAttribute("aria-hidden", "true");
    this.box.append(this.plain, this.sheet);
    this.sheet.addEventListener("contentvisibilityautostatechange", ({ target, skipped }) => {
      this.bring(this.blocks.find(({ element }) => element === target), !skipped);
    }, true);
    this.sheet.addEventListener("pointermove", ({ target, pointerType }) => {
      if (pointerType === "mouse" && target.place !== undefined && target.place !== this.at) {
        this.choose(target.place);
      }
    });
    this.box.parentElement.addEventListener("pointerleave", hideGuesses);
    this.sheet.addEventListener("click", ({ target }) => this.choose(target.place ?? -1));
    moveByKeys(this.box, { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -60, ArrowDown: 60 },
      () => (this.at < 0 ? this.text.ids.length : this.at), () => this.text.ids.length - 1, (place) => this.moveTo(place));
    document.body.addEventListener("focuschange", () => this.colour === "unit" && this.recolour());
  }

  /** Show another text. */
  show(text) {
    Object.assign(this, { text, cells: [], blocks: [], shown: 0, lineStart: 0, at: -1 });
    this.sheet.replaceChildren();
    this.box.scrollTop = 0;
    this.grow();
    this.settle();
  }

  /** Show the characters that are new. A block ends with a paragraph, so that only the last one is laid out again. */
  grow() {
    const { ids } = this.text;
    const far = new Set();
    let block = this.blocks.at(-1);
    for (; this.shown < ids.length; this.shown++) {
      const ended = chars[ids[this.shown - 1]] === "\n" && chars[ids[this.shown]] !== "\n";
      const isParagraph = chars[ids[this.shown - 2]] === "\n";
      if (!block || (ended && (isParagraph || this.shown - block.from > LONG_BLOCK))) {
        block = { from: this.shown, to: this.shown, element: make("div", this.isLong ? "block long" : "block"),
          isNear: !this.isLong };
        this.blocks.push(block);
        this.sheet.append(block.element);
      }
      block.to = this.shown + 1;
      if (block.isNear) {
        this.addCell(block, this.shown);
      } else {
        far.add(block);
      }
    }
    for (const each of far) {
      each.element.textContent = visible(textOf(ids.slice(each.from, each.to)));
    }
  }

  addCell({ element }, place) {
    const { ids, start, recordAt } = this.text;
    const char = chars[ids[place]];
    const before = this.cells[place - 1];
    const cell = make("span", place < start ? "cell prime" : "cell", visible(char));
    if (chars[ids[place - 1]] === "\n") {
      this.lineStart = place;
      before?.classList.toggle("soft", before.matches(".soft") && !/\s/.test(char));
    }
    if (char === "\n") {
      cell.classList.add(place === this.lineStart ? "blank" : place - this.lineStart >= LONG_LINE ? "soft" : "hard");
    }
    cell.place = place;
    this.cells[place] = cell;
    element.append(cell);
    this.colourCell(place, recordAt(place));
  }

  colourCell(place, record) {
    if (record && this.cells[place]) {
      COLOURS[this.colour](this.cells[place], record);
      this.cells[place].classList.toggle("chosen", Boolean(record.isChosen));
    }
  }

  recolour(from = 0, to = this.cells.length) {
    for (let place = from; place < to; place++) {
      if (this.cells[place]) {
        this.colourCell(place, this.text.recordAt(place));
      }
    }
  }

  /** Give a block cells if it is near what is in sight, or else mere text. */
  bring(block, isNear) {
    if (block && block.isNear !== isNear) {
      const { from, to, element } = block;
      block.isNear = isNear;
      element.replaceChildren();
      this.lineStart = from;
      for (let place = from; place < to && isNear; place++) {
        this.addCell(block, place);
      }
      if (!isNear) {
        element.textContent = visible(textOf(this.text.ids.slice(from, to)));
        this.cells.fill(undefined, from, to);
      }
      this.cells[this.at]?.classList.add("framed");
    }
  }

  /** Let a screen reader have the text as it is now. */
  settle() {
    this.plain.textContent = visible(textOf(this.text.ids));
  }

  // ---- the character that is chosen

  /** Choose a character, or none (-1), and show what was expected there. */
  choose(place) {
    this.cells[this.at]?.classList.remove("framed");
    this.cells[place]?.classList.add("framed");
    this.at = place;
    showGuesses(this, place);
    this.onChoose?.(place);
  }

  moveTo(place) {
    const block = this.blocks.findLast(({ from }) => from <= place);
    this.bring(block, true);
    this.choose(place);
    this.cells[place].scrollIntoView({ block: "nearest" });
    find("spoken").textContent = [nameOf(chars[this.text.ids[place]]), describe(this.text.recordAt(place))].join(". ");
  }
}

// ---- the box beside the character

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
  figure.append(box);
  const [inner, outer] = [cell, figure].map((element) => element.getBoundingClientRect());
  const left = Math.min(Math.max(0, inner.left - outer.left - 20), outer.width - box.offsetWidth);
  Object.assign(box.style, { left: `${Math.max(0, left)}px`, top: `${inner.bottom - outer.top + 4}px` });
}

/** Make a bar for a character, {id, share}; with an action it is a button. */
function barOf({ id, share }, isMarked, action) {
  const track = make("span", "track", make("i"));
  track.firstChild.style.width = `${100 * share}%`;
  const parts = [make("span", isMarked ? "glyph framed" : "glyph", glyph(chars[id])), track, make("span", "", percent(share))];
  const bar = action ? makeButton("bar", action, ...parts) : make("span", "bar", ...parts);
  bar.title = nameOf(chars[id]);
  return bar;
}

function hideGuesses() {
  find("guesses").hidden = true;
}
