/** The variables that contestants.mjs passes to each opponent. */
export const environment =
  /** @type {Record<'PORT' | 'DATABASE_URL' | 'CERTS_DIR' | 'SECRET' | 'CLIENT_ORIGIN', string>} */ (
    process.env
  );
