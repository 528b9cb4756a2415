const UNSEEN = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;
/** Ordinary letters of Armenian, Thai and Lao that Unicode lists as compatibility forms. */
const ORDINARY_LETTERS = /[\u0587\u0e33\u0eb3\u0edc\u0edd]/g;

/** Whether an e-mail has invisible characters, or compatibility forms such as fullwidth letters. */
export function hiddenCharacters(email: string): boolean {
  const text = email.replace(ORDINARY_LETTERS, '');
  return UNSEEN.test(text) || text.normalize('NFC') !== text.normalize('NFKC');
}
