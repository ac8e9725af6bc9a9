import { z } from 'zod';

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof units;

/** `30s`, `10m`, `24h`, `7d`, held to what makes sense where it stands; milliseconds once read. */
export const duration = ({ least, most }: { least: string; most: string }) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,5}[smhd]$/, 'a duration is a number with s, m, h or d: 30s, 10m, 24h, 7d')
    .refine((text) => {
      const ms = milliseconds(text);
      return ms >= milliseconds(least) && ms <= milliseconds(most);
    }, `allowed are ${least} to ${most}`);

/** @param text as `duration` allows it */
export function milliseconds(text: string): number {
  return Number(text.slice(0, -1)) * units[text.slice(-1) as Unit];
}
