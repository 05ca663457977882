// Builds the page into ../assets: one script, one style sheet, each also compressed. What is written is committed, so that
// cargo alone builds the program. `--check` writes nothing and fails where the committed files are not these sources'.
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { feature } from 'topojson-client';

const here = dirname(fileURLToPath(import.meta.url));
const assets = join(here, '..', 'assets');
const require = createRequire(import.meta.url);
const isCheck = process.argv.includes('--check');

/** Rings that go across the date line, cut into a part on each side: the map would draw a line from edge to edge. */
function cut(ring) {
  let turn = 0;
  const whole = ring.map(([lon, lat], at) => {
    const before = at > 0 ? ring[at - 1][0] : lon;
    if (lon - before > 180) turn -= 360;
    if (lon - before < -180) turn += 360;
    return [lon + turn, lat];
  });
  if (whole.every(([lon]) => lon >= -180 && lon <= 180)) return [whole];
  return [-360, 0, 360]
    .map((shift) => clip(clip(whole.map(([lon, lat]) => [lon + shift, lat]), -180, 1), 180, -1))
    .filter((part) => part.length > 2);
}

/** What of a ring lies on one side of a meridian (Sutherland and Hodgman). */
function clip(ring, edge, side) {
  const isIn = ([lon]) => (lon - edge) * side >= 0;
  return ring.flatMap((to, at) => {
    const from = ring.at(at - 1);
    const share = (edge - from[0]) / (to[0] - from[0]);
    const crossing = [edge, from[1] + share * (to[1] - from[1])];
    if (isIn(from) === isIn(to)) return isIn(to) ? [to] : [];
    return isIn(to) ? [crossing, to] : [crossing];
  });
}

/** The outline of the land, to a tenth of a degree: the map is a few hundred pixels wide. Without Antarctica. */
function land() {
  const topology = JSON.parse(readFileSync(require.resolve('world-atlas/land-110m.json')));
  const collection = feature(topology, topology.objects.land);
  const round = (part) => (typeof part === 'number' ? Math.round(part * 10) / 10 : part.map(round));
  const polygons = collection.features
    .flatMap(({ geometry }) => (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates))
    .filter(([outer]) => outer.some(([, lat]) => lat > -60))
    .flatMap(([outer, ...holes]) => cut(outer).map((part) => [part, ...holes]))
    .map(round);
  return {
    type: 'FeatureCollection',
    features: [{ type: 'Feature', properties: { name: 'land' }, geometry: { type: 'MultiPolygon', coordinates: polygons } }],
  };
}

/** `import land from 'ufo:land'` */
const landPlugin = {
  name: 'land',
  setup(build) {
    build.onResolve({ filter: /^ufo:land$/ }, () => ({ path: 'land', namespace: 'ufo' }));
    build.onLoad({ filter: /.*/, namespace: 'ufo' }, () => ({ contents: JSON.stringify(land()), loader: 'json' }));
  },
};

async function bundled(entry, format) {
  const result = await esbuild.build({
    entryPoints: [join(here, 'src', entry)],
    bundle: true,
    minify: true,
    write: false,
    format,
    target: ['es2022'],
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [landPlugin],
  });
  return Buffer.from(result.outputFiles[0].contents);
}

/** The licences of what is in the bundle. */
function licences() {
  const text = (path) => readFileSync(join(here, 'node_modules', path), 'utf8').trim();
  return [
    'What is in app.js beside our own code.',
    `== Apache ECharts ==\n\n${text('echarts/NOTICE')}\n\n${text('echarts/LICENSE')}`,
    `== zrender ==\n\n${text('zrender/LICENSE')}`,
    `== tslib ==\n\n${text('tslib/LICENSE.txt')}`,
    `== world-atlas ==\n\nThe data are Natural Earth's, in the public domain.\n\n${text('world-atlas/LICENSE')}`,
  ].join('\n\n').concat('\n');
}

function put(name, bytes) {
  const forms = {
    [name]: bytes,
    [`${name}.gz`]: gzipSync(bytes, { level: 9 }),
    [`${name}.br`]: brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  };
  for (const [file, content] of Object.entries(forms)) {
    const path = join(assets, file);
    const isSame = existsSync(path) && readFileSync(path).equals(content);
    if (isCheck && !isSame && file === name) {
      console.error(`${file} is not what the sources give: run npm run build`);
      process.exitCode = 1;
    } else if (!isCheck && !isSame) {
      writeFileSync(path, content);
    }
  }
  console.log(`${name}: ${bytes.length} bytes, br ${forms[`${name}.br`].length}`);
}

put('app.js', await bundled('main.js', 'esm'));
put('app.css', await bundled('style.css'));
put('index.html', readFileSync(join(here, 'src', 'index.html')));
put('icon.svg', readFileSync(join(here, 'src', 'icon.svg')));
put('licences.txt', Buffer.from(licences()));
