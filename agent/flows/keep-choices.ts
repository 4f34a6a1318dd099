import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import type { ChoicesStore } from '../ports/house.ts';
import type { EventLog } from '../ports.ts';
import { type Choices, emptyChoices } from '../rules/choices.ts';

export type ChoicesKeeper = {
  now(): Choices;
  /** Durable before it returns. @throws TsugiteError DISK_FULL · STORE_IO (nothing changed) */
  change(rule: (choices: Choices) => Choices): Choices;
};

/** Those of another identity, or that can no longer be read, are forgotten: they only ever delay or permit. */
export function makeKeepChoices({ store, gateway, log }: { store: ChoicesStore; gateway: GatewayId; log: EventLog }): ChoicesKeeper {
  let choices = load();

  function load(): Choices {
    try {
      const saved = store.load();
      return saved?.gateway === gateway ? saved : emptyChoices(gateway);
    } catch (error) {
      if (!(error instanceof TsugiteError && error.code === 'STATE_DAMAGED')) throw error;
      log.write({ event: 'state.damaged', code: error.code, detail: error.detail });
      return emptyChoices(gateway);
    }
  }

  return {
    now: () => choices,
    change(rule) {
      const next = rule(choices);
      if (JSON.stringify(next) !== JSON.stringify(choices)) store.save(next);
      choices = next;
      return choices;
    },
  };
}
