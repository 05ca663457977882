// Figures without a chart: the headline, the country called home, the pipeline's numbers.
import { byId, fill, h, say } from './dom.js';
import { bytes, count, country, duration, placeName } from './format.js';
import { change, current } from './filter.js';

const PROCESS_MEMORY = 'process_resident_memory_bytes';

/** Elements that stay: only their texts change. */
function tiles(into, entries) {
  if (!into.tiles) {
    into.tiles = entries.map(([name, , , kind]) => {
      const parts = { value: h('dd', { class: 'value' }), detail: h('dd', { class: 'detail' }), term: h('dt', {}, name) };
      parts.box = h('div', { class: `figure ${kind ?? ''}` }, parts.term, parts.value, parts.detail);
      return parts;
    });
    into.append(h('dl', { class: 'tiles' }, ...into.tiles.map((parts) => parts.box)));
  }
  entries.forEach(([name, value, detail], at) => {
    say(into.tiles[at].term, name);
    say(into.tiles[at].value, value);
    say(into.tiles[at].detail, detail ?? '');
  });
}

export function headline(totals, flow) {
  const outliers = totals.implausible;
  tiles(byId('figures'), [
    ['Sightings', count(totals.sightings), totals.note ?? `${count(totals.with_duration)} say how long`, 'main'],
    ['Countries', count(totals.countries), 'by name'],
    ['Longest sighting', duration(totals.max_duration_ms), `${duration(totals.max_plausible_ms)} of those up to 7 days`],
    ['Total time', duration(totals.total_duration_ms), `${duration(totals.total_plausible_ms)} without ${count(outliers)} over 7 days`],
    ['Duplicates', count(flow?.duplicates), 'of all rows, counted once'],
    ['Rejected', count(flow?.rejects), 'of all rows, kept as they came'],
    ['Late', count(flow?.late), 'of all rows, for their minute'],
  ]);
}

/** The card's own part, above its chart. */
export function home(element, data) {
  const share = data.all ? `${((100 * data.count) / data.all).toFixed(2)} % of all` : '';
  tiles(element, [
    ['Sightings', count(data.count), share],
    ['Rank', data.rank ? `#${data.rank}` : '–', `of ${data.countries} countries`],
    ['Total time', duration(data.total_duration_ms), data.total_rank ? `rank #${data.total_rank}` : ''],
    ['Longest', duration(data.max_duration_ms), `${duration(data.max_plausible_ms)} of those up to 7 days`],
  ]);
  const places = data.places.map(([state, city, sightings]) => h('li', {}, h('span', {}, placeName(null, state, city)), h('b', {}, count(sightings))));
  const isChosen = current().country === data.country;
  const look = h('button', { class: 'ghost', type: 'button', disabled: isChosen, onclick: () => { if (change({ country: data.country })) dispatchEvent(new PopStateEvent('popstate')); } },
    isChosen ? 'Every chart shows it' : `Show ${country(data.country)} in every chart`);
  const parts = JSON.stringify([data.places, isChosen]);
  if (element.parts === parts) return;
  element.parts = parts;
  element.rest ??= element.appendChild(h('div', { class: 'home-rest' }));
  fill(element.rest, places.length ? h('ol', { class: 'ranking', 'aria-label': 'Most likely places' }, ...places) : h('p', { class: 'note' }, 'No sightings yet.'), look);
}

export function flow(element, data, metrics) {
  const memory = metrics?.find(([name]) => name === PROCESS_MEMORY)?.[2];
  tiles(element, [
    ['Rows handled', count(data.rows), `${count(data.sightings)} sightings`],
    ['Rows per second', count(data.rows_per_second), 'over the last 3 s'],
    ['Waiting', data.lag === null ? 'not told' : count(data.lag), data.lag === null ? 'ask the broker for its lag' : 'rows not handled yet'],
    ['Commits per second', data.commits_per_second.toFixed(1), `${count(data.commits)} since the page began`],
    ['State', bytes(data.ids * 16), `${count(data.ids)} ids, ${count(data.keys)} keys`],
    ['Memory', memory ? bytes(Number(memory)) : '–', 'of this process'],
  ]);
}

/** Everything that the process counts, folded away. */
export function metrics(element, data, codes) {
  const rows = data.map(([name, labels, value]) => h('tr', {}, h('td', {}, name), h('td', {}, labels.replaceAll('"', '')), h('td', { class: 'number' }, count(Number(value)))));
  const why = codes.map(([code, number]) => h('tr', {}, h('td', {}, 'rejects read'), h('td', {}, `code=${code}`), h('td', { class: 'number' }, count(number))));
  fill(element, h('table', {}, h('caption', { class: 'hidden' }, 'Figures of this process'), h('tbody', {}, ...why, ...rows)));
}
