// The form above the charts. What it says is the address; the address changes it.
import { byId, fill, h, say } from './dom.js';
import { change, current } from './filter.js';
import { capital, country } from './format.js';

let known = '';

function options(select, first, values, name) {
  // A list that changes under an open menu would close it.
  const chosen = current()[select.name] ?? '';
  const all = chosen && !values.includes(chosen) ? [...values, chosen] : values;
  const named = all.map((value) => [value, name(value)]).sort((left, right) => left[1].localeCompare(right[1]));
  fill(select, h('option', { value: '' }, first), ...named.map(([value, text]) => h('option', { value }, text)));
  select.value = chosen;
}

/** What can be chosen now. */
export function offer(choices) {
  const [countries, shapes] = [choices.countries, choices.shapes].map((all) => all.map(([value]) => value));
  const signature = JSON.stringify([[...countries].sort(), [...shapes].sort(), choices.years]);
  if (signature === known || byId('filters').contains(document.activeElement) && document.activeElement.tagName === 'SELECT') return;
  known = signature;
  options(byId('country'), 'All countries', countries, country);
  options(byId('shape'), 'All shapes', shapes, capital);
  if (choices.years) {
    byId('from').placeholder = String(choices.years[0]);
    byId('to').placeholder = String(choices.years[1]);
  }
}

/** Shows what the address says. */
export function show() {
  const filter = current();
  for (const name of ['country', 'shape']) {
    const select = byId(name);
    const value = filter[name] ?? '';
    if (value && ![...select.options].some((option) => option.value === value)) {
      select.append(h('option', { value }, name === 'country' ? country(value) : capital(value)));
    }
    select.value = value;
  }
  for (const name of ['from', 'to']) byId(name).value = filter[name] ?? '';
  byId('clear').hidden = Object.keys(filter).length === 0;
  say(byId('problem'), '');
}

/** The filter in words. */
export function words() {
  const { country: of, shape, from, to } = current();
  const years = from === to && from ? from : from && to ? `${from} to ${to}` : from ? `from ${from}` : to ? `to ${to}` : '';
  return [of && country(of), shape && capital(shape), years].filter(Boolean).join(', ') || 'all sightings';
}

export function start(changed) {
  const form = byId('filters');
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', () => {
    const parts = Object.fromEntries(['country', 'shape', 'from', 'to'].map((name) => [name, byId(name).value]));
    const bad = ['from', 'to'].find((name) => !byId(name).checkValidity());
    if (bad) return say(byId('problem'), 'A year is a number from 1 to 9999.');
    if (parts.from && parts.to && Number(parts.from) > Number(parts.to)) return say(byId('problem'), 'The first year is after the last.');
    if (change(parts)) changed();
    return undefined;
  });
  form.addEventListener('reset', (event) => {
    event.preventDefault();
    if (change({ country: '', shape: '', from: '', to: '' })) changed();
    byId('country').focus();
  });
  addEventListener('popstate', changed);
}
