import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';

interface Unreadable {
  readonly unreadable: string;
}

/**
 * How workflows read what they are sent. What another SDK or a codec has written in an encoding of its own would stop a
 * workflow for good, if a signal brought it: here it becomes a value that no schema takes.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context) => defaultPayloadConverter.toPayload(value, context),
  fromPayload(payload, context) {
    try {
      return defaultPayloadConverter.fromPayload(payload, context);
    } catch (error) {
      return { unreadable: String(error) } satisfies Unreadable as never;
    }
  },
};

export const isUnreadable = (value: unknown): value is Unreadable =>
  typeof value === 'object' && value !== null && 'unreadable' in value;
