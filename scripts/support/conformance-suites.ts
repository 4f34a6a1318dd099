/** Which tests stand for which promise. A suite is a promise that somebody outside may want to see counted. */

export type ConformanceSuite = {
  readonly name: string;
  readonly promise: { readonly ja: string; readonly en: string };
  /** Vitest's file filters: parts of paths. */
  readonly files: readonly string[];
};

export const conformanceSuites: readonly ConformanceSuite[] = [
  {
    name: 'attacks',
    promise: {
      ja: '名前のある攻撃は、動いているエージェントに対して実際に行い、どれも防がれる（docs/SECURITY-MODEL.md）',
      en: 'every named attack is made against a running agent, and ends as docs/SECURITY-MODEL.md says',
    },
    files: [
      'test/attacks/notices',
      'test/attacks/packages',
      'test/attacks/line',
      'test/attacks/roots-and-clocks',
      'test/attacks/slow-retrieval',
    ],
  },
  {
    name: 'packages',
    promise: { ja: '不正なパッケージは、種類ごとに決まった番号で拒否される', en: 'every kind of hostile package is refused with its code' },
    files: ['test/attacks/hostile-packages'],
  },
  {
    name: 'chains',
    promise: { ja: '不正な証明書チェーンは、2つの検証のどちらかで必ず拒否される', en: 'every hostile certificate chain is refused' },
    files: ['test/protocol/chain/'],
  },
  {
    name: 'vectors',
    promise: { ja: '第三者の署名検証ベクターと一致する', en: 'the verifier agrees with signature vectors made by others' },
    files: ['test/protocol/wycheproof'],
  },
];

export const suiteNames: readonly string[] = conformanceSuites.map(({ name }) => name);
