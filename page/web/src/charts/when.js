// When: months by hemisphere, seasons, the timeline, the hours of the week.
import { categoryAxis, tip, valueAxis } from '../draw.js';
import { DAYS, MONTHS, capital, count, short } from '../format.js';
import { palette } from '../theme.js';

/** So many years or fewer are shown by month. */
const MONTHLY_YEARS = 12;

const counts = (extra) => valueAxis({ axisLabel: { formatter: short, color: palette().soft, hideOverlap: true }, ...extra });
const grid = { left: 4, right: 12, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' };
const shadow = { type: 'shadow', shadowStyle: { opacity: 0.15 } };

const most = (rows, value) => rows.reduce((best, row) => (value(row) > value(best) ? row : best), rows[0]);

export function months(table) {
  const colours = palette();
  const isSplit = table.rows.some((row) => row[2] !== null);
  const halves = isSplit
    ? [['Northern half', 2, colours.north], ['Southern half', 3, colours.south], ['Not known', 4, colours.unknown]]
    : [['Sightings', 1, colours.accent]];
  const top = most(table.rows, (row) => row[1]);
  return {
    legend: isSplit ? halves.map(([name, , colour]) => [name, colour]) : [],
    option: {
      grid,
      xAxis: categoryAxis({ data: MONTHS }),
      yAxis: counts(),
      tooltip: {
        trigger: 'axis',
        axisPointer: shadow,
        formatter: ([at]) => {
          const row = table.rows[at.dataIndex];
          return tip(MONTHS[at.dataIndex], ['Sightings', count(row[1])], ...(isSplit ? halves.map(([name, column]) => [name, count(row[column])]) : []));
        },
      },
      series: halves.map(([name, column, color]) => ({
        name, type: 'bar', stack: 'all', barMaxWidth: 34, itemStyle: { color }, data: table.rows.map((row) => row[column]),
      })),
    },
    summary: `most in ${MONTHS[top[0] - 1]}, ${count(top[1])}`,
  };
}

export function seasons(table) {
  const colours = palette();
  const rows = table.rows.filter((row) => row[0] || row[1] > 0);
  const name = (row) => (row[0] ? capital(row[0]) : 'Not known');
  const top = most(table.rows, (row) => row[1]);
  return {
    option: {
      grid: { ...grid, top: 26 },
      xAxis: categoryAxis({ data: rows.map(name), axisLabel: { interval: 0, color: colours.soft, fontSize: 11.5 } }),
      yAxis: counts({ splitNumber: 3 }),
      tooltip: { trigger: 'axis', axisPointer: shadow, formatter: ([at]) => tip(name(rows[at.dataIndex]), ['Sightings', count(rows[at.dataIndex][1])]) },
      series: [{
        type: 'bar',
        barMaxWidth: 44,
        data: rows.map((row) => ({ value: row[1], itemStyle: { color: row[0] ? colours.accent : colours.unknown, borderRadius: [3, 3, 0, 0] } })),
        label: { show: true, position: 'top', color: colours.soft, fontSize: 12, formatter: ({ value }) => short(value) },
      }],
    },
    summary: `most in ${name(top)}, ${count(top[1])}`,
  };
}

export function timeline(table) {
  const colours = palette();
  const years = new Map();
  for (const [year, , sightings] of table.rows) years.set(year, (years.get(year) ?? 0) + sightings);
  const [first, last] = [Math.min(...years.keys()), Math.max(...years.keys())];
  if (!years.size) return { option: { series: [] }, rows: [], summary: 'no sightings' };
  const isMonthly = last - first < MONTHLY_YEARS;
  const rows = [];
  if (isMonthly) {
    const found = new Map(table.rows.map(([year, month, sightings]) => [year * 12 + month, sightings]));
    for (let at = first * 12 + 1; at <= last * 12 + 12; at += 1) {
      const [year, month] = [Math.floor((at - 1) / 12), ((at - 1) % 12) + 1];
      rows.push({ name: `${MONTHS[month - 1]} ${year}`, value: found.get(at) ?? 0, choose: { from: year, to: year } });
    }
  } else {
    for (let year = first; year <= last; year += 1) rows.push({ name: String(year), value: years.get(year) ?? 0, choose: { from: year, to: year } });
  }
  const top = rows.reduce((best, row) => (row.value > best.value ? row : best), rows[0]);
  return {
    rows,
    option: {
      grid,
      xAxis: categoryAxis({ data: rows.map((row) => row.name), boundaryGap: !isMonthly, axisLabel: { color: colours.soft, hideOverlap: true } }),
      yAxis: counts(),
      tooltip: { trigger: 'axis', axisPointer: isMonthly ? { type: 'line' } : shadow, formatter: ([at]) => tip(at.name, ['Sightings', count(at.value)]) },
      series: [isMonthly
        ? { type: 'line', showSymbol: false, lineStyle: { width: 2, color: colours.accent }, itemStyle: { color: colours.accent }, areaStyle: { color: colours.accent, opacity: 0.14 }, data: rows.map((row) => row.value) }
        : { type: 'bar', barCategoryGap: '18%', itemStyle: { color: colours.accent, borderRadius: [2, 2, 0, 0] }, data: rows.map((row) => row.value) }],
    },
    summary: `${first} to ${last}, most in ${top.name}, ${count(top.value)}`,
  };
}

export function hours(table) {
  const colours = palette();
  const values = table.rows.map((row) => row[2]);
  const max = Math.max(1, ...values);
  const top = most(table.rows, (row) => row[2]);
  const isSmall = innerWidth < 480;
  return {
    legend: [[`0`, colours.ramp[0]], [count(max), colours.ramp[6]]],
    option: {
      grid: { left: 4, right: 4, top: 4, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: categoryAxis({ data: [...Array(24).keys()].map(String), axisLine: { show: false }, axisLabel: { color: colours.soft, interval: isSmall ? 5 : 2, formatter: (hour) => `${hour} h` } }),
      yAxis: categoryAxis({ data: DAYS, inverse: true, axisLine: { show: false } }),
      visualMap: { show: false, min: 0, max, inRange: { color: colours.ramp } },
      tooltip: { formatter: ({ value: [hour, day, sightings] }) => tip(`${DAYS[day]}, ${hour}:00–${hour}:59`, ['Sightings', count(sightings)]) },
      series: [{
        type: 'heatmap',
        data: table.rows.map(([day, hour, sightings]) => [hour, day - 1, sightings]),
        itemStyle: { borderColor: colours.panel, borderWidth: 2, borderRadius: 3 },
        emphasis: { itemStyle: { borderColor: colours.ink } },
      }],
    },
    summary: `most on ${DAYS[top[0] - 1]} at ${top[1]} h, ${count(top[2])}`,
  };
}

/** A country's months, small. */
export function domestic(table) {
  const colours = palette();
  return {
    option: {
      grid: { ...grid, right: 4 },
      xAxis: categoryAxis({ data: MONTHS.map((name) => name[0]) }),
      yAxis: counts({ splitNumber: 2 }),
      tooltip: { trigger: 'axis', axisPointer: shadow, formatter: ([at]) => tip(MONTHS[at.dataIndex], ['Sightings', count(at.value)]) },
      series: [{ type: 'bar', barMaxWidth: 24, itemStyle: { color: colours.home, borderRadius: [2, 2, 0, 0] }, data: table.rows.map((row) => row[2]) }],
    },
    summary: table.rows.map((row) => `${MONTHS[row[1] - 1]} ${count(row[2])}`).join(', '),
  };
}

/** Rows per second of the last two minutes. `history`: when, how many. */
export function rate({ history }) {
  const colours = palette();
  return {
    option: {
      animation: false,
      grid: { left: 4, right: 8, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: { type: 'time', axisLabel: { show: false }, axisTick: { show: false }, axisLine: { lineStyle: { color: colours.line } }, splitLine: { show: false } },
      yAxis: counts({ min: 0, splitNumber: 2, minInterval: 1 }),
      tooltip: { trigger: 'axis', axisPointer: { type: 'line' }, formatter: ([at]) => tip(new Date(at.value[0]).toLocaleTimeString(), ['Rows per second', count(at.value[1])]) },
      series: [{ type: 'line', showSymbol: false, lineStyle: { width: 2, color: colours.accent }, itemStyle: { color: colours.accent }, areaStyle: { color: colours.accent, opacity: 0.14 }, data: history }],
    },
    summary: history.length ? `now ${count(history[history.length - 1][1])} rows per second` : 'nothing yet',
  };
}
