import { parseArgs } from 'node:util';
import type { DataSource } from 'typeorm';
import { loadDatabaseConfig } from '../config';
import { rebuildSessions } from '../database/rebuildSessions';
import { revertMigration } from '../database/revertMigration';
import { runMigrations } from '../database/runMigrations';
import { CommandError } from './CommandError';
import { databaseLabel } from './databaseLabel';
import { runCommand } from './runCommand';
import { withDatabase } from './withDatabase';

const USAGE = 'usage: migrate [run | revert | partition [--partitions 8] | unpartition]';
const PARTITIONS = 8;
const MAX_PARTITIONS = 1_024;

const ACTIONS = {
  run: async (dataSource: DataSource) => {
    const run = await runMigrations(dataSource);
    return [`${run.length} migrations run`, ...run.map(({ name }) => name)];
  },
  revert: async (dataSource: DataSource) => {
    const name = await revertMigration(dataSource);
    return [name ? `reverted ${name}` : 'nothing to revert'];
  },
  partition: async (dataSource: DataSource, partitions: number) => {
    const count = await rebuildSessions(dataSource, partitions);
    return [
      count === undefined
        ? 'sessions are in partitions already'
        : `${count} sessions moved to ${partitions} partitions`,
    ];
  },
  unpartition: async (dataSource: DataSource) => {
    const count = await rebuildSessions(dataSource);
    return [
      count === undefined
        ? 'sessions are in one table already'
        : `${count} sessions moved to one table`,
    ];
  },
};
type Action = keyof typeof ACTIONS;

const isAction = (name: string): name is Action => Object.hasOwn(ACTIONS, name);

/** Runs the pending migrations, reverts the last one, or changes how sessions are stored. */
void runCommand((args) => {
  const { action, partitions } = read(args);
  const { database } = loadDatabaseConfig();
  return withDatabase(database, async (dataSource) => {
    const [outcome, ...names] = await ACTIONS[action](dataSource, partitions);
    return [`${outcome} in ${databaseLabel(database)}`, ...names].join('\n');
  });
});

function read(args: string[]): { action: Action; partitions: number } {
  const given = parse(args);
  const [action = 'run', ...rest] = given?.positionals ?? [];
  const { partitions } = given?.values ?? {};
  const count = Number(partitions ?? PARTITIONS);
  if (!given || !isAction(action) || rest.length > 0) throw new CommandError(USAGE);
  if (partitions !== undefined && action !== 'partition') throw new CommandError(USAGE);
  if (!Number.isInteger(count) || count < 2 || count > MAX_PARTITIONS)
    throw new CommandError(`--partitions must be a number from 2 to ${MAX_PARTITIONS}`);
  return { action, partitions: count };
}

function parse(args: string[]) {
  const options = { partitions: { type: 'string' } } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch {
    return undefined;
  }
}
