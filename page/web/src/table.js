// A chart's rows as a table: for those who read rather than look, and for the digits.
import { fill, h } from './dom.js';
import { DAYS, MONTHS, capital, civil, count, country, duration, instant, place } from './format.js';

const ROWS_MAX = 200;

const HEADS = {
  occurred_at: 'When', rejected_at_ms: 'When (UTC)', duration_ms: 'Duration', longest_ms: 'Longest', longest_plausible_ms: 'Longest ≤ 7 d',
  mean_ms: 'Mean', mean_plausible_ms: 'Mean ≤ 7 d', total_ms: 'Total', total_rank: 'Rank', total_plausible_ms: 'Total ≤ 7 d',
  total_plausible_rank: 'Rank ≤ 7 d', count: 'Sightings', north: 'Northern half', south: 'Southern half', unknown: 'Not known',
  cell: 'H3 cell', lat: 'Latitude', lon: 'Longitude', code: 'Why', message: 'What is wrong', record: 'Record', bytes: 'As it came',
};

const TEXTS = {
  country, city: (text) => (text ? place(text) : '–'), state: (text) => (text ? text.toUpperCase() : '–'),
  shape: capital, season: (text) => (text ? capital(text) : 'Not known'), month: (month) => MONTHS[month - 1], weekday: (day) => DAYS[day - 1],
  hour: (hour) => `${hour}:00`, year: String, occurred_at: civil, rejected_at_ms: (ms) => (ms === null ? '–' : instant(ms)),
};

const isNumber = (name) => /^(count|north|south|unknown|lat|lon)$|_ms$|rank$/.test(name) && name !== 'rejected_at_ms';

function text(name, value) {
  if (TEXTS[name]) return TEXTS[name](value);
  if (name.endsWith('_ms')) return duration(value);
  if (name.endsWith('rank')) return `#${value}`;
  if (isNumber(name)) return name === 'lat' || name === 'lon' ? String(value ?? '–') : count(value);
  return value ?? '–';
}

/** Puts the table into `element`, with a caption for readers. */
export function show(element, table, caption) {
  const head = h('tr', {}, ...table.columns.map((name) => h('th', { scope: 'col', class: isNumber(name) ? 'number' : undefined }, HEADS[name] ?? capital(name))));
  const rows = table.rows.slice(0, ROWS_MAX).map((row) => h('tr', {}, ...row.map((value, at) => {
    const name = table.columns[at];
    return h('td', { class: isNumber(name) ? 'number' : `text ${name}` }, text(name, value));
  })));
  const more = table.rows.length - rows.length;
  const foot = more > 0 ? h('p', { class: 'note' }, `The first ${ROWS_MAX} of ${count(table.rows.length)}: all are in the CSV.`) : undefined;
  const scrolled = element.scrollTop;
  fill(element, h('table', {}, h('caption', { class: 'hidden' }, caption), h('thead', {}, head), h('tbody', {}, ...rows)), foot);
  element.scrollTop = scrolled;
}
