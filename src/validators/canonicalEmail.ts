import { domainToASCII } from 'node:url';

/** Case folding: lower-casing alone does not unite ß, ẞ and SS, or σ and ς. Some letters need two rounds. */
function folded(text: string): string {
  const next = text.normalize('NFC').toUpperCase().toLowerCase().normalize('NFKC');
  return next === text ? text : folded(next);
}

/**
 * The canonical form of a mailbox: folded local part, domain in ASCII (UTS 46). Empty if the domain is not
 * valid. Check `hiddenCharacters` and the length first: the conversion drops ignorable characters, and
 * normalization takes quadratic time.
 */
export function canonicalEmail(value: string): string {
  const email = value.trim();
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  // The converter reads URLs: it would decode "%61" and end the host at "/" or "?".
  const ascii = /[^\P{ASCII}a-z\d.-]/iu.test(domain) ? '' : domainToASCII(domain);
  return at < 0 || ascii === '' ? '' : `${folded(email.slice(0, at))}@${ascii}`;
}
