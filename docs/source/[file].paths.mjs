import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pageOf } from '../.vitepress/pageOf.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');

const git = (...args) =>
  execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\n').filter(Boolean);

/** Files and folders that a page links to, without the pages themselves. */
function linkedSources() {
  const targets = git('ls-files', '*.md').flatMap((page) =>
    [...fs.readFileSync(path.join(ROOT, page), 'utf8').matchAll(/\]\(([^)#:\s]+)\)/g)]
      .map(([, target]) => path.posix.join(path.posix.dirname(page), target))
      .filter((target) => !/\.(md|png|svg)$/.test(target)),
  );
  return [...new Set(targets)];
}

/** The pages of those files, and of all files in those folders. */
export default {
  paths() {
    const sources = linkedSources();
    const folders = sources.filter((source) => isFolder(path.join(ROOT, source)));
    const files = new Set(git('ls-files', ...sources, ':!*package-lock.json'));
    return [
      ...folders.map((folder) => page(folder, listing(folder, files))),
      ...[...files].map((file) => page(file, fence(file))),
    ];
  },
};

// A missing one gets no page, so that VitePress reports the link with its page.
const isFolder = (source) => fs.statSync(source, { throwIfNoEntry: false })?.isDirectory();

const page = (source, content) => ({
  params: { file: pageOf(source).slice('source/'.length, -'.md'.length) },
  content: `# ${source}\n\n${content}`,
});

const listing = (folder, files) =>
  [...files]
    .filter((file) => file.startsWith(`${folder}/`))
    .map((file) => `- [${file.slice(folder.length + 1)}](/${pageOf(file)})`)
    .join('\n');

function fence(file) {
  const language = path.extname(file).slice(1);
  return `\`\`\`\`${language}\n${fs.readFileSync(path.join(ROOT, file), 'utf8')}\n\`\`\`\``;
}
