'use strict';

const { errno } = require('node:os').constants;

const OTHERS = /^(ERR_[A-Z_]+|Unknown system error -[0-9]+)$/;

/** Whether Node puts it into an error's `code`: the name of a system error, what stands for one, or one of its own. */
const isCode = (code) => typeof code === 'string' && (Object.hasOwn(errno, code) || OTHERS.test(code));

module.exports = { isCode };
