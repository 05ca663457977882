// The map: H3 cells over the outline of the land, coloured by the logarithm of their count.
import { tip } from '../draw.js';
import { count } from '../format.js';
import { palette } from '../theme.js';

/** Outlines by cell, as they were sent: longitude and latitude in turn. */
const outlines = new Map();

export const learn = (cells) => cells.forEach(([cell, points]) => outlines.set(cell, points));

/** The step of the ramp for a count; the lightest step of all would be lost on the land. */
const step = (value, max, steps) => (max <= 1 ? steps - 1 : Math.min(steps - 1, 1 + Math.floor(((steps - 1) * Math.log(value)) / Math.log(max + 1))));

export const view = { zoom: 1, center: [0, 14] };

export function map(table) {
  const colours = palette();
  const rows = table.rows.filter((row) => outlines.has(row[0]));
  const max = Math.max(1, ...rows.map((row) => row[1]));
  const steps = colours.ramp.length;
  const edge = (at) => Math.ceil(Math.exp((at * Math.log(max + 1)) / (steps - 1)));
  const legend = [];
  for (let at = 0; at < steps - 1; at += 1) {
    const text = at === 0 ? '1' : count(edge(at));
    if (legend.at(-1)?.[0] !== text) legend.push([text, colours.ramp[at + 1]]);
  }
  return {
    rows: [],
    legend: rows.length ? legend : [],
    option: {
      geo: {
        map: 'land',
        roam: view.zoom > 1 ? 'move' : false,
        zoom: view.zoom,
        center: view.center,
        aspectScale: 0.82,
        top: 0, bottom: 0, left: 0, right: 0,
        boundingCoords: [[-180, 84], [180, -56]],
        silent: true,
        itemStyle: { areaColor: colours.land, borderColor: colours.coast, borderWidth: 0.6 },
      },
      tooltip: {
        formatter: ({ dataIndex }) => {
          const [cell, sightings, lat, lon] = rows[dataIndex];
          const at = `${Math.abs(lat).toFixed(1)}° ${lat < 0 ? 'S' : 'N'}, ${Math.abs(lon).toFixed(1)}° ${lon < 0 ? 'W' : 'E'}`;
          return tip(at, ['Sightings', count(sightings)], ['H3 cell', cell]);
        },
      },
      series: [{
        type: 'custom',
        coordinateSystem: 'geo',
        animation: false,
        data: rows.map((row) => [row[3], row[2], row[1]]),
        renderItem: (params, api) => {
          const row = rows[params.dataIndexInside] ?? rows[params.dataIndex];
          if (!row) return undefined;
          const flat = outlines.get(row[0]);
          const points = [];
          for (let at = 0; at < flat.length; at += 2) points.push(api.coord([flat[at], flat[at + 1]]));
          const fill = colours.ramp[step(row[1], max, steps)];
          return { type: 'polygon', shape: { points }, style: { fill, stroke: fill, lineWidth: 0.5 }, emphasis: { style: { stroke: colours.ink, lineWidth: 1.5 } } };
        },
      }],
    },
    summary: `${count(rows.length)} cells, up to ${count(max)} sightings in one`,
  };
}
