import path from 'node:path';
import { ConfigError } from './ConfigError';
import { parseDatabaseUrl, URL_PARAMETERS } from './parseDatabaseUrl';
import { readEnvironmentFile } from './readEnvironmentFile';
import { readFileSetting } from './readFileSetting';

const ENVIRONMENTS = new Map<string, 'dev' | 'prod' | 'test'>([
  ['dev', 'dev'],
  ['development', 'dev'],
  ['prod', 'prod'],
  ['production', 'prod'],
  ['test', 'test'],
  ['', 'prod'],
]);

/** Kept as they are, apart from line ends behind them: a password may begin or end with a space. */
const UNTRIMMED: readonly string[] = [
  'DB_PASSWORD',
  'REFRESH_JWT_SECRET',
  'REFRESH_JWT_SECRET_NEXT',
  'REFRESH_JWT_SECRET_PREVIOUS',
];

/** NAME_FILE may name a file with the value of NAME. */
const SECRETS: readonly string[] = [...UNTRIMMED, 'DATABASE_URL', 'PRIVATE_KEY'];

/** The parts of a connection that DATABASE_URL always names, by libpq's names. */
const SERVER: readonly string[] = ['host', 'port', 'user', 'dbname'];

type Values = Partial<Record<string, string>>;
type Lines = Map<string, string>;

export interface Variables {
  environment: 'dev' | 'prod' | 'test';
  /** By setting; those of DATABASE_URL, too. */
  values: Values;
  /** What is wrong already: one line for a setting. */
  problems: ReadonlyMap<string, string>;
  /** What DATABASE_URL says, by libpq's names. */
  url: ReadonlyMap<string, string>;
}

/**
 * The variables of the environment, and those of its `.env` file that it does not set.
 *
 * @throws {ConfigError} if there is no such environment, or its file cannot be read.
 */
export function readVariables(environment: NodeJS.ProcessEnv, folder: string): Variables {
  const name = ENVIRONMENTS.get(environment.NODE_ENV?.trim() ?? '');
  if (name === undefined) throw new ConfigError(['NODE_ENV must be dev, prod or test']);
  const file = fileOf(path.join(folder, `.env.${name}`));
  const values = { ...withoutBlanks(file.values), ...withoutBlanks(environment) };
  const problems = cutValues(file, values);
  readSecretFiles(values, problems);
  const url = expandDatabaseUrl(values, problems);
  return { environment: name, values, problems, url };
}

/** The setting that stands for a part of DATABASE_URL stands there itself, by libpq's name. */
export function parameterOf({ values, url }: Variables, setting: string): string | undefined {
  if (values.DATABASE_URL === undefined) return undefined;
  const [parameter] = [...URL_PARAMETERS].find(([, own]) => own === setting) ?? [];
  const isInUrl = parameter !== undefined && (SERVER.includes(parameter) || url.has(parameter));
  return isInUrl ? parameter : undefined;
}

/** @throws {ConfigError} if the file exists but cannot be read: it would hide what is wrong in it. */
function fileOf(file: string): ReturnType<typeof readEnvironmentFile> {
  try {
    return readEnvironmentFile(file);
  } catch (error) {
    throw new ConfigError([(error as Error).message]);
  }
}

/** The variables that have a value, without white space around it; a secret keeps its spaces. */
function withoutBlanks(variables: NodeJS.ProcessEnv): Values {
  const trimmed = Object.entries(variables).map(([name, value = '']) => [
    name,
    UNTRIMMED.includes(name) ? value.replace(/[\r\n]+$/, '') : value.trim(),
  ]);
  return Object.fromEntries(trimmed.filter(([, value]) => value)) as Values;
}

/**
 * One line for each variable whose value dotenv cut at a `#`. Behind white space it begins a comment,
 * except in a secret, where it may be meant as a part.
 */
function cutValues(
  { values, comments }: ReturnType<typeof readEnvironmentFile>,
  used: Values,
): Lines {
  const own = withoutBlanks(values);
  const cut = Object.entries(comments).filter(
    ([name, comment]) =>
      used[name] === own[name] &&
      (comment.startsWith('#') || (UNTRIMMED.includes(name) && own[name] !== undefined)),
  );
  return new Map(
    cut.map(([name]) => [
      settingOf(name),
      `${name} is cut at its #: put the value in the file into '…' or "…"`,
    ]),
  );
}

function settingOf(variable: string): string {
  const setting = variable.replace(/_FILE$/, '');
  return SECRETS.includes(setting) ? setting : variable;
}

/** Puts the content of each NAME_FILE in the place of NAME. */
function readSecretFiles(values: Values, problems: Lines): void {
  for (const name of SECRETS) {
    const variable = `${name}_FILE`;
    const file = values[variable];
    if (file === undefined) continue;
    try {
      if (values[name] !== undefined) throw new Error(`is set together with ${name}: use one`);
      values[name] = readFileSetting(file);
    } catch (error) {
      values[name] ??= '';
      problems.set(name, `${variable} ${(error as Error).message}`);
    }
  }
}

/** Gives the settings the values that DATABASE_URL has for them. */
function expandDatabaseUrl(values: Values, problems: Lines): ReadonlyMap<string, string> {
  const { DATABASE_URL } = values;
  if (DATABASE_URL === undefined) return new Map();
  try {
    if (problems.has('DATABASE_URL')) return new Map();
    const url = parseDatabaseUrl(DATABASE_URL);
    const settings = [...URL_PARAMETERS].filter(([name]) => SERVER.includes(name) || url.has(name));
    const twice = settings.map(([, setting]) => setting).filter((setting) => setting in values);
    if (twice.length > 0)
      throw new Error(`is set together with ${twice.join(', ')}: use one of the two forms`);
    for (const [name, setting] of settings) {
      const value = url.get(name);
      if (value !== undefined) values[setting] = value;
    }
    return url;
  } catch (error) {
    problems.set('DATABASE_URL', `DATABASE_URL ${(error as Error).message}`);
    return new Map();
  } finally {
    // A certificate or a Unix socket may need none.
    values.DB_PASSWORD ??= '';
  }
}
