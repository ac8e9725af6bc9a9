import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Typed search attributes of every workflow of this program; `gitops setup` registers them. */
export const attributes = {
  platform: defineSearchAttributeKey('GitopsPlatform', SearchAttributeType.KEYWORD),
  service: defineSearchAttributeKey('GitopsService', SearchAttributeType.KEYWORD),
  environment: defineSearchAttributeKey('GitopsEnvironment', SearchAttributeType.KEYWORD),
  commit: defineSearchAttributeKey('GitopsCommit', SearchAttributeType.KEYWORD),
  state: defineSearchAttributeKey('GitopsState', SearchAttributeType.KEYWORD),
};

/** A term of a list filter: what has this value. */
export const termOf = (attribute: keyof typeof attributes, value: string): string =>
  `${attributes[attribute].name} = "${value}"`;
