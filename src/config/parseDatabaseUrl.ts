/** What a URL may say, by libpq's names, and the settings of the same meaning. */
export const URL_PARAMETERS: ReadonlyMap<string, string> = new Map([
  ['host', 'DB_HOST'],
  ['port', 'DB_PORT'],
  ['user', 'DB_USERNAME'],
  ['password', 'DB_PASSWORD'],
  ['dbname', 'DB_NAME'],
  ['sslmode', 'DB_SSL_MODE'],
  ['sslrootcert', 'DB_SSL_CA'],
  ['sslcert', 'DB_SSL_CERT'],
  ['sslkey', 'DB_SSL_KEY'],
]);

/** Without a setting of their own. */
const OTHER_PARAMETERS = ['application_name', 'options', 'channel_binding'];

const KNOWN = [...URL_PARAMETERS.keys(), ...OTHER_PARAMETERS];

const FORM =
  /^postgres(?:ql)?:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?(\[[^\]]*\]|[^:@/?#]*)(?::([^@/?#]*))?(?:\/([^?#]*))?(?:\?([^#]*))?$/i;

/**
 * The parts of a connection URL, by libpq's names; a parameter goes before the part in front of it.
 *
 * pg-connection-string reads files itself, and takes `sslmode=require` for verify-full.
 *
 * @throws {Error} that says what is wrong with the URL, without a part of it.
 */
export function parseDatabaseUrl(url: string): Map<string, string> {
  const [, user, password, host, port, dbname, query] = FORM.exec(url) ?? [];
  // A host may be empty; only a URL of another form has none.
  if (host === undefined) throw formError();
  const parts = { user, password, host: host.replace(/^\[(.*)\]$/, '$1'), port, dbname };
  const pairs = (query ?? '').split('&').filter(Boolean).map(pairOf);
  const all = [...Object.entries(parts), ...pairs].filter(([, value]) => value);
  const found = new Map(all.map(([name, value = '']) => [name, decoded(value)]));
  if (![...found.keys()].every((name) => KNOWN.includes(name)))
    throw new Error(`may have no other parameters than ${KNOWN.join(', ')}`);
  if ([found.get('host'), found.get('port')].some((value) => value?.includes(',')))
    throw new Error('names several hosts: name one, which leads to the primary');
  return found;
}

function pairOf(pair: string): [string, string] {
  const [name = '', ...rest] = pair.split('=');
  return [decoded(name), rest.join('=')];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw formError();
  }
}

const formError = () =>
  new Error(
    'must be like postgres://user:password@host:5432/name, other characters encoded as %40',
  );
