import path from 'node:path';
import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { LinkCheck } from './LinkCheck.mjs';
import { linkToPages } from './linkToPages.mjs';
import { pageOf } from './pageOf.mjs';

const links = new LinkCheck();

/** The site is made of the repository's own Markdown: no text has a second copy. */
export default defineConfig({
  title: 'auth-service',
  description: 'Registration, login, sessions, and access tokens that other services verify.',
  srcDir: '..',
  cacheDir: 'node_modules/.vitepress',
  srcExclude: ['bench/results/**'],
  rewrites: pageOf,
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    // Headings have the anchors that they have on GitHub.
    anchor: { slugify: slug },
    config: linkToPages,
  },
  // Pages outside this folder would look for Vue in the root's packages.
  vite: {
    resolve: { alias: { vue: path.join(import.meta.dirname, '../node_modules/vue') } },
  },
  transformHtml(html, _file, { page, siteData }) {
    const address = page.replace(/\.md$/, '.html').replace(/(^|\/)index\.html$/, '$1');
    links.read(html, siteData.base + address);
  },
  buildEnd() {
    links.finish();
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      {
        text: 'Use it',
        items: [
          { text: 'Overview', link: '/' },
          { text: 'HTTP API', link: '/docs/api' },
          { text: 'Input rules', link: '/docs/input' },
          { text: 'Sessions', link: '/docs/sessions' },
          { text: 'Client', link: '/client/' },
          { text: 'Example: a web app', link: '/examples/spa/' },
          { text: 'For authors of services', link: '/docs/service-authors' },
        ],
      },
      {
        text: 'Run it',
        items: [
          { text: 'Configuration', link: '/docs/configuration' },
          { text: 'Operations', link: '/docs/operations' },
          { text: 'Scaling', link: '/docs/scaling' },
          { text: 'Threat model', link: '/docs/threat-model' },
          { text: 'Security', link: '/SECURITY' },
          { text: 'Benchmarks', link: '/bench/' },
        ],
      },
      {
        text: 'Change it',
        items: [
          { text: 'Contributing', link: '/CONTRIBUTING' },
          { text: 'Decisions', link: '/docs/adr/' },
          { text: 'Changelog', link: '/CHANGELOG' },
        ],
      },
    ],
  },
});
