'use strict';

// The code blocks of a Markdown file, as docs.test.js runs them. After its language a block may say
//   file     it is only written down, under the name in its first line, for the blocks that follow
//   not-run  it cannot run here: it installs something, or shows what not to do

const FENCE = /^(?: {0,3})(`{3,})\s*(\S*)[ \t]*(.*)$/;
// A first line that is nothing but a comment with the name of a file.
const NAME = /^(?:\/\/|#|--)\s*([\w.-]+\.\w+)$/;
// What a line prints stands behind it: `// → text`.
const PRINTED = /(?:\/\/|#)\s*→ (.*)$/;

/**
 * Every fenced block of `text`: its language, the words after it, its line, its code, its file's name, and what it is
 * to print.
 */
function codeBlocks(text) {
  const blocks = [];
  let open = null;
  text.split('\n').forEach((line, index) => {
    const fence = FENCE.exec(line);
    if (open) {
      if (fence && fence[1].length >= open.fence.length && fence[2] === '') {
        blocks.push(finished(open));
        open = null;
      } else {
        open.lines.push(line);
      }
    } else if (fence) {
      open = {
        fence: fence[1],
        language: fence[2],
        words: fence[3].split(/\s+/).filter(Boolean),
        line: index + 1,
        lines: [],
      };
    }
  });
  if (open) throw new Error(`the block of line ${open.line} does not end`);
  return blocks;
}

function finished({ language, words, line, lines }) {
  return {
    language,
    words,
    line,
    code: `${lines.join('\n')}\n`,
    name: NAME.exec(lines[0] ?? '')?.[1],
    printed: lines.flatMap((each) => PRINTED.exec(each)?.[1] ?? []),
  };
}

/** What makes two translations of a text the same: the levels of its headings, and its code without the comments. */
function skeleton(text) {
  const withoutCode = text.replace(/^```[\s\S]*?^```$/gm, '');
  const headings = withoutCode
    .split('\n')
    .filter((line) => /^#+ /.test(line))
    .map((line) => line.match(/^#+/)[0]);
  const code = codeBlocks(text).map(({ language, words, code: source }) =>
    [language, ...words, withoutComments(source)].join('\n'),
  );
  const links = [...withoutCode.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target).sort();
  const items = withoutCode.split('\n').filter((line) => /^- /.test(line)).length;
  return { headings, code, links, items };
}

function withoutComments(source) {
  return source.replace(/\s*(?:\/\/|#) (?!→ ).*$/gm, '');
}

module.exports = { codeBlocks, skeleton };
