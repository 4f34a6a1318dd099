import type * as z from 'zod/mini';
import { envelopeSchema, parseEnvelope } from '../../protocol/dsse.ts';
import { limits } from '../../protocol/limits.ts';
import { ackSchema, parseAck } from '../../protocol/messages/ack.ts';
import { invitationSchema, parseInvitation } from '../../protocol/messages/invitation.ts';
import { parsePresence, presenceSchema } from '../../protocol/messages/presence.ts';
import { parseReport, reportSchema } from '../../protocol/messages/report.ts';
import { parseStatus, statusSchema } from '../../protocol/messages/status.ts';
import { parseTelemetry, telemetrySchema } from '../../protocol/messages/telemetry.ts';
import { manifestSchema, parseManifest } from '../../protocol/statements/manifest.ts';
import { noticeSchema, parseNotice } from '../../protocol/statements/notice.ts';
import { parseRoot, rootSchema } from '../../protocol/statements/root.ts';

export type MessageEntry = {
  readonly name: string;
  readonly schema: z.ZodMiniType;
  /** Of the bytes on the wire. */
  readonly capBytes: number;
  readonly parse: (bytes: Uint8Array) => unknown;
  /** Files of protocol/examples/. */
  readonly examples: readonly string[];
};

/** Every statement and message of the protocol: its schema, its size cap, its frozen examples. */
export const messageList: readonly MessageEntry[] = [
  {
    name: 'envelope',
    schema: envelopeSchema,
    capBytes: limits.envelopeBytes,
    parse: parseEnvelope,
    examples: ['root.dsse.json', 'notice.dsse.json', 'manifest.dsse.json'],
  },
  { name: 'root', schema: rootSchema, capBytes: limits.payloadBytes, parse: parseRoot, examples: ['root.json'] },
  { name: 'notice', schema: noticeSchema, capBytes: limits.payloadBytes, parse: parseNotice, examples: ['notice.json'] },
  { name: 'manifest', schema: manifestSchema, capBytes: limits.payloadBytes, parse: parseManifest, examples: ['manifest.json'] },
  { name: 'invitation', schema: invitationSchema, capBytes: limits.invitationBytes, parse: parseInvitation, examples: ['invitation.json'] },
  {
    name: 'report',
    schema: reportSchema,
    capBytes: limits.reportBytes,
    parse: parseReport,
    examples: ['report-committed.json', 'report-failure.json'],
  },
  { name: 'ack', schema: ackSchema, capBytes: limits.ackBytes, parse: parseAck, examples: ['ack.json'] },
  {
    name: 'presence',
    schema: presenceSchema,
    capBytes: limits.presenceBytes,
    parse: parsePresence,
    examples: ['presence-birth.json', 'presence-last-will.json'],
  },
  {
    name: 'telemetry',
    schema: telemetrySchema,
    capBytes: limits.telemetryBytes,
    parse: parseTelemetry,
    examples: ['telemetry.bin', 'telemetry-own.bin'],
  },
  { name: 'status', schema: statusSchema, capBytes: limits.statusBytes, parse: parseStatus, examples: ['status.json'] },
];
