import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { TsugiteError } from '../../../protocol/errors.ts';
import { noSink, type PayloadSink, readPayload } from '../../../protocol/package/payload-reader.ts';
import type { Encoding } from '../../../protocol/package/tsg.ts';
import { parseManifest } from '../../../protocol/statements/manifest.ts';
import { aFile, aManifest, aTar, compress, endOfTar, inMemory, rawEntry, type TestFile } from '../../support/packages.ts';

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

describe('the compressed stream', () => {
  const tar = aTar(files);
  const twoMembers = Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]);
  const wrongCrc = Buffer.from(gzipSync(tar));
  wrongCrc[wrongCrc.length - 7] = (wrongCrc[wrongCrc.length - 7] ?? 0) ^ 1;
  const cases: [string, Buffer, Encoding, string][] = [
    ['brotli, a byte after it', Buffer.concat([compress(tar), Buffer.from([0])]), 'br', 'PKG_MALFORMED trailing-data'],
    ['brotli, a second stream', Buffer.concat([compress(tar), compress(tar)]), 'br', 'PKG_MALFORMED trailing-data'],
    ['brotli, cut short', compress(tar).subarray(0, -1), 'br', 'PKG_MALFORMED compressed-stream'],
    ['brotli that is none', Buffer.from('not brotli at all'), 'br', 'PKG_MALFORMED compressed-stream'],
    ['gzip, a byte after it', Buffer.concat([gzipSync(tar), Buffer.from([0])]), 'gz', 'PKG_MALFORMED trailing-data'],
    ['gzip in two members', twoMembers, 'gz', 'PKG_MALFORMED trailing-data'],
    ['gzip and an empty member', Buffer.concat([gzipSync(tar), gzipSync('')]), 'gz', 'PKG_MALFORMED trailing-data'],
    ['gzip with a wrong checksum', wrongCrc, 'gz', 'PKG_MALFORMED gzip-trailer'],
    ['gzip, cut in its trailer', gzipSync(tar).subarray(0, -3), 'gz', 'PKG_MALFORMED truncated-stream'],
    ['gzip, cut in its data', gzipSync(tar).subarray(0, -20), 'gz', 'PKG_MALFORMED compressed-stream'],
    ['gzip that is none', Buffer.from('not gzip at all, but long enough'), 'gz', 'PKG_MALFORMED not-gzip'],
    ['a bomb', compress(Buffer.concat([tar, Buffer.alloc(50_000_000)])), 'br', 'PKG_MALFORMED output-too-large'],
    ['compressed twice', compress(gzipSync(randomBytes(2000))), 'br', 'PKG_MALFORMED compressed-twice'],
    [
      'compressed twice, its first byte alone in a chunk',
      aDribblingGzip(gzipSync(randomBytes(2000))),
      'gz',
      'PKG_MALFORMED compressed-twice',
    ],
  ];
  test.for(cases)('%s is refused', async ([, compressed, encoding, expected]) => {
    expect(await outcome(read(compressed, tar, { encoding }))).toBe(expected);
  });
});

/** A gzip member of stored blocks (RFC 1951 §3.2.4): one byte, empty blocks that fill the reader's first chunks, then the rest. */
function aDribblingGzip(data: Buffer): Buffer {
  const stored = (bytes: Buffer, isLast: boolean) => {
    const head = Buffer.from([isLast ? 1 : 0, 0, 0, 0, 0]);
    head.writeUInt16LE(bytes.length, 1);
    head.writeUInt16LE(bytes.length ^ 0xffff, 3);
    return Buffer.concat([head, bytes]);
  };
  const empty = Buffer.concat(Array.from({ length: 60_000 }, () => stored(Buffer.alloc(0), false)));
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  return Buffer.concat([header, stored(data.subarray(0, 1), false), empty, stored(data.subarray(1), true), Buffer.alloc(8)]);
}

const dir = (name: string) => rawEntry({ name, type: '5', mode: '0000755' });
const tarOf = (...entries: Buffer[]) => Buffer.concat([...entries, endOfTar]);
const main = rawEntry({ content: 'x' });
const mainFile = aFile('main.js', 'x');

describe('the entries', () => {
  const cases: [string, Buffer, string, TestFile[]?][] = [
    ['a plain one', tarOf(main), 'accepted'],
    ['parent folder', tarOf(rawEntry({ name: '../x' }), main), 'PKG_MALFORMED dot-part'],
    ['parent folder inside', tarOf(rawEntry({ name: 'a/../../x' }), main), 'PKG_MALFORMED dot-part'],
    ['absolute name', tarOf(rawEntry({ name: '/etc/passwd' }), main), 'PKG_MALFORMED absolute'],
    ['absolute by prefix', tarOf(rawEntry({ prefix: '/etc', name: 'passwd' }), main), 'PKG_MALFORMED absolute'],
    ['empty part', tarOf(rawEntry({ name: 'a//x' }), main), 'PKG_MALFORMED empty-part'],
    ['dot part', tarOf(rawEntry({ name: './main.js' }), main), 'PKG_MALFORMED dot-part'],
    ['backslash', tarOf(rawEntry({ name: 'a\\b' }), main), 'PKG_MALFORMED backslash'],
    ['new line in a name', tarOf(rawEntry({ name: 'a\nb' }), main), 'PKG_MALFORMED forbidden-character'],
    ['right-to-left override', tarOf(rawEntry({ name: 'a\u202eb' }), main), 'PKG_MALFORMED forbidden-character'],
    ['decomposed name', tarOf(rawEntry({ name: 'e\u0301' }), main), 'PKG_MALFORMED not-nfc'],
    ['name that is not UTF-8', tarOf(rawEntry({ name: 'a', content: '' }), main).fill(0xff, 0, 1), 'PKG_MALFORMED not-a-tar'],
    ['same name twice', tarOf(main, main), 'PKG_MALFORMED duplicate-name'],
    ['names that differ in case', tarOf(rawEntry({ name: 'MAIN.js' }), main), 'PKG_MALFORMED duplicate-name'],
    [
      'names that differ in case folding only',
      tarOf(main, rawEntry({ name: 'strasse' }), rawEntry({ name: 'straße' })),
      'PKG_MALFORMED duplicate-name',
      [mainFile, mainFile, mainFile],
    ],
    ['file and folder of one name', tarOf(rawEntry({ name: 'main.js' }), dir('main.js/')), 'PKG_MALFORMED duplicate-name'],
    ['33 parts', tarOf(rawEntry({ name: `${'a/'.repeat(32)}x` }), main), 'PKG_MALFORMED too-deep'],
    ['symbolic link', tarOf(rawEntry({ name: 'link', type: '2', link: '/etc' }), main), 'PKG_MALFORMED entry-type'],
    ['hard link', tarOf(rawEntry({ name: 'link', type: '1', link: 'main.js' }), main), 'PKG_MALFORMED entry-type'],
    ['character device', tarOf(rawEntry({ name: 'dev', type: '3' }), main), 'PKG_MALFORMED entry-type'],
    ['FIFO', tarOf(rawEntry({ name: 'fifo', type: '6' }), main), 'PKG_MALFORMED entry-type'],
    ['type of old tar', tarOf(rawEntry({ type: '\0', content: 'x' })), 'PKG_PAYLOAD_MISMATCH digest'],
    ['unknown type', tarOf(rawEntry({ name: 'what', type: 'Z' }), main), 'PKG_MALFORMED entry-type'],
    ['pax header', tarOf(rawEntry({ name: 'pax', type: 'x', content: '19 path=../evil.js\n' }), main), 'PKG_MALFORMED entry-type'],
    ['one-byte pax header', tarOf(rawEntry({ name: 'pax', type: 'x', content: '\n' }), main), 'PKG_MALFORMED extended-header'],
    ['empty pax header', tarOf(rawEntry({ name: 'pax', type: 'x' }), main), 'PKG_MALFORMED not-canonical'],
    ['global pax header', tarOf(rawEntry({ name: 'pax', type: 'g', content: '13 comment=x\n' }), main), 'PKG_MALFORMED entry-type'],
    ['GNU long name', tarOf(rawEntry({ name: '././@LongLink', type: 'L', content: 'evil\0' }), main), 'PKG_MALFORMED entry-type'],
    ['setuid', tarOf(rawEntry({ mode: '0004755', content: 'x' })), 'PKG_MALFORMED mode'],
    ['world-writable', tarOf(rawEntry({ mode: '0000666', content: 'x' })), 'PKG_MALFORMED mode'],
    ['folder 0700', tarOf(rawEntry({ name: 'a/', type: '5', mode: '0000700' }), rawEntry({ name: 'a/x' }), main), 'PKG_MALFORMED mode'],
    ['wrong order', tarOf(main, rawEntry({ name: 'a' })), 'PKG_MALFORMED order', [mainFile, aFile('a', '')]],
    ['no folder above a file', tarOf(rawEntry({ name: 'a/x' }), main), 'PKG_MALFORMED folder-missing'],
    ['empty folder', tarOf(dir('a/'), main), 'PKG_MALFORMED empty-folder'],
    ['folder name without a slash', tarOf(rawEntry({ name: 'a', type: '5', mode: '0000755' }), main), 'PKG_MALFORMED entry-type'],
    ['file name with a slash', tarOf(rawEntry({ name: 'a/' }), main), 'PKG_MALFORMED mode'],
    ['modification time', tarOf(rawEntry({ mtime: '00000000001', content: 'x' })), 'PKG_PAYLOAD_MISMATCH digest'],
    ['owner', tarOf(rawEntry({ uid: '0001750', content: 'x' })), 'PKG_PAYLOAD_MISMATCH digest'],
    ['GNU magic', tarOf(rawEntry({ magic: 'ustar  \0', content: 'x' })), 'PKG_PAYLOAD_MISMATCH digest'],
    ['bytes in the padding', tarOf(main).fill(1, 1000, 1001), 'PKG_PAYLOAD_MISMATCH digest'],
    ['wrong header checksum', tarOf(main).fill('9', 100, 101), 'PKG_MALFORMED not-a-tar'],
    ['one zero block at the end', tarOf(main).subarray(0, -512), 'PKG_MALFORMED truncated-tar'],
    ['no zero block at the end', tarOf(main).subarray(0, -1024), 'PKG_MALFORMED truncated-tar'],
    ['three zero blocks', Buffer.concat([tarOf(main), Buffer.alloc(512)]), 'PKG_MALFORMED not-canonical'],
    ['an entry after the end', tarOf(tarOf(main), rawEntry({ name: 'z' })), 'PKG_MALFORMED not-canonical'],
    ['a zero block between', tarOf(Buffer.alloc(512), main), 'PKG_MALFORMED not-canonical'],
    ['a size beyond the archive', tarOf(rawEntry({ size: '00000001000' })), 'PKG_PAYLOAD_MISMATCH installed-bytes'],
    ['no entry', endOfTar, 'PKG_MALFORMED not-a-tar'],
    ['nothing', Buffer.from('x'), 'PKG_MALFORMED not-a-tar'],
  ];
  test.for(cases)('%s', async ([, tar, expected, claimed = [mainFile]]) => {
    expect(await outcome(read(compress(tar), tar, { claimed }))).toBe(expected);
  });

  test('64 MB of extended header cost no memory', async () => {
    const tar = tarOf(rawEntry({ name: 'pax', type: 'x', content: Buffer.alloc(64_000_000, 'a') }), main);
    expect(await outcome(read(compress(tar), tar, { claimed: [mainFile] }))).toBe('PKG_MALFORMED entry-type');
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

  const tar = aTar(files);
  const truth = aManifest(tar, files).payload;
  const cases: [string, Record<string, unknown>, string][] = [
    ['fewer files', { payload: { ...truth, files: 3 } }, 'PKG_PAYLOAD_MISMATCH files'],
    ['more files', { payload: { ...truth, files: 5 } }, 'PKG_PAYLOAD_MISMATCH files'],
    ['fewer bytes', { payload: { ...truth, installedBytes: 20 } }, 'PKG_PAYLOAD_MISMATCH installed-bytes'],
    ['more bytes', { payload: { ...truth, installedBytes: 2000 } }, 'PKG_PAYLOAD_MISMATCH installed-bytes'],
    ['a shorter tar', { payload: { ...truth, tarBytes: 1024 } }, 'PKG_MALFORMED output-too-large'],
    ['a longer tar', { payload: { ...truth, tarBytes: 999_999 } }, 'PKG_PAYLOAD_MISMATCH tar-bytes'],
    ['another digest', { payload: { ...truth, sha256: '0'.repeat(64) } }, 'PKG_PAYLOAD_MISMATCH digest'],
    ['another encoding', { payload: { ...truth, encoding: 'gz' } }, 'PKG_PAYLOAD_MISMATCH encoding'],
    ['an entry file that is not there', { entry: { runtime: 'node', args: ['missing.js'] } }, 'PKG_MALFORMED entry-file-missing'],
    ['an entry file that is a folder', { entry: { runtime: 'node', args: ['lib'] } }, 'PKG_MALFORMED entry-file-missing'],
    ['an executable that is none', { entry: { runtime: 'exec', args: ['main.js'] } }, 'PKG_MALFORMED entry-file-not-executable'],
    ['an executable', { entry: { runtime: 'exec', args: ['bin/tool'] } }, 'accepted'],
  ];
  test.for(cases)('%s', async ([, manifest, expected]) => {
    expect(await outcome(read(compress(tar), tar, { manifest }))).toBe(expected);
  });
});
