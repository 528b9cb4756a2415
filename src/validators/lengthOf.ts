/** The number of characters as a person counts them: Unicode code points. */
export const lengthOf = (text: string): number => Array.from(text).length;
