import compare from 'semver/functions/compare.js';
import type { Version } from './fields.ts';

/** Semantic Versioning 2.0.0 §11: negative when `left` is the older one, 0 when they are equal. */
export function compareVersions(left: Version, right: Version): number {
  return compare(left, right);
}
