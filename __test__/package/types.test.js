'use strict';

// The types of the published package beside each @types/node.

const test = require('ava');
const fs = require('node:fs');
const path = require('node:path');

const ts = require('@tsd/typescript');
const { default: tsd } = require('tsd');

const { MAIN, publish } = require('./helpers/published');

const published = publish(test);

const SOURCES = path.join(__dirname, 'types');
// Below this folder, so that tsd and its TypeScript are found from it; a folder of its own for each test.
const WORK = path.join(__dirname, '.cache/types');

function project(major, name) {
  const dir = path.join(WORK, `${name}-${major}`);
  fs.rmSync(dir, { recursive: true, force: true });
  fs.mkdirSync(path.join(dir, 'node_modules/@types'), { recursive: true });
  fs.symlinkSync(
    path.join(__dirname, 'node_modules', `types-node-${major}`),
    path.join(dir, 'node_modules/@types/node'),
  );
  fs.cpSync(published.staged[MAIN].folder, path.join(dir, 'node_modules', MAIN), { recursive: true });
  fs.writeFileSync(
    path.join(dir, 'package.json'),
    JSON.stringify({ name: 'types', type: 'module', types: 'index.d.ts', files: ['index.d.ts'] }),
  );
  fs.writeFileSync(path.join(dir, 'index.d.ts'), `export * from '${MAIN}'\n`);
  fs.copyFileSync(path.join(SOURCES, 'additions.test-d.ts'), path.join(dir, 'index.test-d.ts'));
  const uses = fs.readFileSync(path.join(SOURCES, 'uses.ts'), 'utf8');
  fs.writeFileSync(path.join(dir, 'builtin.ts'), uses);
  fs.writeFileSync(path.join(dir, 'ours.ts'), uses.replaceAll(`'node:child_process'`, `'${MAIN}'`));
  return dir;
}

/** What TypeScript says of `files`, and the declarations it infers, by name. */
function compile(dir, files) {
  const options = {
    declaration: true,
    emitDeclarationOnly: true,
    esModuleInterop: true,
    exactOptionalPropertyTypes: true,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
    typeRoots: [path.join(dir, 'node_modules/@types')],
  };
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => dir;
  const program = ts.createProgram(
    files.map((file) => path.join(dir, file)),
    options,
    host,
  );
  const declarations = {};
  program.emit(undefined, (file, text) => {
    declarations[path.basename(file)] = text;
  });
  const diagnostics = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file ? `${path.basename(file.fileName)}:${file.getLineAndCharacterOfPosition(start).line + 1}: ` : '';
    return line + ts.flattenDiagnosticMessageText(messageText, '\n');
  });
  return { declarations, diagnostics };
}

for (const major of ['20', '22', '24', '26']) {
  test(`@types/node ${major}: what type-checks with the builtin does with ours, and is inferred the same`, (t) => {
    const { declarations, diagnostics } = compile(project(major, 'uses'), ['builtin.ts', 'ours.ts']);
    t.deepEqual(diagnostics, []);
    const unnamed = (text) =>
      text.replaceAll(/(["'])(node:child_process|child_process|child-process-rs)\1/g, '"child_process"');
    t.regex(declarations['builtin.d.ts'], /ipi: .*ChildProcessByStdio<null, .*Readable, null>/);
    t.is(unnamed(declarations['ours.d.ts']), unnamed(declarations['builtin.d.ts']));
  });
}

// The oldest and the newest: between them the builtin's declarations have moved from one specifier to the other.
for (const major of ['20', '26']) {
  test(`@types/node ${major}: what is added, and nothing is taken away`, async (t) => {
    const cwd = project(major, 'additions');
    const diagnostics = await tsd({ cwd, typingsFile: 'index.d.ts', testFiles: ['index.test-d.ts'] });
    t.deepEqual(
      diagnostics.map(({ fileName, line, message }) => `${path.basename(fileName)}:${line}: ${message}`),
      [],
    );
  });
}
