// Light or dark: the system's, until the visitor says otherwise. Colours live in the style sheet; charts read them there.

const KEY = 'ufo-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
export const calm = matchMedia('(prefers-reduced-motion: reduce)');
let colours = null;

/** The colours of the theme in force, by the names of the style sheet. */
export function palette() {
  if (!colours) {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    colours = {
      ...Object.fromEntries(
        ['ink', 'soft', 'line', 'panel', 'accent', 'muted', 'home', 'north', 'south', 'unknown', 'land', 'coast'].map((name) => [name, of(name)]),
      ),
      ramp: [0, 1, 2, 3, 4, 5, 6].map((step) => of(`ramp-${step}`)),
      font: style.fontFamily,
    };
  }
  return colours;
}

/** Applies what was chosen, and calls `changed` whenever colours are others. */
export function start(button, changed) {
  const chosen = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const apply = () => {
    document.documentElement.dataset.theme = chosen() ?? (dark.matches ? 'dark' : 'light');
    colours = null;
    changed();
  };
  button.addEventListener('click', () => {
    const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    try { localStorage.setItem(KEY, next); } catch { document.documentElement.dataset.theme = next; }
    apply();
  });
  dark.addEventListener('change', apply);
  apply();
}
