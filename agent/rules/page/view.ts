/** What the page is drawn with; loaded when somebody looks, for most of the time nobody does. */
export { tallyDenied } from '../denied-tally.ts';
export { renderDetail } from './detail.ts';
export { historyOf, type LoggedChange } from './history.ts';
export { renderPage } from './html.ts';
export { pageStyle } from './style.ts';
