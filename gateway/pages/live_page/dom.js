// Elements out of calls: text stays text, so nothing that is told can become markup.

/** An element. Functions are listeners of the event that their name says after `on`; false, null: left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** New children; who works by keyboard stays on what has the same `data-key`. */
export function fill(parent, ...children) {
  const held = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (held) parent.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

const LONG = 18;

/** An amount as it is written; one that a small screen has no room for goes on below, between two groups of its digits. */
export function digits(text) {
  if (text.length <= LONG) return text;
  const groups = text.split(/(?<=\p{Nd}[\p{P}\p{Zs}])(?=\p{Nd})/u);
  return h('span', { class: 'long' }, groups.map((group, index) => [index > 0 && h('wbr'), group]));
}

/** Text for those who hear the page, not for those who see it. */
export function unseen(text) {
  return h('span', { class: 'unseen' }, text);
}
