const WIDTH = 760;
const LABEL_WIDTH = 230;
const BAR_AREA = 380;
const BAR_HEIGHT = 20;
const ROW_HEIGHT = 28;
const TITLE_HEIGHT = 46;
const MARGIN = 20;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .note { font-size: 11px; fill: #59636e }
  .figure { font-variant-numeric: tabular-nums }
  .subject { fill: #1f6feb }
  .floor { fill: #8c959f }
  .peer { fill: #d4a72c }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .note { fill: #9198a1 }
    .floor { fill: #656c76 }
  }`;

const escape = (/** @type {string} */ text) =>
  text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);

const figure = (/** @type {number} */ perSecond) =>
  perSecond.toLocaleString('en', { maximumFractionDigits: perSecond < 100 ? 1 : 0 });

/**
 * The bars of one work, fastest first.
 * @param {import('./report.mjs').WorkSummary} work
 * @param {number} top
 */
function bars({ title, connections, entries }, top) {
  const longest = Math.max(...entries.map((entry) => entry.perSecond));
  const rows = entries
    .toSorted((a, b) => b.perSecond - a.perSecond)
    .map((entry, row) => {
      const y = top + TITLE_HEIGHT + row * ROW_HEIGHT;
      const baseline = y + BAR_HEIGHT - 5;
      const length = (entry.perSecond / longest) * BAR_AREA;
      const text = `${figure(entry.perSecond)}/s`;
      return `
  <text x="${MARGIN + LABEL_WIDTH - 10}" y="${baseline}" text-anchor="end">${escape(entry.title)}</text>
  <rect class="${entry.kind}" x="${MARGIN + LABEL_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>
  <text class="figure" x="${(MARGIN + LABEL_WIDTH + length + 8).toFixed(1)}" y="${baseline}">${text}</text>`;
    });
  const heading = escape(`${title}, ${connections} at a time`);
  return `
  <text class="title" x="${MARGIN}" y="${top + 30}">${heading}</text>${rows.join('')}`;
}

/**
 * Requests per second of every work as bars, as an SVG that is readable on light and dark backgrounds.
 * @param {import('./report.mjs').WorkSummary[]} works
 * @param {import('./machine.mjs').Machine} machine
 */
export function chart(works, { cores, cpu, node, postgresql, date }) {
  let top = 0;
  const parts = works.map((work) => {
    const part = bars(work, top);
    top += TITLE_HEIGHT + work.entries.length * ROW_HEIGHT;
    return part;
  });
  const height = top + 54;
  const notes = [
    'Requests a second; more is better. Blue: this service, grey: bare floors, yellow: peers.',
    `${cores} cores (${cpu}), Node ${node}, PostgreSQL ${postgresql}, ${date.slice(0, 10)}`,
  ].map((note, line) => {
    const y = height - 28 + line * 15;
    return `<text class="note" x="${MARGIN}" y="${y}">${escape(note)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Requests a second of auth-service, bare floors and peers">
  <style>${STYLE}
  </style>${parts.join('')}
  ${notes.join('\n  ')}
</svg>
`;
}
