'use strict'

// `npm run test:matrix`: the whole suite under each Node that is supported. The binaries come from npm (node-linux-<arch>), are kept in
// .cache/ and fetched once; the Node at hand serves for its own major version. Further arguments go to ava.

const path = require('node:path')

const { ROOT, nodeOf, run } = require('./peers')

const MAJORS = ['20', '22', '24', '26']
const AVA = path.join(ROOT, 'node_modules/ava/entrypoints/cli.mjs')

async function main() {
  const results = []
  for (const [i, major] of MAJORS.entries()) {
    console.log(`\n── Node ${major} (${i + 1} of ${MAJORS.length}) ──`)
    const began = Date.now()
    let outcome
    try {
      outcome = (await run(await nodeOf(major), [AVA, ...process.argv.slice(2)])) === 0 ? 'passed' : 'FAILED'
    } catch (error) {
      outcome = `FAILED: ${error.message}`
    }
    results.push({ major, outcome, seconds: Math.round((Date.now() - began) / 1000) })
  }
  console.log('\n── Summary ──')
  for (const { major, outcome, seconds } of results) console.log(`Node ${major}  ${outcome}  (${seconds} s)`)
  process.exitCode = results.every(({ outcome }) => outcome === 'passed') ? 0 : 1
}

main()
