import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Client } from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import type { Config } from './config/schema.ts';
import { readSecret } from './config/secrets.ts';
import { sourceRepositories } from './config/sources.ts';
import { createApp } from './server/app.ts';
import { createCodecServer } from './server/codec.ts';
import { createForgeEvents } from './server/receive-webhook.ts';
import { forgeRepository } from './systems/forge/index.ts';
import { createCodec, type PayloadKey } from './systems/temporal/codec.ts';

/** 25 MB over a slow line; whoever takes longer holds a connection for nothing. */
const requestWithinMs = 30_000;
/** `/readyz` is asked every few seconds. */
const readyWithinMs = 2000;

export interface Server {
  url: string;
  /** Takes no new requests, and waits for those under way. */
  close(): Promise<void>;
}

/**
 * Listens for the forge's webhooks: `POST /webhooks/forge`, `GET /healthz`, `GET /readyz`; and, where one is configured,
 * is the codec server of the Temporal UI: `POST /codec/decode`, `POST /codec/encode`.
 */
export async function startServer({
  config,
  client,
  keys,
  port,
  host,
  log,
}: {
  config: Config;
  client: Client;
  /** What payloads are encrypted with. */
  keys: readonly PayloadKey[];
  /** 0: any that is free. */
  port: number;
  host: string;
  log: Logger;
}): Promise<Server> {
  const { platform, forge, repository } = config;
  const { owner, name } = forgeRepository(repository.url);
  const codec = config.temporal?.codec?.server;
  const app = createApp({
    ...(codec && {
      codec: createCodecServer({
        codec: createCodec(keys),
        token: () => readSecret(codec.token),
        origins: codec.origins,
      }),
    }),
    webhookSecret: () => forge.webhookSecret && readSecret(forge.webhookSecret),
    take: createForgeEvents({
      client,
      platform,
      repository: `${owner}/${name}`,
      branch: repository.branch,
      sources: sourceRepositories(config).map(({ source }) => {
        const place = forgeRepository(source.repository);
        return { repository: `${place.owner}/${place.name}`, branch: source.branch };
      }),
      deliverOnPush: forge.deliverOnPush,
    }),
    async checkTemporal() {
      await client.withDeadline(Date.now() + readyWithinMs, () =>
        client.workflowService.describeNamespace({ namespace: client.options.namespace }),
      );
    },
    log,
  });

  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: { requestTimeout: requestWithinMs },
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Error(`${host}:${port} cannot be listened on: ${error.message}. Choose another --port.`)),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host}:${address.port}`,
    close: () =>
      new Promise((resolve, reject) => void server.close((error) => (error ? reject(error) : resolve()))),
  };
}
