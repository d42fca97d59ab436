'use strict';

// A package registry that knows the staged packages and nothing else: npm installs from it as it does from the real
// one, its choice among the platforms' packages included, and asks nobody outside.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

function described({ manifest, tarball }, origin) {
  const integrity = `sha512-${createHash('sha512').update(fs.readFileSync(tarball)).digest('base64')}`;
  const dist = { integrity, tarball: `${origin}/-/${path.basename(tarball)}` };
  const { name, version } = manifest;
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, hasInstallScript: 'install' in (manifest.scripts ?? {}), dist } },
  };
}

/** Serves `staged`; resolves with its origin and a function that ends it. */
async function serve(staged) {
  const server = http.createServer((request, response) => {
    const origin = `http://${request.headers.host}`;
    const name = decodeURIComponent(request.url.slice(1));
    const file = Object.values(staged).find(({ tarball }) => name === `-/${path.basename(tarball)}`);
    if (file) fs.createReadStream(file.tarball).pipe(response);
    else if (Object.hasOwn(staged, name)) response.end(JSON.stringify(described(staged[name], origin)));
    else response.writeHead(404).end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}

module.exports = { serve };
