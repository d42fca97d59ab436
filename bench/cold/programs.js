'use strict';

// What a program that uses child_process once does: `module` is the module that it requires, `cp` what that exports.

const programs = {
  'require only': () => '',
  'execFileSync': () => 'cp.execFileSync("true");',
  'exec': () => 'cp.exec("true", () => {});',
  'execFile': () => 'cp.execFile("true", () => {});',
  'spawn with pipes': () => 'cp.spawn("echo", ["hi"]).stdout.on("data", () => {});',
  'spawn, inherit': () => 'cp.spawn("true", { stdio: "inherit" });',
  'promises': (subject) =>
    subject === 'ours'
      ? 'require(module + "/promises").execFile("true");'
      : 'require("node:util").promisify(cp.execFile)("true");',
  'fork, a message': () => `
    const child = cp.fork(__filename, ["child"]);
    child.send("hello");
    child.on("message", () => {});`,
};

/** What a program that forks itself does as the child. */
const CHILD = `
  if (process.argv[2] === "child") {
    process.on("message", () => {
      process.send("hello");
      process.disconnect();
    });
    return;
  }`;

/** What a process holds when it ends, kB, into a file beside the program: anonymous memory, and that of files. */
const MEMORY = `
  process.on("exit", () => {
    const fs = require("node:fs");
    const status = fs.readFileSync("/proc/self/status", "latin1");
    const kilobytes = (name) => Number(new RegExp(name + ":\\\\s+(\\\\d+)").exec(status)[1]);
    const file = __filename + (process.argv[2] === "child" ? ".child" : ".parent");
    fs.writeFileSync(file, JSON.stringify([kilobytes("RssAnon"), kilobytes("RssFile")]));
  });`;

/** The text of a program, to be run as a file; `subject` is ours or builtin. */
function sourceOf(name, { subject, module, measuresMemory }) {
  const child = name.startsWith('fork') ? CHILD : '';
  const memory = measuresMemory ? MEMORY : '';
  return `${memory}
{
  const module = ${JSON.stringify(module)};${child}
  const cp = require(module);
  ${programs[name](subject)}
}
`;
}

module.exports = { names: Object.keys(programs), sourceOf };
