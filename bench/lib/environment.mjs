/** What contestants.mjs gives to each opponent. */
export const environment =
  /** @type {Record<'PORT' | 'DATABASE_URL' | 'CERTS_DIR' | 'SECRET' | 'CLIENT_ORIGIN', string>} */ (
    process.env
  );
