import type { Config } from '../config';

/** How a command names the database it worked on. */
export const databaseLabel = ({ name, host, port }: Config['database']) =>
  `database ${name} on ${host}:${port}`;
