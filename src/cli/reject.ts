import type { Command } from 'commander';
import { registerDecision } from './decide.ts';

export const register = (program: Command): void =>
  registerDecision(program, 'reject', 'Keeps a change out of an environment. One reject is final.');
