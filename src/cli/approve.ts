import type { Command } from 'commander';
import { registerDecision } from './decide.ts';

export const register = (program: Command): void =>
  registerDecision(program, 'approve', 'Shows what would run, and approves exactly that.');
