'use strict';

// What to say where Node is too old, or null. Looked at before anything else is loaded, because an old Node would stop
// at the syntax of the rest.

const { node } = process.versions;

module.exports =
  Number(node.split('.')[0]) < 20
    ? `child-process-rs needs Node 20 or newer, and this is Node ${node}: please update Node.`
    : null;
