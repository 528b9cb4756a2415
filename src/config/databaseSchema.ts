import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { integer } from './integer';
import { readFileSetting } from './readFileSetting';

/** libpq's name for the authorities that this machine trusts. */
const SYSTEM = 'system';

/** Reads a file with PEM; `parse` throws on anything else. */
const readPem =
  (what: string, parse: (pem: string) => unknown) =>
  (file: string, context: z.RefinementCtx): string => {
    try {
      const pem = readFileSetting(file);
      if (isParsed(parse, pem)) return pem;
      context.addIssue(`names a file without ${what} in PEM`);
    } catch (error) {
      context.addIssue((error as Error).message);
    }
    return z.NEVER;
  };

function isParsed(parse: (pem: string) => unknown, pem: string): boolean {
  try {
    parse(pem);
    return true;
  } catch {
    return false;
  }
}

const readCertificate = readPem('a certificate', (pem) => new X509Certificate(pem));
const readKey = readPem('a private key that needs no passphrase', createPrivateKey);

/** The settings of the database. Empty variables count as not set, so a text is never empty. */
export const databaseSchema = z
  .object({
    DATABASE_URL: z.string().optional(),
    DB_HOST: z.string('is missing'),
    DB_PORT: integer(1, 65_535).default(5432),
    DB_USERNAME: z.string('is missing'),
    DB_PASSWORD: z.string('is missing'),
    DB_NAME: z.string('is missing'),
    DB_SSL_MODE: z
      .enum(
        ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'],
        'must be disable, prefer, require, verify-ca or verify-full',
      )
      .default('prefer'),
    DB_SSL_CA: z
      .string()
      .transform((file, context) => (file === SYSTEM ? SYSTEM : readCertificate(file, context)))
      .optional(),
    DB_SSL_CERT: z.string().transform(readCertificate).optional(),
    DB_SSL_KEY: z.string().transform(readKey).optional(),
    DB_POOLER: z.enum(['none', 'transaction'], 'must be none or transaction').default('none'),
    DB_POOL_SIZE: integer(1, 500).default(10),
  })
  .refine(({ DB_SSL_MODE, DB_SSL_CA }) => DB_SSL_MODE !== 'prefer' || DB_SSL_CA === undefined, {
    path: ['DB_SSL_CA'],
    message:
      'needs DB_SSL_MODE=require, verify-ca or verify-full: with prefer no server is verified',
  })
  .refine(
    ({ DB_SSL_MODE, DB_SSL_CA }) =>
      DB_SSL_MODE !== 'verify-ca' || (DB_SSL_CA !== undefined && DB_SSL_CA !== SYSTEM),
    {
      path: ['DB_SSL_MODE'],
      message:
        'may be verify-ca only with a file in DB_SSL_CA: public authorities sign for every host',
    },
  )
  .refine(({ DB_SSL_MODE, DB_SSL_CA }) => DB_SSL_MODE !== 'require' || DB_SSL_CA !== SYSTEM, {
    path: ['DB_SSL_CA'],
    message:
      'may be system only with DB_SSL_MODE=verify-full: public authorities sign for every host',
  })
  .refine(({ DB_SSL_CERT, DB_SSL_KEY }) => !DB_SSL_CERT || DB_SSL_KEY, {
    path: ['DB_SSL_KEY'],
    message: 'is missing: DB_SSL_CERT needs its private key',
  })
  .refine(({ DB_SSL_CERT, DB_SSL_KEY }) => !DB_SSL_KEY || DB_SSL_CERT, {
    path: ['DB_SSL_CERT'],
    message: 'is missing: DB_SSL_KEY needs its certificate',
  })
  .refine(
    ({ DB_SSL_CERT, DB_SSL_KEY }) => !DB_SSL_CERT || !DB_SSL_KEY || isPair(DB_SSL_CERT, DB_SSL_KEY),
    {
      path: ['DB_SSL_KEY'],
      message: 'does not belong to DB_SSL_CERT',
    },
  );

function isPair(certificate: string, key: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}
