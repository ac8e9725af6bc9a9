import { z } from 'zod';
import { changeSchema } from '../delivery/change.ts';
import { digestSchema, imageReferenceSchema, nameSchema, shaSchema } from '../names.ts';
import type { DeliveryInput } from '../delivery/delivery.ts';
import type { EnvironmentInput, EnvironmentState, UnfinishedPromotion } from '../promotion/environment.ts';
import {
  outcomeStates,
  promotionStates,
  underWayStates,
  type Answer,
  type Ask,
  type Progress,
} from '../promotion/promotion.ts';
import { silenceSchema } from './silence.ts';

// What workflows take: starts and signals come from whoever reaches the namespace. Keys that are not known pass, since
// who sends may run newer code than who receives.

/** Longer than any wait that the configuration allows, and short enough for every clock. */
const milliseconds = z
  .int()
  .min(0)
  .max(366 * 86_400_000);
const text = z.string().max(4096);
const texts = z.array(text).max(1000);
const id = z.string().min(1).max(200);

const approvalSchema = z.discriminatedUnion('by', [
  z.looseObject({ by: z.enum(['none', 'review']) }),
  z.looseObject({
    by: z.literal('decisions'),
    quorum: z.int().min(1),
    expiresAfterMs: milliseconds,
    deciders: texts,
  }),
]);

export const askSchema: z.ZodType<Ask> = z.looseObject({
  id,
  asker: z.looseObject({ workflowId: z.string().min(1).max(500), runId: id }),
  release: z.looseObject({
    change: changeSchema,
    source: z.looseObject({
      position: z.int().min(1),
      subject: text,
      authors: texts,
      committedAt: text,
      base: shaSchema,
      manifests: shaSchema.exactOptional(),
      paths: texts,
    }),
    image: z.looseObject({ name: text, digest: digestSchema }).exactOptional(),
    removes: z.literal(true).exactOptional(),
  }),
  onto: changeSchema.exactOptional(),
  settings: z.looseObject({
    entersBy: z.enum(['push', 'pull-request', 'overlay']),
    approval: approvalSchema,
    sync: z.enum(['automated', 'manual']),
    endToEnd: z.boolean(),
    healthyWithinMs: milliseconds,
    reviewWithinMs: milliseconds,
    whileAsked: z.enum(['wait', 'replace']).exactOptional(),
    queue: z.enum(['delivery', 'production']),
    silence: silenceSchema.exactOptional(),
  }),
});

/** What has to be readable of an ask so that it can be answered. */
export const refusedAskSchema = z.looseObject({
  id,
  asker: z.looseObject({ workflowId: z.string().min(1).max(500), runId: id }),
});

export const withdrawalSchema = z.looseObject({ ask: askSchema, reason: text });
export const pullRequestChangeSchema = z.looseObject({ number: z.int() });

const seen = {
  waitingFor: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  logs: texts.exactOptional(),
};
const outcomeSchema = z.looseObject({
  state: z.enum(outcomeStates),
  ...seen,
});

export const answerSchema: z.ZodType<Answer> = z.looseObject({
  askId: id,
  environment: nameSchema,
  outcome: outcomeSchema,
});

export const progressSchema: z.ZodType<Progress> = z.looseObject({
  askId: id,
  environment: nameSchema,
  view: z.looseObject({
    state: z.enum(['pending', ...promotionStates]),
    ...seen,
  }),
});

export const deliveryInputSchema: z.ZodType<DeliveryInput> = z.looseObject({
  platform: nameSchema,
  change: changeSchema,
  image: imageReferenceSchema.exactOptional(),
});

const unfinishedSchema: z.ZodType<UnfinishedPromotion> = z.looseObject({
  ask: askSchema,
  view: z.looseObject({ state: z.enum(underWayStates) }),
});

const stateSchema: z.ZodType<EnvironmentState> = z.looseObject({
  waiting: z.array(askSchema),
  answered: z.array(
    z.looseObject({ askId: id, change: changeSchema, position: z.int(), outcome: outcomeSchema }),
  ),
  unfinished: unfinishedSchema.exactOptional(),
  unstored: z.boolean().exactOptional(),
  unrecalled: z.boolean().exactOptional(),
});

export const environmentInputSchema = z.looseObject({
  platform: nameSchema,
  environment: nameSchema,
  service: nameSchema,
  carried: stateSchema.optional(),
}) as z.ZodType<EnvironmentInput>;

/** Commits of the protected branch after `since`, up to `until` or its tip. */
export const rangeSchema = z.strictObject({ since: shaSchema, until: shaSchema.exactOptional() });
export type Range = z.infer<typeof rangeSchema>;

/** At most so many at once: each takes some two hundred bytes of a history. */
export const mostObserved = 500;
export const observationSchema = z.strictObject({
  platform: nameSchema,
  places: z
    .array(
      z.strictObject({
        environment: nameSchema,
        service: nameSchema,
        promoted: z
          .strictObject({
            change: changeSchema,
            revision: shaSchema,
            image: digestSchema.exactOptional(),
            overlay: shaSchema.exactOptional(),
          })
          .exactOptional(),
      }),
    )
    .max(mostObserved),
});
export type Observation = z.infer<typeof observationSchema>;

/** What is to be delivered; see `resolveChanges` of the activities. */
export const selectionSchema = z.strictObject({
  since: shaSchema.exactOptional(),
  until: shaSchema.exactOptional(),
  service: nameSchema.exactOptional(),
});
export type Selection = z.infer<typeof selectionSchema>;
