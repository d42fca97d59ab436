'use strict';

// A program that uses the package, bundled as docs/troubleshooting.md says: the package stays outside the bundle.

const test = require('ava');
const path = require('node:path');
const { promisify } = require('node:util');

const { MAIN, installs, nodes, publish } = require('./helpers/published');

const published = publish(test);

const PROGRAM = `
import { execFileSync, isNative } from '${MAIN}';
import { execFile } from '${MAIN}/promises';
execFile('echo', ['a promise']).then(({ stdout }) => {
  console.log(isNative, execFileSync('echo', ['at once'], { encoding: 'utf8' }).trim(), stdout.trim());
});
`;

const EXTERNAL = /^child-process-rs/;

// Each bundles `entry` into the file `out`.
const BUNDLERS = {
  esbuild: (entry, out) =>
    require('esbuild').build({
      entryPoints: [entry],
      outfile: out,
      bundle: true,
      platform: 'node',
      external: [MAIN],
    }),

  rollup: async (entry, out) => {
    const bundle = await require('rollup').rollup({ input: entry, external: [EXTERNAL] });
    await bundle.write({ file: out, format: 'es' });
  },

  vite: async (entry, out) => {
    const { build } = await import('vite');
    await build({
      configFile: false,
      logLevel: 'silent',
      root: path.dirname(entry),
      build: {
        ssr: entry,
        outDir: path.dirname(out),
        emptyOutDir: false,
        rollupOptions: { external: [EXTERNAL], output: { entryFileNames: path.basename(out) } },
      },
    });
  },

  webpack: async (entry, out) => {
    const { webpack } = require('webpack');
    const stats = await promisify(webpack)({
      entry,
      mode: 'production',
      target: 'node',
      externalsType: 'commonjs',
      externals: EXTERNAL,
      output: { path: path.dirname(out), filename: path.basename(out) },
    });
    if (stats.hasErrors()) throw new Error(stats.toString());
  },
};

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  test(`a program bundled by ${name}`, async (t) => {
    const made = published.machine(t, { node: nodes[24] });
    await installs(t, made, MAIN);
    const entry = made.write('app.mjs', PROGRAM);
    const out = path.join(made.project, ['rollup', 'vite'].includes(name) ? 'out.mjs' : 'out.cjs');
    await bundle(entry, out);
    t.is((await made.run(out)).output, 'true at once a promise\n');
  });
}
