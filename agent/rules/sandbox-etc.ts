/** The /etc of every sandbox: enough for a C library to know `localhost` and the app's own name, nothing of the gateway's. */

import { insideUid } from './sandbox-profile.ts';

export const etcFiles: Readonly<Record<string, string>> = {
  hosts: '127.0.0.1 localhost app\n::1 localhost\n',
  hostname: 'app\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  passwd: `app:x:${insideUid}:${insideUid}:app:/data:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n`,
  group: `app:x:${insideUid}:\nnogroup:x:65534:\n`,
  'resolv.conf': '',
};
