import { z } from 'zod';
import { configSchema } from './schema.ts';

/** As much of JSON Schema as is walked through here. */
export interface Shape {
  description?: string;
  default?: unknown;
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | boolean;
  items?: Shape;
  anyOf?: Shape[];
}

/** JSON Schema (2020-12) of what people write in `gitops.yaml`. */
export const jsonSchema = (): Shape =>
  // zod's own type leaves open whether a schema is `true` or `false`, which none of ours is.
  ({ title: 'gitops.yaml', ...z.toJSONSchema(configSchema, { io: 'input' }) }) as Shape;
