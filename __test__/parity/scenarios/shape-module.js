'use strict';

// What a program finds when it looks at the module and its class rather than uses them.

const { EventEmitter } = require('node:events');
const { inspect } = require('node:util');

function properties(object) {
  const found = {};
  for (const key of Object.getOwnPropertyNames(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, key);
    found[String(key)] = [
      descriptor.enumerable ? 'enumerable' : 'hidden',
      descriptor.configurable ? 'configurable' : 'fixed',
      'value' in descriptor ? (descriptor.writable ? 'writable' : 'constant') : 'accessor',
      typeof object[key],
    ].join(' ');
  }
  return found;
}

module.exports = {
  'the module: names, kinds, lengths': (cp, t) => {
    const found = {};
    // Exports of ours beyond the builtin's are nobody's trouble.
    for (const key of Reflect.ownKeys(require('node:child_process')))
      found[String(key)] = [typeof cp[key], cp[key]?.name, cp[key]?.length, Object.keys(cp).includes(key)];
    void t;
    return found;
  },

  'functions of the module may be replaced': (cp) => {
    const kept = cp.spawn;
    cp.spawn = 1;
    const replaced = cp.spawn;
    cp.spawn = kept;
    return [replaced, cp.spawn === kept, properties(cp).spawn, properties(cp).ChildProcess];
  },

  'spawn works without its module as this': async (cp, t) => {
    const { spawn } = cp;
    return { none: await t.outcome(() => spawn('true')), other: await t.outcome(() => spawn.call({}, 'true')) };
  },

  'spawn as a constructor': (cp, t) => t.outcome(() => new cp.spawn('true')),

  'the ChildProcess class': (cp, t) => {
    const { ChildProcess } = cp;
    return {
      name: ChildProcess.name,
      length: ChildProcess.length,
      prototype: properties(ChildProcess.prototype),
      methods: Object.getOwnPropertyNames(ChildProcess.prototype).map((key) => [
        key,
        ChildProcess.prototype[key].length,
      ]),
      dispose: [typeof ChildProcess.prototype[Symbol.dispose], ChildProcess.prototype[Symbol.dispose]?.length],
      inherits: [
        Object.getPrototypeOf(ChildProcess) === EventEmitter,
        Object.getPrototypeOf(ChildProcess.prototype) === EventEmitter.prototype,
      ],
      text: inspect(ChildProcess),
      statics: Object.getOwnPropertyNames(ChildProcess).sort(),
      constructor: ChildProcess.prototype.constructor === ChildProcess,
      calledWithoutNew: t.attempt(() => ChildProcess()),
    };
  },

  'a class that extends ChildProcess': async (cp, t) => {
    class Mine extends cp.ChildProcess {
      mine = 'yes';
      kill(...args) {
        t.log('kill', args);
        return super.kill(...args);
      }
    }
    const one = new Mine();
    const returned = one.spawn({ file: 'sleep', args: ['sleep', '10'], stdio: 'ignore' });
    const recorded = t.record(one);
    one.kill('SIGKILL');
    return { returned, mine: one.mine, name: one.constructor.name, recorded: await recorded };
  },
};
