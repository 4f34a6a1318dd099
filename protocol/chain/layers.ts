import { TsugiteError } from '../errors.ts';

/** Where in a package a check failed, from the outside in; `tsugite verify` says it (DESIGN §8). */
export type Layer = 'outer' | 'envelope' | 'chain' | 'manifest' | 'payload' | 'limits';

/** Adds the layer to what `job` throws. */
export function inLayer<Result>(layer: Layer, job: () => Result): Result {
  try {
    return job();
  } catch (error) {
    if (!(error instanceof TsugiteError) || 'layer' in error.detail) throw error;
    throw new TsugiteError(error.code, { ...error.detail, layer }, { cause: error.cause ?? error });
  }
}
