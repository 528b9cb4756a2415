import type { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';

/** What node-postgres has of a connection, and does not declare. */
interface Connection {
  stream: Socket;
  attachListeners(stream: Socket): void;
  emit(name: 'sslconnect'): void;
}

/** PostgreSQL's reply to a request for TLS when it has none. */
const NO_TLS = 'N';

/**
 * libpq's `prefer`: encrypted if the server offers it, otherwise not. Each connection finds out for
 * itself, since the server may be another one after a failover. It costs no round trip: a server
 * without TLS goes on with the same connection, where node-postgres would give up.
 */
export class PreferTlsClient extends Client {
  constructor(config?: ClientConfig) {
    super(config);
    const { connection } = this as unknown as { connection: Connection };
    connection.stream.once('connect', () => {
      continueWithoutTls(connection);
    });
  }
}

function continueWithoutTls(connection: Connection): void {
  const { stream } = connection;
  const [onReply] = stream.listeners('data');
  stream.removeAllListeners('data');
  stream.once('data', (reply: Buffer) => {
    if (reply.toString() !== NO_TLS) {
      onReply?.call(stream, reply);
      return;
    }
    connection.attachListeners(stream);
    connection.emit('sslconnect');
  });
}
