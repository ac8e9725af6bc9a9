// The few calls of the forge's API that seeding needs.
import { counted } from './build-order.ts';
import { forgeUrl } from './gitea.ts';
import { failure } from './processes.ts';
import { messageOf } from './until.ts';

type Answer = Record<string, unknown>;

export interface ForgeApi {
  /** @throws Error with what the forge said, unless its status is 2xx or one of `accepted` */
  call(
    method: string,
    path: string,
    body?: object,
    accepted?: number[],
  ): Promise<{ status: number; body: Answer }>;
}

export const forgeApi = (authorization: string): ForgeApi => ({
  async call(method, path, body, accepted = []) {
    const request = {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    };
    const { answer, text } = await counted(fetch(`${forgeUrl}/api/v1${path}`, request)).then(
      async (answer) => ({ answer, text: await answer.text() }),
      (error: unknown) => {
        throw failure('gitea', `did not answer ${method} ${path} (${messageOf(error)})`);
      },
    );
    if (!answer.ok && !accepted.includes(answer.status)) {
      throw new Error(`the forge answered ${answer.status} to ${method} ${path}: ${text.slice(0, 300)}`);
    }
    return { status: answer.status, body: parse(text) };
  },
});

function parse(text: string): Answer {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return {};
  }
}
