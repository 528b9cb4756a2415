export interface TestServer {
  host: string;
  port: number;
  username: string;
  password: string;
}

/** The database with the migrated schema, which is copied for every spec. */
export const TEMPLATE_DATABASE = 'auth_service_template';

/** Where this run's PostgreSQL listens. */
export function testServer(): TestServer {
  return JSON.parse(process.env.TEST_POSTGRES ?? '{}') as TestServer;
}
