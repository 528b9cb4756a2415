import type { Server } from 'node:net';

/** Rejects if the port cannot be used, with what to do about it; `setting` names where it comes from. */
export function listening(
  server: Server,
  { port, host, setting }: { port: number; host?: string | undefined; setting: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE'
          ? `port ${port} is taken: set ${setting} to another one`
          : `port ${port} cannot be used: ${error.message}`;
      reject(new Error(reason, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}
