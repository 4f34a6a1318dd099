import { pino } from 'pino';
import type { Log } from '../ports.ts';

/** One JSON line an event on stderr: stdout belongs to the command's answer. Written at once, so that the last line before a crash is there. */
export function makeLog(level: 'debug' | 'info' | 'warn' | 'error' | 'silent' = 'info', fd = 2): Log {
  const logger = pino(
    { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"`, formatters: { level: (label) => ({ level: label }) } },
    pino.destination({ fd, sync: true }),
  );
  return {
    info: (event, fields = {}) => logger.info({ event, ...withoutErrors(fields) }),
    warn: (event, fields = {}) => logger.warn({ event, ...withoutErrors(fields) }),
    error: (event, fields = {}) => logger.error({ event, ...withoutErrors(fields) }),
  };
}

/** An Error as its message and stack: a driver's error also carries the values of the row, and those may be personal data. */
function withoutErrors(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? { message: value.message, stack: value.stack } : value]),
  );
}
