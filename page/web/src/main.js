// The page: filters, figures and cards, brought up to date by what the server sends.
import { Card, choice, mount } from './card.js';
import { COUNTRY_MEASURES, countries, places, shapes } from './charts/bars.js';
import { learn, map, view } from './charts/map.js';
import { domestic, hours, months, rate, seasons, timeline } from './charts/when.js';
import { byId, h, say } from './dom.js';
import * as figures from './figures.js';
import { change, current, query } from './filter.js';
import * as filters from './filters.js';
import { count, country } from './format.js';
import { follow } from './stream.js';
import * as theme from './theme.js';

const STATES = { connecting: 'Connecting', live: 'Live', away: 'Not connected: trying again' };
const HISTORY_MAX = 240;
/** A scroll or a drag that changes the map's place on the page is not worth a redraw more often than this. */
const RESIZE_PAUSE = 150;

const data = {};
const context = { filter: current(), home: null, measure: 'count' };
let isNewFilter = false;

const choose = (parts) => {
  const filter = current();
  // A second click on what is chosen lets it go.
  const isChosen = Object.entries(parts).every(([name, value]) => filter[name] === String(value));
  const next = isChosen ? Object.fromEntries(Object.keys(parts).map((name) => [name, ''])) : parts;
  if (change(next)) refilter();
};

const measure = choice('What is compared', COUNTRY_MEASURES, 'count', (value) => {
  context.measure = value;
  cards.countries.again();
});
const zoom = h('div', { class: 'choice map-zoom', role: 'group', 'aria-label': 'Map section' }, ...[
  ['World', { zoom: 1, center: [0, 14] }], ['North America', { zoom: 3.4, center: [-98, 42] }],
  ['Europe', { zoom: 5, center: [8, 51] }], ['Asia', { zoom: 2.6, center: [100, 30] }], ['Oceania', { zoom: 4, center: [146, -30] }],
].map(([name, section]) => h('button', {
  type: 'button', 'aria-pressed': String(name === 'World'),
  onclick: (event) => {
    for (const button of zoom.children) button.setAttribute('aria-pressed', String(button === event.currentTarget));
    Object.assign(view, section);
    cards.cells.again();
  },
}, name)));
const homeFigures = h('div', { class: 'home' });
const flowFigures = h('div', { class: 'flow' });
const metricsTable = h('div', { class: 'table', role: 'region', tabindex: '0', 'aria-label': 'Figures of this process' });
const metrics = h('details', { class: 'metrics', ontoggle: () => showMetrics() }, h('summary', {}, 'Everything that this process counts'), metricsTable);

const card = (name, title, about, build, rest = {}) => new Card({ name, title, about, build, choose, ...rest });
const cards = {
  cells: card('cells', 'Where in the world', 'Cells of some 12,000 km², stronger where more was seen', map, { size: 'two-thirds tall', controls: zoom }),
  timeline: card('timeline', 'How reports grew', 'Choose a year to look into it', timeline, { size: 'whole' }),
  countries: card('countries', 'By country', 'Longest and total time: pale with durations over seven days, full without', (table, at) => countries(table, at), { controls: measure }),
  shapes: card('shapes', 'What it looks like', 'As its witnesses describe it', shapes),
  months: card('months', 'Is there a season?', 'By month, northern and southern half of the world', months, { size: 'two-thirds' }),
  seasons: card('seasons', 'Season by hemisphere', 'July is winter in the south', seasons, { size: 'third' }),
  hours: card('hours', 'What time to look up', 'Hour of the week, local time of the report', hours),
  places: card('places', 'Where a sighting is most likely', 'The places with the most reports', places),
  domestic: card('domestic', 'At home', '', domestic, { controls: homeFigures, size: 'whole home-card' }),
  rate: card('rate', 'The pipeline at work', 'Rows per second, the last two minutes', rate, { controls: flowFigures, hasDownload: false, size: 'third flow-card' }),
};
const lists = {
  sightings: card('sightings', 'Newest sightings', 'As they came', () => ({}), { size: 'whole list' }),
  rejects: card('rejects', 'Newest rejects', 'What no stage understands is kept with its bytes, and never dropped', () => ({}), { size: 'whole list' }),
};

function showMetrics() {
  if (metrics.open && data.metrics) figures.metrics(metricsTable, data.metrics, data.flow?.rejects_by_code ?? []);
}

function showReading() {
  const parts = Object.entries(data.meta.reading).filter(([name]) => name !== 'counters').map(([, part]) => part);
  const [read, total] = ['read', 'total'].map((name) => parts.reduce((sum, part) => sum + part[name], 0));
  const bar = byId('reading');
  bar.hidden = total === 0 || read >= total;
  bar.value = total ? read / total : 0;
  return bar.hidden ? null : `Reading the log: ${Math.floor((100 * read) / total)} %`;
}

function showMeta() {
  context.home = data.meta.home;
  say(byId('domestic-title'), `At home: ${country(data.meta.home)}`);
  const generation = data.meta.generation === 'v1' ? '' : `, generation ${data.meta.generation}`;
  say(byId('source'), `Topics ${data.meta.prefix}.*${generation}. Filters count ${count(data.meta.sightings_kept)} sightings in memory.`);
}

function onUpdate(update) {
  Object.assign(data, update);
  if (update.outlines) learn(update.outlines);
  if (update.meta) showMeta();
  if (update.meta || state === 'live') onState('live');
  if (update.choices) filters.offer(update.choices);
  if (update.totals || update.flow) figures.headline(data.totals, data.flow);
  if (update.home || isNewFilter) figures.home(homeFigures, data.home);
  if (update.flow) showFlow(update);
  if (update.metrics) showMetrics();
  for (const [name, of] of Object.entries({ ...cards, ...lists })) {
    if (update[name]) of.update(update[name], context);
    else if (isNewFilter && of.table) of.again();
  }
  if (isNewFilter) {
    isNewFilter = false;
    byId('grid').removeAttribute('aria-busy');
    say(byId('announce'), `${filters.words()}: ${count(data.totals.sightings)} sightings`);
  }
}

function showFlow(update) {
  const history = data.history ?? [];
  if (!update.history && update.flow.at_ms > (history.at(-1)?.[0] ?? 0)) history.push([update.flow.at_ms, update.flow.rows_per_second]);
  data.history = history.slice(-HISTORY_MAX);
  figures.flow(flowFigures, data.flow, data.metrics);
  cards.rate.update({ history: data.history }, context);
}

let state = 'connecting';
function onState(next) {
  state = next;
  const status = byId('status');
  const reading = next === 'live' && data.meta ? showReading() : null;
  status.dataset.state = reading ? 'reading' : next;
  say(byId('status-text'), reading ?? STATES[next]);
}

function refilter() {
  context.filter = current();
  isNewFilter = true;
  byId('grid').setAttribute('aria-busy', 'true');
  filters.show();
  follow(query(), { onUpdate, onState });
}

mount([cards.cells, cards.rate, cards.timeline, cards.countries, cards.shapes, cards.months, cards.seasons, cards.domestic, cards.hours, cards.places, lists.sightings, lists.rejects].map((of) => of.element));
cards.rate.element.append(metrics);
Object.values(lists).forEach((list) => { list.flip(); list.toggle.remove(); });
theme.start(byId('theme'), () => Object.values(cards).forEach((of) => of.again()));
let resizing;
addEventListener('resize', () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => Object.values(cards).forEach((of) => of.again()), RESIZE_PAUSE);
});
filters.start(refilter);
refilter();
