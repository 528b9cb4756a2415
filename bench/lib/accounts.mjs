/** The web page that the requests come from: another origin, so that CORS has its work to do. */
export const CLIENT_ORIGIN = 'http://localhost:5173';

export const BROWSER_HEADERS = {
  origin: CLIENT_ORIGIN,
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  accept: 'application/json',
};
export const JSON_HEADERS = { ...BROWSER_HEADERS, 'content-type': 'application/json' };

export const PASSWORD = 'correct horse battery staple';

/** So many registrations at a time: more would only wait for the password hash. */
const BATCH = 8;

/** @param {Response} response @returns {Record<string, string>} */
function cookiesOf(response) {
  return Object.fromEntries(
    response.headers.getSetCookie().map((line) => /^([^=]+)=([^;]*)/.exec(line).slice(1, 3)),
  );
}

/**
 * Signs up one user and stays signed in.
 * @param {string} url
 * @param {number} number
 */
async function signUp(url, number) {
  const email = `user${number}@example.com`;
  const response = await fetch(url, {
    method: 'POST',
    headers: JSON_HEADERS,
    body: JSON.stringify({
      firstName: 'Ada',
      lastName: 'Lovelace',
      name: 'Ada Lovelace',
      email,
      password: PASSWORD,
    }),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return { email, cookies: cookiesOf(response) };
}

/**
 * Signs up so many users, each with a session of its own.
 * @param {string} url where to
 * @param {number} count
 * @param {number} [taken] so many users are there already
 */
export async function signUpAll(url, count, taken = 0) {
  const accounts = [];
  while (accounts.length < count) {
    const size = Math.min(BATCH, count - accounts.length);
    const numbers = Array.from({ length: size }, (_value, i) => taken + accounts.length + i + 1);
    accounts.push(...(await Promise.all(numbers.map((number) => signUp(url, number)))));
  }
  return accounts;
}
