import { mustBe } from '../look.ts';
import { ask } from '../programs.ts';
import { NotSeen, type Step } from '../story.ts';
import { customers, operator, operatorOptions, type World } from '../world.ts';

type Reason = { number: string; ja: string };

export const ineligibleExplained: Step<World> = {
  id: 'ineligible-explained',
  tells: '配信できない理由（T8・T14） / who may not have it, and why',
  async run(world) {
    const officePhone = await explained(world, customers.officePhone);
    const formerBflets = await explained(world, customers.formerBflets);
    mustBe('T8: result and number', [officePhone.result, officePhone.reason.number], ['INELIGIBLE', 'E105']);
    mustBe('T14: result and number', [formerBflets.result, formerBflets.reason.number], ['HOLD', 'E106']);

    const order = [
      'target',
      'order',
      'demo.ipv4',
      '--customer-id',
      customers.officePhone.id,
      '--consent',
      'D-0008',
      ...operatorOptions(world),
    ];
    const refused = await ask('server', order);
    mustBe('an order for T8: exit code and number', [refused.status, refused.json.number], [3, 'E105']);
    const held = await operator(world, 'target', 'order', 'demo.ipv4', '--customer-id', customers.formerBflets.id, '--consent', 'D-0014');
    mustBe('an order for T14', held.state, 'HOLD');
    return { T8: `${officePhone.reason.number} ${officePhone.reason.ja}`, T14: `${formerBflets.reason.number} ${formerBflets.reason.ja}` };
  },
};

async function explained(
  world: World,
  { id, facts }: { id: string; facts: readonly string[] },
): Promise<{ result: string; reason: Reason }> {
  await operator(world, 'customer', 'add', '--customer-id', id, ...facts);
  const { result, rungs } = (await operator(world, 'explain', 'demo.ipv4', '--customer-id', id)) as {
    result: string;
    rungs: { reasons: Reason[] }[];
  };
  const [reason] = rungs.flatMap((rung) => rung.reasons);
  if (reason === undefined) throw new NotSeen('explain gave no reason', { rungs });
  return { result, reason };
}
