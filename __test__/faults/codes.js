'use strict';

const { errno } = require('node:os').constants;

/** Whether it is what Node puts into an error's `code`: the name of a system error, or a code of Node's own. */
const isCode = (code) => typeof code === 'string' && (Object.hasOwn(errno, code) || /^ERR_[A-Z_]+$/.test(code));

module.exports = { isCode };
