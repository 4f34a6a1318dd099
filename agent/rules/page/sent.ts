/** 外部へ送信される情報 (DOMAIN §12): what leaves the home, where it goes, what for. What a provider's software sends is the provider's word. */
import type { GatewaySnapshot, SoftwareSnapshot } from '../gateway-snapshot.ts';
import { type Html, html, type Sent, sentTable } from './markup.ts';
import { type Language, words } from './words.ts';

type Reader = { readonly language: Language; readonly operatorName: string | undefined };

/** The table, or the sentence that there is nothing to put into one. */
export function sentBySoftware({ manifest, isMeasured }: SoftwareSnapshot, reader: Reader): Html {
  const { language } = reader;
  const w = words[language];
  const told = (manifest?.transmits ?? []).map(({ what, to, purpose }) => ({ what: what[language], to, purpose: purpose[language] }));
  const measured = { what: w.measuredWhat, to: named(w.measuredTo, reader), purpose: w.measuredPurpose };
  const rows = [...told, ...(isMeasured === true ? [measured] : [])];
  return rows.length === 0 ? html`<p>${w.nothingSent}</p>` : sentTable(rows, language);
}

export function sentByAgent({ isMeasured }: GatewaySnapshot, reader: Reader): Html {
  const w = words[reader.language];
  const to = named(w.gatewayTo, reader);
  const rows: Sent[] = [
    { what: w.gatewayWhat, to, purpose: w.gatewayPurpose },
    ...(isMeasured === true ? [{ what: w.agentMeasuredWhat, to, purpose: w.agentMeasuredPurpose }] : []),
  ];
  return sentTable(rows, reader.language);
}

function named(text: string, { language, operatorName }: Reader): string {
  return text.replace('{operator}', operatorName ?? words[language].operator);
}
