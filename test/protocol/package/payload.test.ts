import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { TsugiteError } from '../../../protocol/errors.ts';
import { noSink, type PayloadSink, readPayload } from '../../../protocol/package/payload-reader.ts';
import type { Encoding } from '../../../protocol/package/tsg.ts';
import { parseManifest } from '../../../protocol/statements/manifest.ts';
import { aFile, aManifest, aTar, compress, endOfTar, inMemory, rawEntry } from '../../support/packages.ts';

const files = [aFile('main.js', 'console.log(1)\n'), aFile('bin/tool', '#!/bin/sh\n', true), aFile('lib/a/é.js', 'x'), aFile('empty', '')];

type Written = Record<string, string>;

function aSink(): PayloadSink & { written: Written } {
  const written: Written = {};
  return {
    written,
    folder(name) {
      written[name] = 'folder';
    },
    file({ name, size, isExecutable }) {
      const pieces: Buffer[] = [];
      return {
        write: (bytes) => void pieces.push(Buffer.from(bytes)),
        end() {
          written[name] = `${isExecutable ? 'x' : '-'} ${size} ${Buffer.concat(pieces)}`;
        },
      };
    },
  };
}

async function read(
  compressed: Buffer,
  tar: Buffer,
  { claimed = files, sink = noSink as PayloadSink, manifest = {}, encoding = 'br' as Encoding } = {},
) {
  const draft = aManifest(tar, claimed, manifest);
  draft.payload = { ...draft.payload, encoding, ...(manifest as { payload?: object }).payload };
  const part = { offset: 3, length: compressed.length, encoding };
  const { readAt } = inMemory(Buffer.concat([Buffer.from('abc'), compressed, Buffer.from('xyz')]));
  await readPayload(readAt, part, parseManifest(Buffer.from(JSON.stringify(draft))), sink);
}

/** The kind of refusal, or 'accepted'. */
async function outcome(job: Promise<unknown>): Promise<string> {
  try {
    await job;
    return 'accepted';
  } catch (error) {
    if (!(error instanceof TsugiteError)) throw error;
    expect(error.detail.layer).toBe('payload');
    return `${error.code} ${error.detail.kind}`;
  }
}

describe('a good payload', () => {
  test.for(['br', 'gz'] as const)('comes out as it was packed (%s)', async (encoding) => {
    const sink = aSink();
    const tar = aTar(files);
    await read(compress(tar, encoding), tar, { sink, encoding });
    expect(sink.written).toEqual({
      'bin/': 'folder',
      'bin/tool': 'x 10 #!/bin/sh\n',
      empty: '- 0 ',
      'lib/': 'folder',
      'lib/a/': 'folder',
      'lib/a/é.js': '- 1 x',
      'main.js': '- 15 console.log(1)\n',
    });
  });

  test('comes out whole when it is larger than every buffer', async () => {
    const large = aFile('large.bin', Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * at) % 251)));
    const all = [large, aFile('main.js')];
    const tar = aTar(all);
    const hash = createHash('sha256');
    const sink: PayloadSink = {
      folder: () => {},
      file: ({ name }) => ({ write: (bytes) => void (name === 'large.bin' && hash.update(bytes)), end: () => {} }),
    };
    await read(compress(tar), tar, { claimed: all, sink });
    expect(hash.digest('hex')).toBe(createHash('sha256').update(large.content).digest('hex'));
  });

  test('may divide a long name at either slash that fits, as other tar writers do', async () => {
    const long = [aFile(`${'d'.repeat(60)}/${'e'.repeat(60)}/${'f'.repeat(20)}`), aFile('main.js')];
    const ours = aTar(long);
    expect(await outcome(read(compress(ours), ours, { claimed: long }))).toBe('accepted');

    const [deep, shallow] = ['d'.repeat(60), `${'e'.repeat(60)}/${'f'.repeat(20)}`];
    const theirs = Buffer.concat([
      rawEntry({ name: `${deep}/`, type: '5', mode: '0000755' }),
      rawEntry({ prefix: deep, name: `${'e'.repeat(60)}/`, type: '5', mode: '0000755' }),
      rawEntry({ prefix: deep, name: shallow, content: long[0]?.content as Buffer }),
      rawEntry({ content: long[1]?.content as Buffer }),
      endOfTar,
    ]);
    expect(theirs.equals(ours)).toBe(false);
    expect(await outcome(read(compress(theirs), theirs, { claimed: long }))).toBe('accepted');
  });

  test('may be gzip with a file name in its header, as the gzip command writes', async () => {
    const tar = aTar(files);
    const plain = gzipSync(tar);
    const named = Buffer.concat([
      plain.subarray(0, 3),
      Buffer.from([8]),
      plain.subarray(4, 10),
      Buffer.from('payload.tar\0'),
      plain.subarray(10),
    ]);
    expect(await outcome(read(named, tar, { encoding: 'gz' }))).toBe('accepted');
  });

  test('a failing sink ends the work with its own error', async () => {
    const tar = aTar(files);
    const full: PayloadSink = {
      ...noSink,
      file: () => ({
        write: () => {
          throw new Error('ENOSPC');
        },
        end: () => {},
      }),
    };
    await expect(read(compress(tar), tar, { sink: full })).rejects.toThrow('ENOSPC');
  });
});

describe('what the manifest promised', () => {
  test('no file and no byte beyond it reaches the disk', async () => {
    const sink = aSink();
    const more = [...files, aFile('z1'), aFile('z2')];
    const larger = aTar(more);
    const { payload } = aManifest(larger, more);
    await outcome(read(compress(larger), larger, { sink, manifest: { payload: { ...payload, files: files.length } } }));
    expect(Object.values(sink.written).filter((entry) => entry !== 'folder')).toHaveLength(files.length);
  });

  test('a start file may be an executable', async () => {
    const tar = aTar(files);
    await expect(read(compress(tar), tar, { manifest: { entry: { runtime: 'exec', args: ['bin/tool'] } } })).resolves.toBeUndefined();
  });
});
