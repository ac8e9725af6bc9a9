import { DefaultLogger, Runtime } from '@temporalio/worker';
import { environmentId } from '../src/model/temporal/workflow-ids.ts';
import { pullRequestChanged } from '../src/model/temporal/messages.ts';
import { runsOf } from '../test/support/histories.ts';
import { billOf, type Bill } from './billing.ts';
import { carry } from './carry.ts';
import { openCountingProxy } from './counting-proxy.ts';
import { makeDeliveryPlatform, type DeliveryPlatform } from './delivery-platform.ts';
import { judged, rangeOf, side, type Parameters, type Report } from './harness.ts';
import { billAfterWaiting } from './waiting.ts';
import { startWorker } from './worker.ts';

const minute = 60_000;
const waits = { '1 minute': minute, '1 day': 24 * 60 * minute };

const mostActions = 60;
const same = { atMost: 1 };
/** Of a service whose tests take their time. */
const testSeconds = 60;

/**
 * What a delivery through dev, staging (a review) and production (two decisions) costs. Counts, not times: each is taken
 * once, on a platform of its own.
 */
export async function run({ services = [10, 100, 1000] }: Parameters = {}): Promise<Report> {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  const report: Report = { sides: {}, ratios: {} };
  const actions: number[] = [];
  const requests: number[] = [];
  function add(name: string, bill: Bill) {
    actions.push(bill.actions);
    report.sides[`${name}: actions`] = side('actions', [bill.actions]);
    report.sides[`${name}: heartbeats`] = side('heartbeats, at most', [bill.heartbeats]);
    report.sides[`${name}: events`] = side('events', [bill.events]);
  }

  for (const count of services) {
    const { bill, kubernetes } = await delivered(count);
    add(`${count} services`, bill);
    requests.push(kubernetes);
    report.sides[`${count} services: Kubernetes requests`] = side('requests', [kubernetes]);
  }
  const tested = await delivered(2, ['sleep', `${testSeconds}`]);
  add(`${testSeconds} s of tests`, tested.bill);
  const { actions: billed, heartbeats, heartbeatsBefore } = tested.bill;
  report.ratios[`heartbeats with ${testSeconds} s of tests: now / as 0.1 sent them`] = judged(
    [heartbeats / heartbeatsBefore],
    { atMost: 0.5 },
  );
  report.ratios[`bill with ${testSeconds} s of tests: now / as 0.1 sent heartbeats`] = rangeOf([
    (billed + heartbeats) / (billed + heartbeatsBefore),
  ]);
  for (const [name, ms] of Object.entries(waits)) {
    add(`${name} of waiting`, await billAfterWaiting(ms));
  }
  const [minuteOfWaiting = NaN, dayOfWaiting = NaN] = actions.slice(-2);
  report.ratios[`actions: 1 day / 1 minute of waiting`] = judged([dayOfWaiting / minuteOfWaiting], same);
  if (services.length > 1) {
    const [least, most] = [services[0], services.at(-1)];
    const atEnds = (counts: number[]) => [(counts[services.length - 1] ?? NaN) / (counts[0] ?? NaN)];
    report.ratios[`actions: ${most} / ${least} services`] = judged(atEnds(actions), same);
    report.ratios[`Kubernetes requests: ${most} / ${least} services`] = rangeOf(atEnds(requests));
  }
  report.bounds = {
    'actions, everywhere': { unit: 'actions', ...judged([Math.max(...actions)], { atMost: mostActions }) },
  };
  return report;
}

/** One of the first two of many services is delivered after the other, which finds the worker cold. */
async function delivered(count: number, test = ['true']): Promise<{ bill: Bill; kubernetes: number }> {
  const services = Array.from({ length: count }, (_, index) => `service-${index + 1}`);
  const [first = '', second = ''] = services;
  const platform = await makeDeliveryPlatform({
    services,
    deployed: [first, second],
    environments: [
      { name: 'dev', entersBy: 'push' },
      { name: 'staging', approval: 'review' },
      { name: 'production', approval: { quorum: 2 }, sync: 'manual' },
    ],
    test,
  });
  const proxy = await openCountingProxy(platform.folder);
  const worker = await startWorker({ ...platform.env, KUBECONFIG: proxy.kubeconfig });
  try {
    await carried(platform, first);
    proxy.take();
    await carried(platform, second);
    const kubernetes = proxy.take();
    const runs = await runsOf(platform.temporal, platform.name);
    const own = runs.filter(({ workflowId }) => workflowId.split('/').includes(second));
    return { bill: billOf(own), kubernetes };
  } finally {
    await worker.end();
    proxy.close();
    await platform.remove();
  }
}

async function carried(platform: DeliveryPlatform, service: string): Promise<void> {
  const { name, gitops, temporal, gitea } = platform;
  const commit = await platform.commit(service);
  const review = async ({ number, head }: { number: number; head: string }) => {
    await gitea.review(number, 'reviewer', 'APPROVED', head);
    // As the server does when the forge tells it.
    const id = environmentId(name, 'staging', service);
    await temporal.workflow.getHandle(id).signal(pullRequestChanged, { number });
  };
  await platform.deliver(service, commit, () => carry(gitops, `${service}/${commit}`, { review }));
}
