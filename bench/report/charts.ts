/** Charts of the report, as SVG by echarts. The same results give the same bytes. */
import * as echarts from 'echarts';
import { majorOf, type Result, type ResultRow } from '../run/result.ts';

export interface Chart {
  name: string;
  title: string;
  svg: string;
}

const WIDTH = 900;
const TEXT = { fontFamily: 'sans-serif', fontSize: 12, color: '#333' };

function draw(height: number, option: echarts.EChartsCoreOption): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, backgroundColor: '#fff', textStyle: TEXT, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  // its class and clip names count the charts and elements of the process
  const names = new Map<string, string>();
  return `${svg.replace(/zr\d+-[a-z]+-?\d*/g, (name) => {
    if (!names.has(name)) names.set(name, `c${names.size}`);
    return names.get(name)!;
  })}\n`;
}

/** Bars of ratios, one a row and Node, with a mark where the goal is. */
function ratios(rows: readonly ResultRow[], results: readonly Result[], axis = 'times as fast'): string {
  const ids = [...rows].reverse();
  const figureOf = (result: Result, id: string) => result.rows.find((row) => row.id === id)?.value;
  const series = results.map((result) => ({
    name: `Node ${majorOf(result)}`,
    type: 'bar',
    data: ids.map(({ id }) => Number(figureOf(result, id)?.toFixed(2) ?? Number.NaN)),
  }));
  const goals = {
    name: 'goal',
    type: 'scatter',
    symbol: 'diamond',
    symbolSize: 11,
    itemStyle: { color: '#c0392b' },
    data: ids.map(({ goal }) => goal ?? Number.NaN),
  };
  return draw(90 + ids.length * (18 + 9 * results.length), {
    grid: { left: 440, right: 30, top: 40, bottom: 40 },
    legend: { top: 8 },
    xAxis: {
      type: 'value',
      name: axis,
      nameLocation: 'middle',
      nameGap: 26,
      axisLine: { show: true },
    },
    yAxis: { type: 'category', data: ids.map(({ title }) => title), axisTick: { show: false } },
    series: ids.some(({ goal }) => goal !== undefined) ? [...series, goals] : series,
  });
}

/** Nanoseconds of a get by number of entries. */
function growth(result: Result): string {
  const rows = result.rows.filter(({ id, sides }) => /^growth-\d+$/.test(id) && sides);
  const entries = rows.map(({ id }) => Number(id.slice('growth-'.length)).toLocaleString('en'));
  const series = (['cairn', 'rival'] as const).map((side) => ({
    name: side === 'cairn' ? 'Cairn' : 'Map',
    type: 'line',
    data: rows.map(({ sides }) => Math.round(sides![side])),
  }));
  return draw(320, {
    grid: { left: 70, right: 30, top: 40, bottom: 50 },
    legend: { top: 8 },
    xAxis: { type: 'category', data: entries, name: 'entries', nameLocation: 'middle', nameGap: 30 },
    yAxis: { type: 'value', name: 'ns a get' },
    series,
  });
}

export function chartsOf(results: readonly Result[]): Chart[] {
  const main = results.find((result) => majorOf(result) === 24) ?? results.at(-1)!;
  const duels = main.rows.filter(({ suite, unit }) => suite === 'duels' && unit === 'ratio');
  const beside = duels.filter(({ rival }) => rival?.package === 'lru-cache');
  const charts: Chart[] = [];
  if (beside.length > 0) {
    charts.push({ name: 'beside-lru-cache', title: 'Beside lru-cache', svg: ratios(beside, results) });
  }
  const codec = main.rows.filter(({ suite }) => suite === 'codec');
  if (codec.length > 0) {
    charts.push({ name: 'codec', title: 'The structured codec beside JSON', svg: ratios(codec, results) });
  }
  const threads = main.rows.filter(({ suite }) => suite === 'threads');
  if (threads.length > 0) {
    const axis = 'scaling from one thread to two, over that of two threads with a Map each';
    charts.push({ name: 'threads', title: 'Two threads', svg: ratios(threads, results, axis) });
  }
  if (main.rows.some(({ id }) => /^growth-\d+$/.test(id))) {
    charts.push({ name: 'growth', title: `A get as entries grow, Node ${majorOf(main)}`, svg: growth(main) });
  }
  return charts;
}
