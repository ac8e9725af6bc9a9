import { imageNameOf, listServices } from '../config/services.ts';
import { tryPush } from '../systems/images/registry.ts';
import { registryAccessOf } from '../wiring/systems.ts';
import { ok, type Check } from './check.ts';

/** Whether images can be pushed. */
export const registry: Check = {
  name: 'registry',
  async *look({ config, tree }) {
    const access = registryAccessOf(config);
    // Where the repository cannot be read, a name that nobody has shows as much of the registry.
    const files = await tree().catch(() => undefined);
    const images = files
      ? listServices(config, files.files)
          .values()
          .map(({ image }) => image)
      : [];
    const image = [...images].find((name) => name !== undefined) ?? imageNameOf(config, 'doctor');
    await tryPush(access, image);
    yield ok('registry', `Takes pushes to ${image}.`);
  },
};
