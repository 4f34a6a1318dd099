/** The life of a work order (工事): what is in it can change while it is open, and is charged when it is completed (D-22, D-33). */

export type WorkOrderState = keyof typeof workOrderMachine;
export type WorkOrderEvent = 'completed' | 'cancelled';

export const workOrderMachine = {
  OPEN: { completed: 'COMPLETED', cancelled: 'CANCELLED' },
  COMPLETED: {},
  CANCELLED: {},
} as const satisfies Record<string, Partial<Record<WorkOrderEvent, string>>>;

/** @returns undefined when the order is closed already */
export function nextWorkOrderState(state: WorkOrderState, event: WorkOrderEvent): WorkOrderState | undefined {
  const row: Partial<Record<WorkOrderEvent, WorkOrderState>> = workOrderMachine[state];
  return row[event];
}
