// How numbers, durations and names are written.

const counts = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
export const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

const UNITS = [['y', 31_536_000_000], ['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1_000]];
const BYTES = [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]];

export const count = (number) => (number === null || number === undefined ? '–' : counts.format(number));
export const short = (number) => compact.format(number);

/** Milliseconds in the two largest units that they have: `3 y 36 d`. */
export function duration(ms, parts = 2) {
  if (ms === null || ms === undefined) return '–';
  const first = UNITS.findIndex(([, unit]) => ms >= unit);
  if (first < 0) return `${count(ms)} ms`;
  const [name, unit] = UNITS[first];
  const shown = `${count(Math.floor(ms / unit))} ${name}`;
  const next = UNITS[first + 1];
  const rest = next && Math.floor((ms % unit) / next[1]);
  return parts > 1 && rest ? `${shown} ${rest} ${next[0]}` : shown;
}

export function bytes(number) {
  const [name, unit] = BYTES.find(([, size]) => number >= size) ?? ['B', 1];
  return `${(number / unit).toFixed(unit === 1 ? 0 : 1)} ${name}`;
}

/** The country of a code; null and `unknown` are the same. */
export function country(code) {
  if (!code || code === 'unknown') return 'Country not known';
  return regions.of(code.toUpperCase()) ?? code.toUpperCase();
}

/** `1949-10-10T20:30:00` as `1949-10-10 20:30`. */
export const civil = (time) => time.slice(0, 16).replace('T', ' ');

export const instant = (ms) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

/** `las vegas` as `Las Vegas`: places come in lower case. */
export const place = (text) => text.replace(/(^|[\s(/.-])(\p{Ll})/gu, (_, before, letter) => before + letter.toUpperCase());

export function placeName(country, state, city) {
  return [city ? place(city) : 'Place not known', state && state.toUpperCase(), country && country.toUpperCase()].filter(Boolean).join(', ');
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
