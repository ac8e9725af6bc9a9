// Whether a system answers.
import { get, type RequestOptions } from 'node:https';

/** With a status of success, and soon: one that only takes connections does not count. */
export async function answersOk(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  return answer?.ok === true;
}

/** For a server on this machine whose certificate is of its own making: only its health is asked, and nothing sent. */
export const unverified = { rejectUnauthorized: false };

/** What a server answers with status 200; else nothing. */
export function answerOf(url: string, tls: RequestOptions): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { ...tls, timeout: 2_000 }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (part: string) => (body += part));
      answer.once('end', () => resolve(answer.statusCode === 200 ? body : ''));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(''));
  });
}
