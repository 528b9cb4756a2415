/**
 * The limit before normalization, which takes quadratic time, in UTF-16 code units. Twice the longest
 * field, because surrogate pairs and decomposed letters take several units.
 */
export const MAX_RAW_LENGTH = 512;
