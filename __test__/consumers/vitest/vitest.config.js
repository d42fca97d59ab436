import { defineConfig } from 'vitest/config';

// Each way that vitest has of running a file: processes, threads, and contexts of their own in threads.
const project = (pool) => ({ test: { name: pool, pool, include: ['*.test.js'], testTimeout: 60_000 } });

export default defineConfig({ test: { projects: ['forks', 'threads', 'vmThreads', 'vmForks'].map(project) } });
