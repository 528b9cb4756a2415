import type { Config } from '../config';

/** How commands name the database they worked on. */
export const databaseLabel = ({ name, host, port }: Config['database']) =>
  `database ${name} on ${host}:${port}`;
