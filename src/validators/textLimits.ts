/** In UTF-16 code units, before normalization, which takes quadratic time. Twice the longest field. */
export const MAX_RAW_LENGTH = 512;
