// A card: a heading, a chart, the same as a table, a download. It draws when it is in sight and when its data have changed.
import { byId, fill, h, say } from './dom.js';
import { chartOn, draw } from './draw.js';
import { query } from './filter.js';
import { show } from './table.js';

const inSight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.card.isInSight = isIntersecting;
    target.card.paint();
  }
}, { rootMargin: '200px' });

const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => target.chart?.resize()));

/**
 * `name` is the chart's in the data and of its download; `build(table, context)` gives `option`, `summary`, and perhaps
 * `legend` and `rows` (whose `choose` a click applies).
 */
export class Card {
  constructor({ name, title, about, build, size = '', controls, choose, hasDownload = true }) {
    Object.assign(this, { name, title, build, choose, isInSight: false, isDirty: false, isTable: false, table: null, context: null });
    const id = `${name}-title`;
    this.canvas = h('div', { class: 'chart', role: 'img', 'aria-labelledby': id, 'aria-describedby': `${name}-summary` });
    this.rows = h('div', { class: 'table', role: 'region', tabindex: '0', 'aria-labelledby': id, hidden: true });
    this.legend = h('ul', { class: 'legend', 'aria-label': 'Legend' });
    this.note = h('p', { class: 'note' });
    this.summary = h('p', { class: 'hidden', id: `${name}-summary` });
    this.toggle = h('button', { class: 'ghost', type: 'button', 'aria-pressed': 'false', onclick: () => this.flip() }, 'Table');
    this.link = h('a', { class: 'ghost', download: '' , 'aria-label': `${title}: download as CSV` }, 'CSV');
    this.toggle.setAttribute('aria-label', `${title}: show as table`);
    this.element = h('section', { class: `card ${size}`, 'aria-labelledby': id, id: name },
      h('div', { class: 'card-head' },
        h('div', {}, h('h2', { id }, title), about && h('p', { class: 'about' }, about)),
        hasDownload && h('div', { class: 'tools' }, this.toggle, this.link)),
      controls, this.canvas, this.rows, this.legend, this.note, this.summary);
    this.element.card = this;
    inSight.observe(this.element);
  }

  flip() {
    this.isTable = !this.isTable;
    this.toggle.setAttribute('aria-pressed', String(this.isTable));
    this.canvas.hidden = this.isTable;
    this.rows.hidden = !this.isTable;
    this.legend.hidden = this.isTable;
    this.again();
  }

  update(table, context) {
    Object.assign(this, { table, context });
    this.again();
  }

  /** Other colours, another width, other data. */
  again() {
    this.isDirty = true;
    this.paint();
  }

  paint() {
    if (!this.isDirty || !this.isInSight || !this.table) return;
    this.isDirty = false;
    this.link.href = `/api/table/${this.name}.csv${query()}`;
    say(this.note, this.table.note ?? '');
    if (this.isTable) show(this.rows, this.table, this.title);
    else this.drawn();
  }

  drawn() {
    if (!this.chart) this.begin();
    const { option, summary, legend = [], rows = [] } = this.build(this.table, this.context);
    this.shown = rows;
    draw(this.chart, option);
    say(this.summary, `${summary}.`);
    fill(this.legend, ...legend.map(([name, colour]) => {
      const swatch = h('i', { 'aria-hidden': 'true' });
      swatch.style.background = colour;
      return h('li', {}, swatch, name);
    }));
  }

  begin() {
    this.chart = chartOn(this.canvas);
    this.canvas.chart = this.chart;
    resized.observe(this.canvas);
    this.chart.on('click', ({ dataIndex }) => this.pick(dataIndex));
    // The name beside a bar is easier to hit than a short bar.
    this.chart.getZr().on('click', ({ target, offsetX, offsetY }) => {
      if (target || !this.shown?.length) return;
      const at = this.chart.convertFromPixel({ gridIndex: 0 }, [offsetX, offsetY]);
      const index = Array.isArray(at) ? at.find((value) => Number.isInteger(value)) : undefined;
      if (index !== undefined) this.pick(index);
    });
  }

  pick(index) {
    const row = this.shown?.[index];
    if (row?.choose && this.choose) this.choose(row.choose);
  }
}

/** Buttons of which one is chosen. */
export function choice(label, options, first, changed) {
  const buttons = Object.entries(options).map(([value, text]) => h('button', {
    type: 'button', 'aria-pressed': String(value === first),
    onclick: (event) => {
      buttons.forEach((button) => button.setAttribute('aria-pressed', String(button === event.currentTarget)));
      changed(value);
    },
  }, text));
  return h('div', { class: 'choice', role: 'group', 'aria-label': label }, ...buttons);
}

export const mount = (cards) => byId('grid').append(...cards);
