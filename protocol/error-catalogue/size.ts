import type { ErrorRows } from './entry.ts';

const tooLarge = {
  ja: 'ソフトウェアのサイズが{limitName}の条件（{limit}バイト未満）を満たしていません（測定値：{actual}バイト）。',
  en: 'The size of the software does not meet the limit of {limitName} (below {limit} bytes; measured: {actual} bytes).',
} as const;

/** E3xx: sizes and room (DOMAIN §3, §8.1). */
export const sizeErrors = {
  SIZE_INVALID: {
    number: 'E301',
    summary: {
      ja: 'ソフトウェアのサイズが正しくありません（0バイトなど）。',
      en: 'The size of the software is not valid (0 bytes, for example).',
    },
    remedy: { ja: '事業者が、中身のあるソフトウェアを作成し直します。', en: 'The provider packs software that has content.' },
    who: 'provider',
    retry: 'never',
  },
  SIZE_OVER_MENU: {
    number: 'E302',
    summary: tooLarge,
    remedy: {
      ja: '事業者が、配信サーバーに保管するファイルの合計を小さくするか、対応機種を減らします。',
      en: 'The provider shrinks the stored packages, or drops a model.',
    },
    who: 'provider',
    retry: 'never',
    defaults: { limitName: { ja: 'メニュー', en: 'the menus' } },
  },
  SIZE_OVER_PLAN: {
    number: 'E303',
    summary: tooLarge,
    remedy: { ja: '事業者が、ソフトウェアを小さくします。', en: 'The provider shrinks the software.' },
    who: 'provider',
    retry: 'never',
    defaults: { limitName: { ja: 'プラン', en: 'the plans' } },
  },
  SIZE_OVER_LIMIT: {
    number: 'E304',
    summary: tooLarge,
    remedy: {
      ja: '事業者が、ソフトウェアを小さくするか、この機種を対象から外します。',
      en: 'The provider shrinks the software, or drops the model.',
    },
    who: 'provider',
    retry: 'never',
    defaults: { limitName: { ja: '機種', en: 'the model' } },
    variants: {
      plan: {
        summary: {
          ja: 'ソフトウェアのサイズがご契約のプランの条件（{limit}バイト未満）を満たしていません（測定値：{actual}バイト）。',
          en: 'The size of the software does not meet the limit of the contracted plan (below {limit} bytes; measured: {actual} bytes).',
        },
        remedy: {
          ja: '事業者が、ソフトウェアを小さくするか、プランを変更します。',
          en: 'The provider shrinks the software, or changes the plan.',
        },
      },
    },
  },
  STORE_NO_SPACE: {
    number: 'E305',
    summary: {
      ja: '保存領域の空きが不足しています（必要：{need}バイト、空き：{free}バイト）。',
      en: 'There is not enough storage (needed: {need} bytes, free: {free} bytes).',
    },
    remedy: {
      ja: 'ほかのソフトウェアを減らすか、空きができるまでお待ちください。空きができると自動的に再実行します。',
      en: 'Remove other software, or wait; tried again by itself once there is room.',
    },
    who: 'operator',
    retry: 'later',
    variants: {
      'data-limit': {
        summary: {
          ja: '保存されているデータ（{actual}バイト）が新しい上限（{limit}バイト）より多いため、データ領域を小さくしていません。',
          en: 'More data ({actual} bytes) are kept than the new limit ({limit} bytes) allows, so the storage was not made smaller.',
        },
        remedy: {
          ja: '事業者が、ソフトウェアの保存するデータを減らします。次の起動時に自動的に小さくします。',
          en: 'The provider makes the software keep less; it is made smaller by itself at the next start.',
        },
        who: 'provider',
      },
    },
  },
  SOFTWARE_COUNT_REACHED: {
    number: 'E307',
    summary: {
      ja: 'このホームゲートウェイに配信できるソフトウェアの数が上限（{limit}）に達しています。',
      en: 'The number of software that this gateway may have ({limit}) is reached.',
    },
    remedy: {
      ja: 'お客さまの意向を確認し、いずれかのソフトウェアを減らします。',
      en: 'Ask the customer which software to remove.',
    },
    who: 'customer',
    retry: 'after-operator',
  },
  RESOURCES_OVER_LIMIT: {
    number: 'E308',
    summary: {
      ja: 'ソフトウェアが求める{limitName}（{actual}）が、この機種で使える量（{limit}）を超えています。',
      en: 'The software asks for more {limitName} ({actual}) than the model grants ({limit}).',
    },
    remedy: {
      ja: '事業者が、manifest.json の resources を機種の範囲に直すか、この機種を対象から外します。',
      en: 'The provider lowers resources in manifest.json, or drops the model.',
    },
    who: 'provider',
    retry: 'never',
    defaults: { limitName: { ja: '資源', en: 'resources' } },
  },
} as const satisfies ErrorRows;
