// Horizontal bars, the largest first: countries, shapes, places.
import { categoryAxis, tip, valueAxis } from '../draw.js';
import { capital, count, country, duration, placeName, short } from '../format.js';
import { palette } from '../theme.js';

const ROWS = 12;

/** `rows`: name, value, and whether it is marked, dimmed or home; `under` is drawn wider and paler behind. */
function bars({ rows, label, axis, tooltip, names }) {
  const colours = palette();
  const isSmall = innerWidth < 480;
  const fill = (row) => (row.isHome ? colours.home : row.isDim ? colours.muted : colours.accent);
  const series = [{
    type: 'bar',
    barMaxWidth: 16,
    z: 3,
    data: rows.map((row) => ({ value: row.value, itemStyle: { color: fill(row), borderRadius: [0, 3, 3, 0] } })),
    label: { show: true, position: 'right', color: colours.soft, fontSize: 12, formatter: ({ dataIndex }) => label(rows[dataIndex]) },
  }];
  if (rows.some((row) => row.under !== undefined)) {
    series[0].label = { show: false };
    series.push({
      type: 'bar',
      barMaxWidth: 16,
      barGap: '-100%',
      z: 2,
      data: rows.map((row) => ({ value: row.under, itemStyle: { color: colours.muted, borderRadius: [0, 3, 3, 0] } })),
      label: { show: true, position: 'right', color: colours.soft, fontSize: 12, formatter: ({ dataIndex }) => label(rows[dataIndex]) },
    });
  }
  return {
    grid: { left: 4, right: isSmall ? 64 : 84, top: 4, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: valueAxis({ splitNumber: 3, ...axis }),
    yAxis: categoryAxis({
      inverse: true,
      data: rows.map((row) => row.name),
      axisLine: { show: false },
      axisLabel: { color: colours.ink, fontSize: 12.5, width: isSmall ? 92 : 132, overflow: 'truncate', ...names },
    }),
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow', shadowStyle: { opacity: 0.15 } }, formatter: ([at]) => tooltip(rows[at.dataIndex]) },
    series,
  };
}

export const COUNTRY_MEASURES = {
  count: 'How many',
  longest: 'Longest',
  total: 'Total time',
};

/** Columns: country, count, longest, longest plausible, mean, mean plausible, total, rank, total plausible, rank. */
export function countries(table, { filter, home, measure }) {
  const of = {
    count: (row) => [row[1], undefined, count(row[1])],
    longest: (row) => [row[3], row[2], duration(row[2])],
    total: (row) => [row[8], row[6], `${duration(row[6], 1)}  #${row[7]}`],
  }[measure];
  const column = { count: 1, longest: 2, total: 6 }[measure];
  const sorted = [...table.rows].sort((left, right) => (right[column] ?? 0) - (left[column] ?? 0));
  const shown = sorted.slice(0, ROWS);
  const own = sorted.find((row) => row[0] === home);
  if (own && !shown.includes(own)) shown.push(own);
  const rows = shown.map((row) => {
    const [value, under, text] = of(row);
    return {
      name: country(row[0]), row, value, under, text,
      isHome: row[0] === home,
      isDim: filter.country && filter.country !== (row[0] ?? 'unknown'),
      choose: { country: row[0] ?? 'unknown' },
    };
  });
  const isTime = measure !== 'count';
  return {
    rows,
    option: bars({
      rows,
      label: (row) => row.text,
      // From seconds to years: only a logarithm shows them side by side.
      axis: measure === 'longest'
        ? { type: 'log', min: 1000, axisLabel: { show: false } }
        : { axisLabel: { formatter: (value) => (isTime ? duration(value, 1) : short(value)), hideOverlap: true, color: palette().soft } },
      tooltip: ({ row }) => tip(
        country(row[0]),
        ['Sightings', count(row[1])],
        ['Longest', duration(row[2])],
        ['Longest, at most 7 days', duration(row[3])],
        ['Total time', `${duration(row[6])} (rank ${row[7]})`],
        ['Total of those up to 7 days', `${duration(row[8])} (rank ${row[9]})`],
      ),
    }),
    summary: rows.slice(0, 3).map((row) => `${row.name} ${row.text}`).join(', '),
  };
}

export function shapes(table, { filter }) {
  const all = table.rows.reduce((sum, row) => sum + row[1], 0);
  const rows = table.rows.slice(0, ROWS + 2).map((row) => ({
    name: capital(row[0]), row, value: row[1], isDim: filter.shape && filter.shape !== row[0], choose: { shape: row[0] },
  }));
  return {
    rows,
    option: bars({
      rows,
      label: ({ row }) => count(row[1]),
      axis: { axisLabel: { formatter: short, color: palette().soft, hideOverlap: true } },
      tooltip: ({ row }) => tip(capital(row[0]), ['Sightings', count(row[1])], ['Share', `${((100 * row[1]) / all).toFixed(1)} %`]),
    }),
    summary: rows.slice(0, 3).map((row) => `${row.name} ${count(row.value)}`).join(', '),
  };
}

export function places(table, { home }) {
  const rows = table.rows.slice(0, ROWS + 2).map((row) => ({
    name: placeName(row[0], row[1], row[2]), row, value: row[3], isHome: false, choose: row[0] ? { country: row[0] } : undefined,
  }));
  return {
    rows,
    option: bars({
      rows,
      label: ({ row }) => count(row[3]),
      axis: { axisLabel: { formatter: short, color: palette().soft, hideOverlap: true } },
      names: { width: innerWidth < 480 ? 120 : 170 },
      tooltip: ({ row, name }) => tip(name, ['Sightings', count(row[3])], row[0] === home ? ['', 'home'] : undefined),
    }),
    summary: rows.slice(0, 3).map((row) => `${row.name} ${count(row.value)}`).join(', '),
  };
}
