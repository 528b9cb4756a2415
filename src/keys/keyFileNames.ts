/** The pair that signs, and the private key that signs next. One folder, so that a secret can be mounted. */
export const KEY_FILES = {
  private: 'private.pem',
  public: 'public.pem',
  next: 'next.pem',
} as const;

/** The public part of a key that signed before. */
export const retiredFile = (kid: string) => `retired.${kid}.pem`;

export const isRetiredFile = (name: string) => /^retired\..+\.pem$/.test(name);

export const isKeyFile = (name: string) =>
  (Object.values(KEY_FILES) as string[]).includes(name) || isRetiredFile(name);
