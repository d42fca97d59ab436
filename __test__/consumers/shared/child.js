'use strict';

let number = 0;
process.on('message', ({ text, bytes }) => {
  process.send({ text: text.toUpperCase(), length: bytes.length, number: number++ });
});
