'use strict';

// Source maps (ECMA-426) of files that were put together from others. Node reads no maps with sections.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
// Of a digit: five bits of the number, the lowest first, and whether more follow. The lowest bit of a number is its
// sign.
const BITS = 5;
const MORE = 1 << BITS;

function decode(segment) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value |= (digit & (MORE - 1)) << shift;
    shift += BITS;
    if (digit & MORE) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

function encode(number) {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  let text = '';
  do {
    const digit = rest & (MORE - 1);
    rest >>= BITS;
    text += DIGITS[rest > 0 ? digit | MORE : digit];
  } while (rest > 0);
  return text;
}

/** The map of a file in which the text with `map`, of one source, begins in line `line`, for each of `sections`. */
function joined(sections) {
  const lines = [];
  // Where the last segment pointed to: each is relative to the one before. Source, line, column.
  let last = [0, 0, 0];
  sections.forEach(({ line, map }, source) => {
    while (lines.length < line) lines.push('');
    let at = [source, 0, 0];
    let isFirst = true;
    for (const text of map.mappings.split(';')) {
      const segments = text === '' ? [] : text.split(',');
      lines.push(
        segments
          .map((segment) => {
            const [column, ...moved] = decode(segment);
            if (moved.length === 0) return segment;
            at = at.map((value, index) => value + moved[index]);
            if (!isFirst) return segment;
            isFirst = false;
            return [column, ...at.map((value, index) => value - last[index])].map(encode).join('');
          })
          .join(','),
      );
    }
    if (!isFirst) last = at;
  });
  const all = (name) => sections.flatMap(({ map }) => map[name]);
  return {
    version: 3,
    sources: all('sources'),
    sourcesContent: all('sourcesContent'),
    names: [],
    mappings: lines.join(';'),
  };
}

module.exports = { joined };
