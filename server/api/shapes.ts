/** What answers of several routes are made of. */
import * as z from 'zod/mini';
import { randomId, softwareId } from '../../protocol/fields.ts';
import { type TargetState, targetMachine } from '../rules/targets.ts';
import { day } from './fields.ts';

/** A moment that may not have come. */
export const maybe = <Shape extends z.ZodMiniType>(shape: Shape) => z.nullable(shape);
export const code = z.string().check(z.regex(/^[A-Z][A-Z0-9_]{2,63}$/));
export const detail = z.record(z.string(), z.unknown());
export const both = z.strictObject({ ja: z.string(), en: z.string() });
export const menu = z.int().check(z.gte(1), z.lte(5));
export const targetState = z.enum(Object.keys(targetMachine) as TargetState[]);
export const eligibility = z.strictObject({
  result: z.enum(['ELIGIBLE', 'HOLD', 'INELIGIBLE', 'TERMINATED']),
  /** Every condition that is not met, in the sheet's words. */
  fired: z.array(z.strictObject({ code, result: z.enum(['HOLD', 'INELIGIBLE', 'TERMINATED']), clause: z.string(), detail })),
  day,
});
export const moves = z.array(
  z.strictObject({
    target: randomId,
    software: softwareId,
    event: z.string(),
    from: targetState,
    to: targetState,
    codes: z.array(code),
  }),
);
export const eligible = { result: 'ELIGIBLE', fired: [], day: '2026-11-22' } as const;
