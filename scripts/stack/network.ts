// The bridge between host and pods. Its address exists before anything listens on it.
import { readFileSync, writeFileSync } from 'node:fs';
import { bridge } from './paths.ts';
import { run, succeeds } from './run.ts';

export async function ensureBridge(): Promise<void> {
  const { name, gateway, prefix } = bridge;
  if (!(await succeeds('ip', ['link', 'show', name]))) {
    await run('ip', ['link', 'add', name, 'type', 'bridge', 'forward_delay', '0']);
  }
  await run('ip', ['address', 'replace', `${gateway}/${prefix}`, 'dev', name]);
  await run('ip', ['link', 'set', name, 'up']);
  // Packets from pods to services are forwarded; the setting lives and ends with the device.
  const forwarding = `/proc/sys/net/ipv4/conf/${name}/forwarding`;
  if (readFileSync(forwarding, 'utf8').trim() !== '1') writeFileSync(forwarding, '1');
}

/** The ends of pods' cables that outlived their pods. */
export async function removeCables(): Promise<void> {
  if (!(await succeeds('ip', ['link', 'show', bridge.name]))) return;
  const links = JSON.parse((await run('ip', ['-json', 'link', 'show', 'master', bridge.name])) || '[]') as {
    ifname: string;
  }[];
  for (const { ifname } of links) await succeeds('ip', ['link', 'delete', ifname]);
}

export async function removeBridge(): Promise<void> {
  await removeCables();
  await succeeds('ip', ['link', 'delete', bridge.name]);
}

/** kube-proxy's rules: dead, they would still catch packets to the services' addresses. */
export async function removeServiceRules(): Promise<void> {
  for (const family of ['ip', 'ip6']) await succeeds('nft', ['delete', 'table', family, 'kube-proxy']);
}
