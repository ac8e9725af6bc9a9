import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { createCodec, createWorkerCodec, type PayloadKey } from './codec.ts';

const converter = `../../workflows/failure-converter${extname(import.meta.filename)}`;
/** Beside the workflows, which have it in their bundle. */
const failureConverterPath = fileURLToPath(new URL(converter, import.meta.url));

/** How clients write payloads, and read them and failures. */
export const clientConverter = (keys: readonly PayloadKey[]): DataConverter => ({
  payloadCodecs: [createCodec(keys)],
});

/** How workers do. With keys, messages and stack traces of failures are encrypted too. */
export const workerConverter = (keys: readonly PayloadKey[]): DataConverter => ({
  payloadCodecs: [createWorkerCodec(keys)],
  ...(keys.length > 0 && { failureConverterPath }),
});
