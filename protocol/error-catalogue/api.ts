import type { ErrorRows } from './entry.ts';

/** E951–E959: with what the server's API refuses a call whose body was well formed. */
export const apiErrors = {
  API_UNAUTHENTICATED: {
    number: 'E951',
    summary: { ja: '認証情報がないか、正しくありません。', en: 'The access token is missing or wrong.' },
    remedy: {
      ja: '有効なトークンを指定してください（発行：tsugite-server token）。',
      en: 'Send a valid token (issued by tsugite-server token).',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  API_FORBIDDEN: {
    number: 'E952',
    summary: { ja: 'この操作は、あなたの役割（{role}）では許可されていません。', en: 'The role {role} may not do this.' },
    remedy: { ja: '権限のある担当者に依頼してください。', en: 'Ask somebody whose role allows it.' },
    who: 'operator',
    retry: 'after-operator',
    defaults: { role: { ja: '未認証', en: 'anonymous' } },
  },
  NOT_FOUND: {
    number: 'E953',
    summary: { ja: '{what}が見つかりません。', en: '{what} was not found.' },
    remedy: { ja: '名前または番号を確認してください。', en: 'Check the name or number.' },
    who: 'nobody',
    retry: 'never',
    defaults: { what: { ja: '指定されたもの', en: 'What was asked for' } },
  },
  CONFLICT: {
    number: 'E954',
    summary: { ja: '{what}は、すでに異なる内容で登録されています。', en: '{what} is already registered with other content.' },
    remedy: { ja: '最新の内容を確認してから、やり直してください。', en: 'Look at what is registered now, then try again.' },
    who: 'nobody',
    retry: 'never',
    defaults: { what: { ja: '指定されたもの', en: 'It' } },
  },
  SERVER_BUSY: {
    number: 'E955',
    summary: { ja: '配信サーバーが混み合っています。', en: 'The delivery server is busy.' },
    remedy: { ja: 'しばらくしてから、やり直してください。', en: 'Try again in a while.' },
    who: 'nobody',
    retry: 'later',
  },
  RATE_LIMITED: {
    number: 'E956',
    summary: {
      ja: '短時間に要求が多すぎます（上限：1分間に{limit}）。',
      en: 'Too many requests in a short time (limit: {limit} a minute).',
    },
    remedy: {
      ja: '{retryAfterS}秒待ってから、やり直してください。続く場合は、要求の間隔をあけてください。',
      en: 'Wait {retryAfterS} seconds and try again; if it goes on, ask less often.',
    },
    who: 'nobody',
    retry: 'later',
    variants: {
      'wrong-tokens': {
        summary: {
          ja: '正しくないトークンが続けて送られたため、しばらく認証を受け付けません。',
          en: 'Too many wrong tokens came from there: no new token is looked at for a while.',
        },
        remedy: {
          ja: '正しいトークンを指定し、{retryAfterS}秒待ってから、やり直してください。',
          en: 'Use the right token: wait {retryAfterS} seconds and try again.',
        },
      },
    },
    defaults: { retryAfterS: { ja: '60', en: '60' } },
  },
  REQUEST_KEY_REUSED: {
    number: 'E957',
    summary: {
      ja: '同じ Idempotency-Key が、別の内容の要求に使われています。',
      en: 'The same Idempotency-Key came with another request before.',
    },
    remedy: { ja: '別の要求には新しい値を使ってください。', en: 'Use a new key for another request.' },
    who: 'nobody',
    retry: 'never',
  },
  REQUEST_RUNNING: {
    number: 'E958',
    summary: { ja: '同じ Idempotency-Key の要求を処理しています。', en: 'The request with this Idempotency-Key is being carried out.' },
    remedy: { ja: '少し待ってから、同じ値でやり直してください。', en: 'Wait a little and send it again with the same key.' },
    who: 'nobody',
    retry: 'later',
  },
  VERSION_CHANGED: {
    number: 'E959',
    summary: { ja: '確認したあとに、ほかの人が内容を変更しました。', en: 'Somebody else changed it since you looked.' },
    remedy: { ja: '最新の内容を確認してから、やり直してください。', en: 'Look at what it is now, then try again.' },
    who: 'nobody',
    retry: 'never',
  },
} as const satisfies ErrorRows;
