import type { WorkKind } from '../../protocol/price-tables.ts';

/** 工事の種類 as people read it (DOMAIN D-21). */
export const workNames = {
  new: '新設 / new',
  change: '変更 / change',
  other: 'その他変更 / other change',
} as const satisfies Record<WorkKind, string>;
