'use strict';

// `npm run lint`. Few rules: what is a mistake, and what this project has agreed on. How code looks is Prettier's.

const readonly = (names) => Object.fromEntries(names.map((name) => [name, 'readonly']));

const MISTAKES = [
  'array-callback-return',
  'constructor-super',
  'for-direction',
  'no-async-promise-executor',
  'no-case-declarations',
  'no-class-assign',
  'no-compare-neg-zero',
  'no-cond-assign',
  'no-const-assign',
  'no-constant-binary-expression',
  'no-constructor-return',
  'no-debugger',
  'no-dupe-args',
  'no-dupe-class-members',
  'no-dupe-else-if',
  'no-dupe-keys',
  'no-duplicate-case',
  'no-empty-pattern',
  'no-ex-assign',
  'no-fallthrough',
  'no-func-assign',
  'no-global-assign',
  'no-invalid-regexp',
  'no-loss-of-precision',
  'no-new-native-nonconstructor',
  'no-obj-calls',
  'no-redeclare',
  'no-self-assign',
  'no-setter-return',
  'no-shadow-restricted-names',
  'no-this-before-super',
  'no-undef',
  'no-unexpected-multiline',
  'no-unreachable',
  'no-unsafe-finally',
  'no-unsafe-negation',
  'no-unsafe-optional-chaining',
  'no-unused-private-class-members',
  'no-useless-backreference',
  'no-useless-catch',
  'no-var',
  'no-with',
  'prefer-const',
  'require-yield',
  'use-isnan',
  'valid-typeof',
];

// A program may have replaced the iterator of arrays, which these use; lib/common/arrays.js does without.
const ITERATING = [
  ['ForOfStatement[await=false]', 'for … of'],
  ['ArrayPattern', 'Destructuring of an array'],
  [':matches(ArrayExpression, CallExpression, NewExpression) > SpreadElement', 'Spread of an array'],
];

module.exports = [
  { ignores: ['.cache/', 'target/', '**/node_modules/', 'fuzz/', 'site/{pages,dist,.vitepress/cache}/'] },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: readonly([...Object.getOwnPropertyNames(globalThis), 'Float16Array']) },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      ...Object.fromEntries(MISTAKES.map((rule) => [rule, 'error'])),
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-params': ['error', 6],
      'no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: readonly(['__dirname', '__filename', 'exports', 'module', 'require']),
    },
  },
  {
    files: ['lib/**', 'scripts/**', 'site/**', 'examples/**', 'bench/**', '__test__/**', '*.js'],
    rules: { 'max-len': ['error', { code: 120, ignoreRegExpLiterals: true }] },
  },
  {
    files: ['lib/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...ITERATING.map(([selector, what]) => ({
          selector,
          message: `${what} uses the iterator of arrays, which a program may have replaced: see lib/common/arrays.js.`,
        })),
      ],
    },
  },
  // Its last statement is never run.
  { files: ['index.js'], rules: { 'no-constant-binary-expression': 'off', 'no-undef': 'off' } },
  { files: ['__test__/consumers/vitest/**', 'site/**'], languageOptions: { sourceType: 'module' } },
  {
    files: ['__test__/consumers/{jest,mocha}/**'],
    languageOptions: { globals: readonly(['afterEach', 'beforeEach', 'describe', 'expect', 'it', 'jest', 'test']) },
  },
];
