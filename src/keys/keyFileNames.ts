/**
 * The key files, all in one folder, so that a mounted secret or `kubectl create secret
 * --from-file` can hold them: the key pair that signs, and the private key that signs after the next
 * activation. The public keys that signed before are in retired.*.pem.
 */
export const KEY_FILES = {
  private: 'private.pem',
  public: 'public.pem',
  next: 'next.pem',
} as const;

/** The file of a public key that signed before. */
export const retiredFile = (kid: string) => `retired.${kid}.pem`;

export const isRetiredFile = (name: string) => /^retired\..+\.pem$/.test(name);

export const isKeyFile = (name: string) =>
  (Object.values(KEY_FILES) as string[]).includes(name) || isRetiredFile(name);
