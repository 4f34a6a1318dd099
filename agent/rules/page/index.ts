/** Everything that the local page decides; adapters/local-page.ts speaks HTTP for it. */
export { decideAppAnswer, passedRequestHeaders } from './app-answer.ts';
export { renderPage, renderRefusal } from './html.ts';
export { pagePathOf, statusOf } from './model.ts';
export { assignAppPorts } from './ports.ts';
export { type AppPorts, decidePage, ownOriginOf, type Refusal } from './request.ts';
export type { PageSettings } from './settings.ts';
export { pageStyle } from './style.ts';
