// ESLint 10 reads only a flat config; the rules themselves are in .eslintrc.json.
import { FlatCompat } from '@eslint/eslintrc';
import js from '@eslint/js';

const compat = new FlatCompat({
  baseDirectory: import.meta.dirname,
  recommendedConfig: js.configs.recommended,
  allConfig: js.configs.all,
});

const { default: legacy } = await import('./.eslintrc.json', { with: { type: 'json' } });

export default [
  { ignores: ['**/dist/', 'coverage/', '.data/', 'bench/results/', '**/node_modules/'] },
  ...compat.config(/** @type {import('eslint').Linter.LegacyConfig} */ (legacy)),
];
