import * as z from 'zod/mini';
import { type MessageEntry, messageList } from './message-list.ts';

/** File name below protocol/schemas/ → its text. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map(messageList.map((entry) => [`${entry.name}.schema.json`, `${JSON.stringify(schemaOf(entry), null, 2)}\n`]));
}

function schemaOf({ name, schema, capBytes }: MessageEntry): object {
  const { $schema, ...body } = z.toJSONSchema(schema);
  return {
    $schema,
    $id: `urn:tsugite:schema:${name}:1`,
    title: name,
    $comment: `At most ${capBytes} bytes on the wire. What a schema cannot say is listed in protocol/README.md.`,
    ...body,
  };
}
