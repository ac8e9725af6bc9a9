/** The crowd's platform. None of its systems is there: `simulating`. */
export const configurationOf = (platform: string, environments: string[]) => ({
  platform,
  repository: { url: 'https://forge.invalid/crowd/platform.git' },
  forge: { kind: 'gitea', url: 'https://forge.invalid', token: 'env:PATH' },
  registry: { image: 'registry.invalid/{service}' },
  objects: { bucket: 'crowd' },
  manifests: 'deploy/{service}',
  services: { discover: ['services/*'], test: ['true'] },
  environments: environments.map((name, index) => ({
    name,
    ...(index === 0 && { entersBy: 'push' }),
    ...(index > 0 && { approval: 'review' }),
    ...(index === 2 && { sync: 'manual' }),
    healthy: '6h',
  })),
});
