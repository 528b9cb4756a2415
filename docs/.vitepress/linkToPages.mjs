import path from 'node:path';
import { pageOf } from './pageOf.mjs';

/**
 * A markdown-it plugin: a link to a file of the repository becomes a link to its page of the site.
 *
 * @param {import('vitepress').MarkdownRenderer} md
 */
export function linkToPages(md) {
  md.core.ruler.push('link-to-pages', ({ tokens, env }) => {
    const links = tokens
      .flatMap((token) => token.children ?? [])
      .filter((token) => token.type === 'link_open');
    for (const link of links) {
      const [, target, anchor] = /^([^#]*)(.*)$/.exec(link.attrGet('href') ?? '') ?? [];
      if (!target || /^(\/|[a-z]+:)/.test(target)) continue;
      const file = path.posix.join(path.posix.dirname(env.relativePath), target);
      link.attrSet('href', `/${pageOf(file)}${anchor}`);
    }
  });
}
