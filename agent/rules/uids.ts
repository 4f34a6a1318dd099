/** Host uids of what the agent starts. No two programs share one, and none is a user of the gateway. */

/** Runs the installer child and owns the store: no app has this uid, so no app can change what was verified. */
export const installerUid = 20_000;
