// What a release brings that cannot read what an environment carries.
export { deliverService } from '../../src/workflows/index.ts';

export async function environment(): Promise<void> {
  throw new TypeError("Cannot read properties of undefined (reading 'waiting')");
}
