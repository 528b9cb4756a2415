/** Finds links to pages and headings that do not exist. VitePress checks most pages, and no headings. */
export class LinkCheck {
  /** @type {Set<string>} */
  #targets = new Set();
  /** @type {{ page: string, target: string }[]} */
  #links = [];

  /**
   * @param {string} html
   * @param {string} page the address by which other pages link to it
   */
  read(html, page) {
    this.#targets.add(page);
    for (const [, id] of html.matchAll(/<[^>]* id="([^"]+)"/g)) this.#targets.add(`${page}#${id}`);
    for (const [, href] of html.matchAll(/<a [^>]*?href="([/#][^"]*)"/g)) {
      this.#links.push({ page, target: decodeURI(href.startsWith('#') ? page + href : href) });
    }
  }

  /** @throws {Error} that lists the broken links of all pages read */
  finish() {
    const broken = this.#links.filter(({ target }) => !this.#targets.has(target));
    if (broken.length === 0) return;
    const lines = broken.map(({ page, target }) => `${page} links to ${target}`);
    throw new Error(`Broken links:\n${lines.join('\n')}`);
  }
}
