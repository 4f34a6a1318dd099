import type { Answer } from '../../protocol/command-output.ts';
import { parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import { noSink, readPayload } from '../../protocol/package/payload-reader.ts';
import { readEnvelopeBytes, splitTsg, storedBytesOf } from '../../protocol/package/tsg.ts';
import { parseManifest } from '../../protocol/statements/manifest.ts';
import { grouped } from '../../protocol/text-table.ts';
import { isBuildFolder, readBuild } from '../adapters/build-folder.ts';
import { isFolder, openPackageFile } from '../adapters/files.ts';
import { type MeasuredPackage, type Measurement, type ModelVerdict, measureRelease } from '../rules/measurement.ts';
import { bytesText, yenText } from '../rules/texts.ts';
import { packInMemory } from './pack.ts';

/** Signature and two certificates, as an RSA-3072 signer under a provider CA has them. */
const signatureEstimateBytes = 4_500;

/** `tsugite measure`: what the release weighs, costs and runs on. Nothing is verified: that is `tsugite verify`. */
export async function measureInputs(inputs: readonly string[], options: { targets: string; model?: string }): Promise<Answer> {
  const targets = /^\d{1,9}$/.test(options.targets) ? Number(options.targets) : Number.NaN;
  if (Number.isNaN(targets)) throw new TsugiteError('USAGE_WRONG', { at: `--targets ${options.targets}` });
  const packages: MeasuredPackage[] = [];
  for (const input of inputs) packages.push(await measureOne(input));
  const measurement = measureRelease(packages, targets);
  if (options.model !== undefined) refuseUnlessTaken(measurement, options.model);
  const chosen = measurement.models.filter(({ model }) => options.model === undefined || model === options.model);
  return {
    value: {
      packages: packages.map(({ input, manifest, storedBytes, isEstimate }) => ({
        input,
        software: manifest.software,
        version: manifest.version,
        storedBytes,
        isEstimate,
        installedBytes: manifest.payload.installedBytes,
      })),
      ...measurement,
      menu: measurement.quote.menu,
      plan: measurement.quote.plan,
      models: chosen,
    },
    lines: linesOf(measurement, chosen),
  };
}

/** A .tsg file, a packed build or a source folder. */
export async function measureOne(input: string): Promise<MeasuredPackage> {
  if (isFolder(input)) {
    const { manifest, manifestBytes, payload } = isBuildFolder(input) ? await readBuild(input) : packInMemory(input);
    const envelopeBytes = Math.ceil(manifestBytes.length / 3) * 4 + signatureEstimateBytes;
    return { input, manifest, storedBytes: storedBytesOf(envelopeBytes, payload.length), isEstimate: true };
  }
  const file = openPackageFile(input);
  try {
    if (file.storedBytes >= limits.storedBytes)
      throw new TsugiteError('SIZE_OVER_MENU', { limit: limits.storedBytes, actual: file.storedBytes });
    const layout = splitTsg(file.readAt, file.storedBytes);
    const manifest = parseManifest(payloadOf(parseEnvelope(readEnvelopeBytes(file.readAt, layout))));
    await readPayload(file.readAt, layout.payload, manifest, noSink);
    return { input, manifest, storedBytes: file.storedBytes, isEstimate: false };
  } finally {
    file.close();
  }
}

function refuseUnlessTaken({ models }: Measurement, model: string): void {
  const verdict = models.find((each) => each.model === model);
  if (verdict === undefined) throw new TsugiteError('MODEL_UNKNOWN', { models: [model] });
  if (!verdict.accepted) throw new TsugiteError(verdict.code, { model, ...verdict.detail });
}

function linesOf(measurement: Measurement, models: readonly ModelVerdict[]): string[] {
  const { quote, otherReading, targets } = measurement;
  const estimate = measurement.isEstimate ? '（署名前の見積もり / before signing, estimated）' : '';
  return [
    `保管サイズ / stored:            ${bytesText(measurement.storedBytes)}${estimate} → メニュー${quote.menu}`,
    `インストール後 / installed:     ${bytesText(measurement.installedBytes)} → プラン${quote.plan}`,
    `月額 / a month (${grouped(targets)} 対象):  ${yenText(quote.monthly.baseYen)} + ${yenText(quote.monthly.targetsYen)} = ${yenText(quote.monthly.totalYen)}`,
    `一時費用 / one-off (新設):      契約料 ${yenText(quote.oneOff.contractYen)}、基本工事費 ${yenText(quote.oneOff.basicWorkYen)}、交換機等工事費 ${yenText(quote.oneOff.switchWorkYen)} = ${yenText(quote.oneOff.totalYen)}`,
    ...(otherReading === undefined
      ? []
      : [
          `注意 SIZE_UNIT_GREY: 「M」を 1,048,576 と読むと メニュー${otherReading.menu}・プラン${otherReading.plan}、月額 ${yenText(otherReading.monthly.totalYen)} です。 / With M = 2^20 the class would be lower.`,
        ]),
    '機種 / models（エミュレーション用の仮の値 / invented profiles）:',
    ...models.map(modelLine),
  ];
}

function modelLine(verdict: ModelVerdict): string {
  if (verdict.accepted) return `  ○ ${verdict.model}`;
  const { limit, actual } = verdict.detail;
  const numbers = typeof limit === 'number' && typeof actual === 'number' ? `（上限 ${grouped(limit)}、測定値 ${grouped(actual)}）` : '';
  return `  × ${verdict.model}  ${verdict.number} ${verdict.ja}${numbers}`;
}
