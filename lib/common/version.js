'use strict';

// The version of the running Node, for what differs between them.

const version = process.versions.node.split('.');

module.exports = { MAJOR: Number(version[0]), MINOR: Number(version[1]) };
