import { httpProxy } from './http-proxy.ts';

/**
 * What happens to one request: `lose` lets it through and hangs up without the answer, `cut` in the middle of it;
 * `arrives` changes what the store gets, `answers` what it gives.
 */
type Mishap =
  | 'lose'
  | 'cut'
  | { status: number; code: string }
  | { arrives: (body: Buffer) => Buffer }
  | { answers: (body: Buffer) => Buffer };

export interface StoreProxy {
  endpoint: string;
  /** Asked for every request; undefined lets it pass. */
  mishap: (method: string, path: string) => Mishap | undefined;
  close(): void;
}

/** Stands in front of a store of backups and lets happen what a bad day brings. */
export async function storeProxy(target: string): Promise<StoreProxy> {
  const proxy = { mishap: (_method: string, _path: string): Mishap | undefined => undefined };
  const { endpoint, close } = await httpProxy(new URL(target), async (asked, pass) => {
    const mishap = proxy.mishap(asked.method, asked.url);
    if (mishap === undefined) return pass(asked);
    if (mishap === 'lose') {
      await pass(asked);
      return undefined;
    }
    if (mishap === 'cut') return { ...(await pass(asked)), cut: true };
    if ('status' in mishap) return failure(mishap);
    if ('arrives' in mishap) return pass({ ...asked, body: mishap.arrives(asked.body) });
    const answer = await pass(asked);
    return { ...answer, body: mishap.answers(answer.body) };
  });
  return Object.assign(proxy, { endpoint, close });
}

/** In the form that S3 and Azure share. */
const failure = ({ status, code }: { status: number; code: string }) => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`),
});
