import picomatch from 'picomatch';
import { environmentOf } from './environments.ts';
import type { Config } from './schema.ts';
import type { Service } from './services.ts';
import type { LayoutProblem } from './tree.ts';

/** Whether the end-to-end test of an environment follows a service's promotion into it. */
export function isTestedEndToEnd(config: Config, environment: string, service: string): boolean {
  const { endToEnd } = environmentOf(config, environment);
  return endToEnd !== undefined && (endToEnd.services?.some((pattern) => isCalled(service, pattern)) ?? true);
}

/** Patterns that no service's name fits: whoever wrote them takes a service for tested that is not. */
export const idleServicePatterns = (config: Config, services: readonly Service[]): LayoutProblem[] =>
  config.environments.flatMap(({ endToEnd }, i) =>
    (endToEnd?.services ?? [])
      .filter((pattern) => !services.some(({ name }) => isCalled(name, pattern)))
      .map((path) => ({
        path,
        message: `no service is called so: correct environments[${i}].endToEnd.services`,
      })),
  );

const isCalled = (service: string, pattern: string): boolean => picomatch.isMatch(service, pattern);
