import { createClient } from '../client.ts';
import { connectClient } from '../systems/temporal/connect.ts';
import { payloadKeysOf } from '../wiring/payload-keys.ts';
import { notLookedAt, ok, warning, type Check } from './check.ts';

/** What Argo CD and the pods run, against what was promoted last. */
export const drift: Check = {
  name: 'What runs',
  async *look({ config }) {
    const client = await connectClient(payloadKeysOf(config)).catch(() => undefined);
    if (!client) {
      yield notLookedAt('What runs', 'Temporal');
      return;
    }
    try {
      const { environments } = await createClient(client, config.platform).list({ live: true, limit: 1 });
      const seen = environments.filter(({ live }) => live);
      if (seen.length < environments.length) {
        yield notLookedAt('What runs', 'what the workers of the queue wait see');
        return;
      }
      for (const { service, environment, live } of seen) {
        if (!live?.drift) continue;
        const { what, since, remedy } = live.drift;
        const lasted = since === undefined ? '' : ` Since ${since}.`;
        yield warning(`${service} in ${environment}`, `${what}${lasted}`, remedy);
      }
      if (seen.every(({ live }) => !live?.drift)) {
        yield ok('What runs', `${seen.length} times a service in an environment: as promoted.`);
      }
    } finally {
      await client.connection.close();
    }
  },
};
