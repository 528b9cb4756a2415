/** As if an hour had passed since each token was replaced. */
export async function ageReplacements(db: {
  query(text: string): Promise<unknown>;
}): Promise<void> {
  await db.query(`
    UPDATE refresh_tokens SET predecessors = (
      SELECT jsonb_agg(entry || jsonb_build_object('replacedAt', now() - interval '1 hour'))
      FROM jsonb_array_elements(predecessors) AS entry
    ) WHERE predecessors <> '[]'`);
}
