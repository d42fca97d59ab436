'use strict';

// The error message if Node is too old, or null. Must be checked before anything else is loaded, because an old Node
// cannot parse the other files.

const { node } = process.versions;

module.exports =
  Number(node.split('.')[0]) < 20
    ? `child-process-rs needs Node 20 or newer, and this is Node ${node}: please update Node.`
    : null;
