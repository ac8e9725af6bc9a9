interface Command {
  /** Program and arguments; no shell reads them. */
  command: string[];
  cwd: string;
  /** All of the environment, besides PATH, HOME and LANG. */
  env: Record<string, string>;
  timeoutMs: number;
  /** Ends the command when it aborts. */
  signal: AbortSignal;
  onOutput: (text: string) => void;
}

type CommandResult = { state: 'ended'; exitCode: number } | { state: 'timed-out' };

export interface CommandRunner {
  /** @throws the signal's reason when it aborts; Error when the command cannot be started */
  run(command: Command): Promise<CommandResult>;
}
