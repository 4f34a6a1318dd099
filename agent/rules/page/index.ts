/** Everything that the local page decides; adapters/local-page.ts speaks HTTP for it, and draws with view.ts. */
export { decideAppAnswer, passedRequestHeaders } from './app-answer.ts';
export { pagePathOf, statusOf } from './model.ts';
export { assignAppPorts } from './ports.ts';
export { renderRefusal } from './refusal.ts';
export { type AppPorts, decidePage, ownOriginOf, type Refusal, settingsUrlOf } from './request.ts';
export type { PageSettings } from './settings.ts';
