import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import { attributes } from '../src/model/temporal/search-attributes.ts';
import { nightlyBackupId } from '../src/model/temporal/workflow-ids.ts';
import { scheduleBackup } from '../src/systems/temporal/setup.ts';
import { freePort } from './support/ports.ts';

/** A Temporal of one's own, which may be killed. */
function launchTemporal(port: number, database: string) {
  const address = ['--ip', '127.0.0.1', '--port', String(port), '--headless', '--db-filename', database];
  const known = Object.values(attributes).flatMap(({ name }) => ['--search-attribute', `${name}=Keyword`]);
  const options = { reject: false, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;
  return execa('temporal', ['server', 'start-dev', ...address, ...known], options);
}

const connected = (port: number): Promise<Client> =>
  vi.waitFor(
    async () => {
      const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
      const client = new Client({ connection });
      await client.workflow.count();
      return client;
    },
    { timeout: 30_000, interval: 200 },
  );

test(
  'a night that an outage of Temporal swallowed is made up for when it is back',
  { timeout: 180_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gitops-temporal-'));
    const [port, database] = [await freePort(), join(folder, 'temporal.db')];
    let server = launchTemporal(port, database);
    try {
      let client = await connected(port);
      // Cron knows minutes: the one that is to be missed must not come before the kill.
      await vi.waitFor(() => expect(new Date().getSeconds()).toBeLessThan(20), { timeout: 60_000 });
      const missed = Math.ceil(Date.now() / 60_000) * 60_000;
      const everyMinute = { cluster: 'prod', schedule: '* * * * *', timeZone: 'UTC' };
      await scheduleBackup(client, { platform: 'bakery', cluster: everyMinute.cluster }, everyMinute);
      const scheduleId = nightlyBackupId('bakery', 'prod');
      const taken = async () =>
        (await client.schedule.getHandle(scheduleId).describe()).info.recentActions.map(({ scheduledAt }) =>
          scheduledAt.getTime(),
        );
      // A schedule counts from when it was first looked at.
      await client.schedule.getHandle(scheduleId).trigger();
      await expect.poll(taken).toHaveLength(1);
      await client.connection.close();
      expect(Date.now()).toBeLessThan(missed);
      server.kill('SIGKILL');
      await server;

      await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(missed + 1000), { timeout: 90_000 });
      server = launchTemporal(port, database);
      client = await connected(port);
      await expect.poll(taken, { timeout: 30_000 }).toContain(missed);
      await client.connection.close();
    } finally {
      server.kill('SIGKILL');
      await server;
      await rm(folder, { recursive: true, force: true });
    }
  },
);
