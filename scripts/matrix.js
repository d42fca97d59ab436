'use strict'

// `npm run test:matrix`: the whole suite under each Node that is supported. The binaries come from npm (node-linux-<arch>), are kept in
// .cache/ and fetched once; the Node at hand serves for its own major version. Further arguments go to ava.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const ROOT = path.resolve(__dirname, '..')
const MAJORS = ['20', '22', '24', '26']
const AVA = path.join(ROOT, 'node_modules/ava/entrypoints/cli.mjs')

const majorOf = (version) => version.replace(/^v/, '').split('.')[0]

function run(file, args) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: 'inherit' })
    child.on('error', (error) => {
      console.error(String(error))
      resolve(1)
    })
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

async function nodeOf(major) {
  if (majorOf(process.version) === major) return process.execPath
  const name = `node-linux-${process.arch}`
  const prefix = path.join(ROOT, `.cache/node-${major}`)
  const binary = path.join(prefix, 'node_modules', name, 'bin/node')
  if (fs.existsSync(binary)) return binary
  console.log(`Fetching Node ${major} …`)
  fs.mkdirSync(prefix, { recursive: true })
  const code = await run('npm', ['install', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--prefix', prefix, `${name}@${major}`])
  if (code !== 0 || !fs.existsSync(binary)) throw new Error(`Node ${major} could not be fetched from npm`)
  return binary
}

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
