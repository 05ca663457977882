// Elements. Texts are always set as text: what comes from the data is never read as HTML.

/** An element with properties, attributes (`aria-…`, `data-…`, …) and children. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'class') element.className = value;
    else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter(isChild));
  return element;
}

/** `condition && element` may be false. */
const isChild = (child) => child !== undefined && child !== null && child !== false;

export const byId = (id) => document.getElementById(id);

/** Replaces an element's children. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter(isChild));
}

/** Sets a text only where it is another one: what stands still is not announced and not painted again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
