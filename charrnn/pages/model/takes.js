/* The takes, of which all are kept, and the one that is on the page; see link.js. The history of the browser has their
 * links, so that they are here again when the page is loaded again. */
import { chars, textOf } from "../shared/shown.js";
import { linkOf, takeOf } from "./link.js";
import { data, idsOf, unitNames } from "./model.js";

export const AT_ONCE = 320; // characters that are written at first without a pause
export const ON = 240; // characters that are written after a change
export const USUAL = {
  settings: {
    temperature: data.opening.temperature,
    topN: Math.min(data.settings.top_n, chars.length),
    topP: data.settings.top_p,
    contrast: 0,
  },
  prime: idsOf(data.opening.prime).ids,
  seed: data.opening.seed,
  length: 600,
  unit: data.discoveries[0]?.unit ?? unitNames[0],
};

export const takes = [];
/** The take that is shown, whether it is being written, and the papers that show it; and whether the reader asked for it
 * since another number is watched. */
export const written = { take: null, running: false, papers: [], isAsked: false };

/** Return whether a take begins and draws as the page chose, and neither the reader nor a link. */
export function isOfThePage({ prime, seed }) {
  const isItsPrime = textOf(prime) === data.opening.prime;
  const seeds = [data.opening, ...data.discoveries].map((opening) => opening.seed);
  return isItsPrime && seeds.includes(seed);
}

/** Return whether the take is that with which the page opens, so that its texts stand in the document. */
export function isOpening() {
  const { unit, prime, seed, plan } = written.take;
  const [first] = plan;
  const isUsual = Object.keys(USUAL.settings).every((key) => first[key] === USUAL.settings[key]);
  return (
    unit === USUAL.unit && seed === USUAL.seed && String(prime) === String(USUAL.prime) && isUsual
  );
}

export function setPapers(papers) {
  written.papers = papers;
}

export function setRunning(isRunning) {
  written.running = isRunning;
}

export function setAsked(isAsked) {
  written.isAsked = isAsked;
}

export function addTake(take) {
  if (!takes.includes(take)) {
    takes.push(take);
  }
}

/** Make a take the one that is shown. */
export function setTake(take) {
  take.of = "write";
  take.number = takes.indexOf(take);
  take.start = take.prime.length;
  written.take = take;
  written.running = false;
}

/** Add the takes of links, which are written again when they are shown: all at once. */
export function addLinks(links) {
  for (const link of links) {
    const { take } = takeOf(link, USUAL);
    takes.push({ ...take, burst: Infinity });
  }
}

export function linkOfTake(take) {
  return linkOf(take, USUAL.settings);
}

/** Bring the address in line with a take, and keep all links for when the page is loaded again.
 * @param {string} way "pushState" for a new entry of the history, "replaceState" for the one of now */
export function showAddress(way = "replaceState", take = written.take) {
  const state = { links: takes.map(linkOfTake), at: takes.indexOf(take) };
  try {
    history[way](state, "", `#${linkOfTake(take)}`);
  } catch {
    // Some frames have no history, and some browsers take few changes: the text is shown all the same.
  }
}
