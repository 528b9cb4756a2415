// The rooms of src, from the top down. A file imports from its own room and from those below.
const LAYERS = [
  'commands/|server.ts',
  'serve.ts',
  'cluster.ts',
  'app.ts',
  'services.ts',
  'metrics/',
  'routes/',
  'controller/',
  'validators/',
  'middleware/',
  'service/',
  'http/',
  'database/',
  'keys/',
  'errors/',
  'config/',
  'entity/|migrations/',
  'types/',
];

const pathOf = (layers) => `^src/(${layers.join('|')})`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unlisted-room',
      comment: 'Every file of src belongs to a layer.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/', pathNot: pathOf(LAYERS) },
    },
    ...LAYERS.slice(1).map((layer, index) => ({
      name: `nothing-above-${layer.split(/\W/)[0]}`,
      severity: 'error',
      from: { path: pathOf([layer]) },
      to: { path: pathOf(LAYERS.slice(0, index + 1)) },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
