/** The command line's way to the running agent. */
export { askAgent } from '../adapters/control-door.ts';
