import path from 'node:path';

/**
 * Returns the site's page of a file of the repository: Markdown is a page itself, every other file is shown
 * as source. Both are paths from the root, without a slash in front.
 *
 * @param {string} file
 */
export function pageOf(file) {
  if (!file.endsWith('.md')) return path.posix.join('source', file.replace(/^\./, '') + '.md');
  return file.replace(/README\.md$/, 'index.md').replace(/^docs\/source\//, 'source/');
}
