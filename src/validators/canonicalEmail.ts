import { domainToASCII } from 'node:url';

/**
 * One form for all spellings of a local part in capitals and small letters. Lower-casing alone keeps
 * ß, ẞ and SS apart, and σ and ς. Some letters (ẞ, İ) need a second round to arrive.
 */
function folded(text: string): string {
  const next = text.normalize('NFC').toUpperCase().toLowerCase().normalize('NFKC');
  return next === text ? text : folded(next);
}

/**
 * The one form of a mailbox, on write and on read: local part without case, domain in ASCII (UTS 46).
 * Empty if there is no such domain. Expects text that `hiddenCharacters` and a length limit let pass:
 * the conversion of a domain drops ignorable characters, and normalizing takes quadratic time.
 */
export function canonicalEmail(value: string): string {
  const email = value.trim();
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  // The converter reads URLs: it would decode "%61", and end the host at "/" or "?".
  const ascii = /[^\P{ASCII}a-z\d.-]/iu.test(domain) ? '' : domainToASCII(domain);
  return at < 0 || ascii === '' ? '' : `${folded(email.slice(0, at))}@${ascii}`;
}
