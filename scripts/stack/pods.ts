// What a namespace's pods say of themselves, for whoever waited for them in vain.
import { kubectl } from './control-plane.ts';
import { lastLines } from './run.ts';
import { messageOf } from './until.ts';

interface Pods {
  items: {
    metadata: { name: string };
    status: { conditions?: { type: string; status: string }[] };
  }[];
}

/** Their states, what Kubernetes warned of, and the last lines of each that is not ready. */
export async function describePods(namespace: string): Promise<string> {
  const said = await Promise.all([
    ask(['get', 'pods', '-n', namespace, '-o=wide']),
    ask(['get', 'events', '-n', namespace, '--field-selector=type=Warning', '--sort-by=.lastTimestamp']),
    unreadyPods(namespace).then(
      (names) => Promise.all(names.map((name) => lastWords(namespace, name))),
      () => [], // the first question has told why
    ),
  ]);
  return said.flat().filter(Boolean).join('\n');
}

async function unreadyPods(namespace: string): Promise<string[]> {
  const { items } = JSON.parse(await kubectl(['get', 'pods', '-n', namespace, '-o=json'])) as Pods;
  const ready = ({ status }: Pods['items'][number]) =>
    status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return items.filter((pod) => !ready(pod)).map(({ metadata }) => metadata.name);
}

const lastWords = (namespace: string, pod: string): Promise<string> =>
  ask(['logs', '-n', namespace, pod, '--all-containers', '--prefix', '--tail=5']);

const ask = (question: readonly string[]): Promise<string> =>
  kubectl(question).then((answer) => lastLines(answer), messageOf);
