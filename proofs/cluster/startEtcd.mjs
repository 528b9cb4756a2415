import { spawnSync } from 'node:child_process';
import { freePort } from '../../tests/harness/freePort.js';
import { Program } from '../../tests/harness/Program.js';
import { tempFolder } from '../../tests/harness/tempFolder.js';

/**
 * Before 3.0.3 (Debian 12 has 3.0.2) Patroni overwrites the leader key of etcd's version 3: a primary that
 * was frozen takes the cluster back from its successor, and what that had acknowledged is lost. With
 * version 2 of the API it compares first.
 */
function isV3Safe() {
  const { stdout } = spawnSync('patroni', ['--version'], { encoding: 'utf8' });
  const [major = 0, minor = 0, patch = 0] = (stdout.match(/\d+/g) ?? []).map(Number);
  return major * 10_000 + minor * 100 + patch >= 30_003;
}

/** Starts one node of etcd, which can be stopped and started again on its data. */
export async function startEtcd() {
  const [clients, peers] = [await freePort(), await freePort()].map(
    (port) => `http://127.0.0.1:${port}`,
  );
  const args = [
    ...['--name', 'etcd', '--data-dir', tempFolder('etcd')],
    ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
    ...['--initial-cluster', `etcd=${peers}`],
    ...(isV3Safe() ? [] : ['--enable-v2']),
  ].map(String);
  const start = async () => {
    const program = new Program('etcd', args);
    await program.responds(`${clients}/health`, 200);
    return program;
  };
  let running = await start();
  return {
    /** The variables that lead Patroni here. */
    env: {
      [isV3Safe() ? 'PATRONI_ETCD3_HOSTS' : 'PATRONI_ETCD_HOSTS']: new URL(String(clients)).host,
    },
    stop: () => running.stop(),
    restart: async () => {
      running = await start();
    },
  };
}
