/**
 * How long a text may be, in UTF-16 code units, before it is trimmed or normalized: normalizing takes
 * quadratic time. It is twice the longest field, which leaves room for surrogate pairs, decomposed
 * letters and spaces around the text.
 */
export const MAX_RAW_LENGTH = 512;
