/** Everything that the settings page decides and shows; adapters/settings-page.ts speaks HTTP for it. */
export { listUrlOf } from '../page/request.ts';
export { outerPortOf } from '../page/settings.ts';
export { askOfForm, type Fields, parseForm } from './forms.ts';
export { renderLocked, renderLogin, renderSettings, renderSettingsRefusal, renderSetup, type Shown } from './html.ts';
export { findPasswordFault, normalisePassword, passwordLength } from './password.ts';
export { cookieValues, decideSettings, type FormAction } from './request.ts';
export { settingsStyle } from './style.ts';
export { afterFailure, noFailures, type Throttle, waitMs } from './throttle.ts';
export { isSaid, type Said } from './words.ts';
