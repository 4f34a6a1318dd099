import type { ErrorRows } from './entry.ts';

/** E1xx: contract and eligibility (DOMAIN §4). Decided by the server; a gateway and its page only show them. */
export const eligibilityErrors = {
  ELIG_NOT_MET: {
    number: 'E100',
    summary: {
      ja: '提供条件を満たしていないため、配信できません。お客さまにご確認ください。',
      en: 'The provision conditions are not met, so the software cannot be delivered. Please ask the customer.',
    },
    remedy: {
      ja: '理由はお客さまにご確認ください。お客さまの同意を登録すると、理由を表示できます。',
      en: 'Ask the customer for the reason; it is shown here once the customer has consented to that.',
    },
    who: 'customer',
    retry: 'after-operator',
  },
  ELIG_LINE: {
    number: 'E101',
    summary: { ja: 'ご契約の回線（{line}）は、本サービスの対象外です。', en: 'The contracted line ({line}) is outside this service.' },
    remedy: { ja: '対象の回線への変更を、運用者にお申し込みください。', en: 'The customer applies to the operator for an eligible line.' },
    collab: {
      ja: '対象の回線への変更を、ご契約の光コラボレーション事業者にお申し込みください。',
      en: 'The customer applies to its collaboration carrier for an eligible line.',
    },
    who: 'customer',
    retry: 'after-operator',
    variants: {
      'no-new-orders': {
        summary: {
          ja: 'ご契約の回線（{line}）では、新たな配信のお申し込みの受付を終了しました。',
          en: 'New deliveries over the contracted line ({line}) can no longer be ordered.',
        },
      },
    },
  },
  ELIG_NO_GATEWAY: {
    number: 'E102',
    summary: { ja: 'ホームゲートウェイのご利用を確認できません。', en: 'No home gateway is known to be in use.' },
    remedy: { ja: 'ホームゲートウェイを設置してください。', en: 'Have a home gateway installed.' },
    collab: {
      ja: 'ホームゲートウェイの設置を、ご契約の光コラボレーション事業者にお申し込みください。',
      en: 'The customer asks its collaboration carrier for a home gateway.',
    },
    who: 'installer',
    retry: 'after-operator',
  },
  ELIG_MODEL: {
    number: 'E103',
    summary: {
      ja: 'お使いのホームゲートウェイ（{model}）は、本サービスの対象機種ではありません（{date}現在の対象機種：{series}）。',
      en: 'The home gateway ({model}) is not an eligible model (eligible as of {date}: {series}).',
    },
    remedy: { ja: '運用者が、対象機種のホームゲートウェイと交換します。', en: 'The operator exchanges the gateway for an eligible model.' },
    who: 'operator',
    retry: 'after-operator',
    variants: {
      'no-new-orders': {
        summary: {
          ja: 'お使いのホームゲートウェイ（{model}）では、新たな配信のお申し込みの受付を終了しました（{date}現在、受け付けている機種：{series}）。',
          en: 'New deliveries to the home gateway ({model}) can no longer be ordered (open to orders as of {date}: {series}).',
        },
      },
    },
  },
  ELIG_NO_PHONE_OR_RENTAL: {
    number: 'E104',
    summary: {
      ja: 'ひかり電話またはホームゲートウェイ（レンタル）のご契約が必要です。',
      en: 'A Hikari Denwa contract or a home gateway rental contract is required.',
    },
    remedy: { ja: 'いずれかのご契約を、運用者にお申し込みください。', en: 'The customer applies to the operator for one of the two.' },
    collab: {
      ja: 'いずれかのご契約を、光コラボレーション事業者にお申し込みください。',
      en: 'The customer applies to its collaboration carrier for one of the two.',
    },
    who: 'customer',
    retry: 'after-operator',
  },
  ELIG_OFFICE_EQUIPMENT: {
    number: 'E105',
    summary: {
      ja: 'ひかり電話オフィスタイプまたはひかり電話オフィスA（エース）の対応アダプターやビジネスフォンなどをホームゲートウェイに接続してご利用のため、配信できません。',
      en: 'An adapter or business telephone for Hikari Denwa Office Type or Office A is connected to the home gateway, so delivery is not possible.',
    },
    remedy: {
      ja: '機器を取り外すか、ご契約を変更してください。そのあと、もう一度確認します。',
      en: 'Remove the equipment or change the contract, then check again.',
    },
    who: 'customer',
    retry: 'after-operator',
  },
  ELIG_TYPE_CHANGE: {
    number: 'E106',
    summary: {
      ja: '「ひかり電話タイプ変更」のお申し込みが必要です。変更が完了したあとに配信します。',
      en: 'An application for the Hikari Denwa type change is required. Delivery follows once the change is complete.',
    },
    remedy: {
      ja: '「ひかり電話タイプ変更」を、運用者にお申し込みください。',
      en: 'The customer applies to the operator for the Hikari Denwa type change.',
    },
    collab: {
      ja: '「ひかり電話タイプ変更」を、ご契約の光コラボレーション事業者または運用者にお申し込みください。',
      en: 'The customer applies to its collaboration carrier or to the operator for the Hikari Denwa type change.',
    },
    who: 'customer',
    retry: 'after-operator',
    variants: {
      applied: {
        summary: { ja: '「ひかり電話タイプ変更」の完了を待っています。', en: 'Waiting for the Hikari Denwa type change to be completed.' },
        remedy: { ja: '変更が完了すると、自動的に配信します。', en: 'Delivered by itself once the change is complete.' },
        who: 'operator',
      },
    },
  },
  ELIG_CONTRACT_ENDED: {
    number: 'E107',
    summary: {
      ja: '回線またはホームゲートウェイのご契約の解約に伴い、本サービスは自動的に廃止となりました。',
      en: 'The line or home gateway contract was cancelled, so this service has ended automatically.',
    },
    remedy: {
      ja: 'ソフトウェアは削除されます。引き続きご利用になるには、新たにお申し込みください（受付：運用者）。',
      en: 'The software is removed. To use it again, apply anew (taken by the operator).',
    },
    collab: {
      ja: 'ソフトウェアは削除されます。引き続きご利用になるには、新たにお申し込みください（受付：光コラボレーション事業者）。',
      en: 'The software is removed. To use it again, apply anew (taken by the collaboration carrier).',
    },
    who: 'operator',
    retry: 'never',
  },
  ELIG_OFFICE_UNKNOWN: {
    number: 'E108',
    summary: {
      ja: 'ホームゲートウェイに接続された電話機器（対応アダプター、ビジネスフォンなど）の確認が必要なため、配信を保留しています。',
      en: 'Delivery is on hold until somebody confirms which telephone equipment is connected to the home gateway.',
    },
    remedy: {
      ja: '現地で接続機器を確認し、結果を登録します（tsugite-agent confirm office-equipment=no）。',
      en: 'Look at the equipment on site and record the result (tsugite-agent confirm office-equipment=no).',
    },
    who: 'installer',
    retry: 'after-operator',
  },
  CUSTOMER_UNKNOWN: {
    number: 'E112',
    summary: { ja: 'お客さまIDを確認できません。', en: 'The customer ID is not known.' },
    remedy: {
      ja: '「お申し込みのご案内」に記載のお客さまIDを確認し、登録し直してください。',
      en: 'Check the customer ID printed in the application guide and enter it again.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  DEVICE_NOT_BOUND: {
    number: 'E113',
    summary: { ja: 'このホームゲートウェイは、ご登録の機器と異なります。', en: 'This home gateway is not the registered one.' },
    remedy: {
      ja: '運用者が、機器の登録を変更します（tsugite-server contract swap-device）。',
      en: 'The operator rebinds the device (tsugite-server contract swap-device).',
    },
    who: 'operator',
    retry: 'after-operator',
    variants: {
      swapped: {
        summary: {
          ja: 'ホームゲートウェイの交換を確認しました。ソフトウェアを再配信します。以前の設定は引き継がれません。',
          en: 'The home gateway was exchanged. The software is delivered again; earlier settings are not carried over.',
        },
        remedy: { ja: '操作は不要です。自動的に再配信します。', en: 'Nothing to do: delivered again by itself.' },
        who: 'nobody',
        retry: 'later',
      },
      none: {
        summary: { ja: 'この拠点には、ホームゲートウェイが登録されていません。', en: 'No home gateway is registered at this site.' },
        remedy: {
          ja: '運用者が、ホームゲートウェイを登録します（tsugite-server gateway add）。',
          en: 'The operator registers the home gateway (tsugite-server gateway add).',
        },
      },
    },
  },
  ENTITLEMENT_LAPSED: {
    number: 'E114',
    summary: {
      ja: '配信サーバーから{entitledUntil}以降の利用確認を受けていないため、ソフトウェアを停止しています。',
      en: 'No entitlement beyond {entitledUntil} has come from the delivery server, so the software is stopped.',
    },
    remedy: {
      ja: '回線の接続を確認してください。確認が取れると自動的に再開します。',
      en: 'Check the line; the software starts again by itself once the entitlement is renewed.',
    },
    who: 'installer',
    retry: 'later',
  },
} as const satisfies ErrorRows;
