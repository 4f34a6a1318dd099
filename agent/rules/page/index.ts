/** Everything that the local page decides; adapters/local-page.ts speaks HTTP for it. */
export { decideAppAnswer, passedRequestHeaders } from './app-answer.ts';
export { renderDetail } from './detail.ts';
export { historyOf, type LoggedChange } from './history.ts';
export { renderPage, renderRefusal } from './html.ts';
export { pagePathOf, statusOf } from './model.ts';
export { assignAppPorts } from './ports.ts';
export { type AppPorts, decidePage, ownOriginOf, type Refusal, settingsUrlOf } from './request.ts';
export type { PageSettings } from './settings.ts';
export { pageStyle } from './style.ts';
