// ECharts with what is used of it, and how every chart here looks.
import { BarChart, CustomChart, HeatmapChart, LineChart } from 'echarts/charts';
import { GeoComponent, GridComponent, TooltipComponent, VisualMapComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import land from 'ufo:land';
import { h } from './dom.js';
import { calm, palette } from './theme.js';

echarts.use([BarChart, CustomChart, HeatmapChart, LineChart, GeoComponent, GridComponent, TooltipComponent, VisualMapComponent, CanvasRenderer]);
echarts.registerMap('land', land);

export const chartOn = (element) => echarts.init(element, null, { renderer: 'canvas' });

/** Draws an option with what all charts have in common. */
export function draw(chart, option) {
  const colours = palette();
  chart.setOption({
    animation: !calm.matches,
    animationDuration: 250,
    animationDurationUpdate: 200,
    textStyle: { fontFamily: colours.font, color: colours.ink },
    ...option,
    tooltip: option.tooltip && {
      confine: true,
      backgroundColor: colours.panel,
      borderColor: colours.line,
      padding: [8, 12],
      textStyle: { color: colours.ink, fontSize: 13 },
      transitionDuration: 0,
      ...option.tooltip,
    },
  }, { replaceMerge: ['series'] });
}

/** A tooltip: elements, never HTML, since names in it come from the data. */
export function tip(title, ...lines) {
  const rows = lines.filter(Boolean).map(([name, value]) => h('div', { class: 'tip-row' }, h('span', {}, name), h('b', {}, value)));
  return h('div', { class: 'tip' }, h('strong', {}, title), ...rows);
}

export const categoryAxis = (extra = {}) => {
  const { soft, line } = palette();
  return {
    type: 'category',
    axisTick: { show: false },
    axisLine: { lineStyle: { color: line } },
    axisLabel: { color: soft, fontSize: 12 },
    ...extra,
  };
};

export const valueAxis = (extra = {}) => {
  const { soft, line } = palette();
  return {
    type: 'value',
    splitNumber: 4,
    axisLine: { show: false },
    axisLabel: { color: soft, fontSize: 12, hideOverlap: true },
    splitLine: { lineStyle: { color: line } },
    ...extra,
  };
};
