import { defineConfig } from 'vitepress';

const link = (text, page) => ({ text, link: `/${page}` });

const guide = [
  link('Overview', ''),
  link('Promises', 'promises'),
  link('Migrating', 'migrating'),
  link('Differences', 'differences'),
  link('Troubleshooting', 'troubleshooting'),
  link('Security', 'security'),
  link('Benchmarks', 'benchmarks'),
];

const inside = [
  link('Architecture', 'architecture'),
  link('The wire protocol', 'protocol'),
  link('Faults', 'faults'),
  link('Decisions', 'decisions/'),
  link('Contributing', 'contributing'),
  link('Changelog', 'changelog'),
];

export default defineConfig({
  title: 'child-process-rs',
  description: "Node's child_process in Rust",
  srcDir: 'pages',
  outDir: 'dist',
  cleanUrls: true,
  markdown: {
    // Files that a block of code writes down, and blocks that are not run, are marked for the tests only.
    config: (md) => {
      const { fence } = md.renderer.rules;
      md.renderer.rules.fence = (tokens, index, ...rest) => {
        const token = tokens[index];
        token.info = token.info.split(' ')[0].replace('mjs', 'js');
        return fence(tokens, index, ...rest);
      };
    },
  },
  locales: {
    root: {
      label: 'English',
      lang: 'en',
      themeConfig: {
        sidebar: [
          { text: 'Guide', items: guide },
          { text: 'Inside', items: inside },
        ],
      },
    },
    'zh-CN': {
      label: '中文',
      lang: 'zh-CN',
      description: '用 Rust 实现的 Node child_process',
      themeConfig: {
        sidebar: [
          { text: '指南', items: [link('概述', 'zh-CN/'), link('与内置模块的区别', 'zh-CN/differences')] },
          { text: '英文文档', items: [...guide.slice(1), ...inside] },
        ],
        outline: { label: '本页' },
        docFooter: { prev: '上一页', next: '下一页' },
        darkModeSwitchLabel: '外观',
        sidebarMenuLabel: '目录',
        returnToTopLabel: '回到顶部',
      },
    },
  },
  themeConfig: { search: { provider: 'local' } },
});
