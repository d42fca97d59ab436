'use strict';

// One output of a command, stdout or stderr: what it brings is kept for the result, and passed to other readers.

const { StringDecoder } = require('node:string_decoder');
const { append, includes, join, map } = require('../common/arrays');
const { hooks } = require('../common/errors');
const { NAMES, drained } = require('./redirect');

/** The most characters of lines that wait for their reader before the command is held back. */
const WAITING = 65_536;

const NOTHING = Buffer.alloc(0);
// Encodings whose text gives the bytes back.
const EXACT = ['latin1', 'binary', 'hex', 'base64', 'base64url'];

const isExact = (text, encoding) => (encoding === 'utf8' ? !text.includes('\uFFFD') : includes(EXACT, encoding));

class Output {
  #run;
  #index;
  #limit;
  #isKept;
  #isCut;
  #chunks = null;
  #length = 0;
  #stream = null;
  #targets = 0;
  // How many of them take no more for now.
  #full = 0;

  /**
   * The output `index` of `run`. If `isKept`, `limit` bytes of what comes are kept. If there is more, the rest is
   * dropped if `isCut`, or else `run.onTooLong()` is called.
   */
  constructor(run, index, { limit, isKept, isCut }) {
    this.#run = run;
    this.#index = index;
    this.#limit = limit;
    this.#isKept = isKept;
    this.#isCut = isCut;
  }

  /** Its stream, for which `attach` has been called. */
  get stream() {
    return this.#run.stream(this.#index);
  }

  /** Whether the result has it. */
  get isKept() {
    return this.#isKept;
  }

  /** Whether it is read here. If not, what it brings is captured natively. */
  get isAttached() {
    return this.#stream !== null;
  }

  /** From now on `stream` brings it; `begun` is what came before. */
  attach(stream, begun) {
    this.#stream = stream;
    stream.on('error', (error) => this.#run.onBroken(error));
    if (!this.#isKept) return;
    if (begun.length > 0) this.#keep(begun);
    stream.on('data', (chunk) => this.#keep(chunk));
    this.#run.onStream();
  }

  #keep(chunk) {
    if (!this.#isKept) return;
    const bytes = this.#bytesOf(chunk);
    const room = this.#limit - this.#length;
    if (room > 0) append((this.#chunks ??= []), bytes.length > room ? bytes.subarray(0, room) : bytes);
    this.#length += bytes.length;
    if (bytes.length > room && !this.#isCut) this.#run.onTooLong();
  }

  /** The program may have called setEncoding(). */
  #bytesOf(chunk) {
    return typeof chunk === 'string' ? Buffer.from(chunk, this.#stream.readableEncoding) : chunk;
  }

  /** Calls `hear` with the bytes of each chunk that comes from now on, up to the limit, and `onEnd` at the end. */
  followKept(hear, onEnd) {
    let room = this.#limit - this.#length;
    const hearKept = (chunk) => {
      const bytes = this.#bytesOf(chunk);
      if (room > 0) hear(bytes.subarray(0, room));
      room -= bytes.length;
    };
    this.#followRest(hearKept, onEnd);
  }

  /** What has been kept, here or natively, as a Buffer. */
  get bytes() {
    if (this.#chunks !== null) return Buffer.concat(this.#chunks);
    const captured = this.#run.captured(this.#index) ?? NOTHING;
    return typeof captured === 'string' ? Buffer.from(captured, this.#run.settings.encoding) : captured;
  }

  /** Throws if the command has ended and what it wrote is not known to the byte. */
  checkPipe() {
    const { pid, settings } = this.#run;
    if (pid === undefined || !this.stream.destroyed) return;
    if (!this.#isKept) throw hooks.invalidValue('from', NAMES[this.#index], 'has ended and was not kept');
    const captured = this.#chunks === null ? this.#run.captured(this.#index) : undefined;
    if (typeof captured === 'string' && !isExact(captured, settings.encoding)) {
      const reason = "has lost bytes of the output: pipe a command while it runs, or with encoding: 'buffer'";
      throw hooks.invalidValue('encoding', settings.encoding, reason);
    }
  }

  /** Writes all of it to `target`, and no longer keeps it, unless it is at its end already. */
  pipeTo(target) {
    const { stream, bytes } = this;
    if (bytes.length > 0) target.write(bytes);
    if (stream.destroyed) return;
    this.#targets++;
    this.#isKept = false;
    this.#chunks = null;
    // Not pipe(): that of Node waits forever for a target that has failed while there are others.
    stream.on('data', (chunk) => {
      if (target.destroyed || target.write(chunk) || target.destroyed) return;
      this.#full++;
      stream.pause();
      drained(target).then(() => {
        this.#full--;
        if (this.#full === 0) stream.resume();
      });
    });
    if (this.#full === 0) stream.resume();
  }

  /** A target reads no more. Whether it was the last one. */
  release() {
    this.#targets--;
    return this.#targets === 0;
  }

  /** Calls `hear` with each chunk, those that have been kept first, and `onEnd` at the end. */
  follow(hear, onEnd) {
    void this.stream;
    const { bytes } = this;
    if (bytes.length > 0) hear(bytes);
    this.#followRest(hear, onEnd);
  }

  #followRest(hear, onEnd) {
    const { stream } = this;
    stream.on('data', hear);
    if (stream.readableEnded || stream.destroyed) onEnd();
    else stream.once('end', onEnd).once('close', onEnd);
  }
}

/** Reads outputs line by line, and holds the command back while nobody asks for more. */
class LineReader {
  #outputs;
  #lines = [];
  #next = 0;
  #waiting = 0;
  #open = 0;
  #wake = null;

  constructor(outputs, encoding) {
    this.#outputs = outputs;
    this.#open = outputs.length;
    for (let i = 0; i < outputs.length; i++) this.#read(outputs[i], encoding);
  }

  #read(output, encoding) {
    const decoder = new StringDecoder(encoding);
    let rest = '';
    let isOver = false;
    const add = (line) => {
      append(this.#lines, line.endsWith('\r') ? line.slice(0, -1) : line);
      this.#waiting += line.length + 1;
    };
    const hear = (chunk) => {
      const parts = (typeof chunk === 'string' ? chunk : decoder.write(chunk)).split('\n');
      for (let i = 0; i < parts.length - 1; i++) {
        add(rest + parts[i]);
        rest = '';
      }
      rest += parts[parts.length - 1];
      if (this.#waiting > WAITING) this.#each((stream) => stream.pause());
      this.#answer();
    };
    output.follow(hear, () => {
      if (isOver) return;
      isOver = true;
      rest += decoder.end();
      if (rest !== '') add(rest);
      this.#open--;
      this.#answer();
    });
  }

  #each(body) {
    for (let i = 0; i < this.#outputs.length; i++) body(this.#outputs[i].stream);
  }

  #answer() {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  /** The next line; undefined at the end. */
  async next() {
    while (this.#next === this.#lines.length) {
      if (this.#open === 0) return undefined;
      this.#lines = [];
      this.#next = 0;
      this.#waiting = 0;
      this.#each((stream) => stream.resume());
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#lines[this.#next++];
  }

  /** Nobody asks for more. */
  stop() {
    this.#each((stream) => stream.destroy());
  }
}

/** Both outputs in the order in which they come. */
class Interleaved {
  #texts = [];
  #chunks = [];
  #encoding;

  /** `outputs`: by descriptor, those to follow. `parts`: the order of what they have brought, see `capturedParts`. */
  constructor(outputs, parts, encoding) {
    this.#encoding = encoding;
    const hearing = map(outputs, (output) => output && this.#follow(output));
    for (let i = 0; i < parts.length; i += 2) hearing[parts[i]]?.(parts[i + 1]);
  }

  /** Returns a function that takes the next so many bytes of what has been kept. */
  #follow(output) {
    const decoder = this.#encoding === 'buffer' ? null : new StringDecoder(this.#encoding);
    const hear = (chunk) => {
      if (decoder === null) append(this.#chunks, chunk);
      else append(this.#texts, decoder.write(chunk));
    };
    let begun = output.bytes;
    output.followKept(hear, () => decoder && append(this.#texts, decoder.end()));
    return (length) => {
      hear(begun.subarray(0, length));
      begun = begun.subarray(length);
    };
  }

  get value() {
    return this.#encoding === 'buffer' ? Buffer.concat(this.#chunks) : join(this.#texts, '');
  }
}

module.exports = { Interleaved, LineReader, NOTHING, Output };
