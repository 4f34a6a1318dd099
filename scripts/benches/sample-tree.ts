/** Files as providers deliver them: real JavaScript, of the libraries that this clone has by its lockfile. The same clone gives the same bytes. */
import { createCipheriv } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { limits } from '../../protocol/limits.ts';
import { canonicalTar } from '../../protocol/package/canonical-tar.ts';
import { faultOfName } from '../../protocol/package/names.ts';

export type SampleFile = { readonly name: string; readonly size: number; readonly isExecutable: boolean; readonly content: Buffer };
export type Sample = { readonly files: readonly SampleFile[]; readonly tar: Buffer; readonly payload: Buffer };

const mainFile = { name: 'main.js', isExecutable: false, content: Buffer.from("'use strict';\n") };
const fillerName = 'firmware.bin';
/** Larger ones are native programs of the tools, which differ by machine. */
const fileBytes = 3_000_000;

/**
 * @param packages  folders of node_modules, in this order
 * @param gzBytes   what `gzip -6` of the tar comes to, by a file of noise, as firmware is
 */
export function makeSample(nodeModules: string, packages: readonly string[], gzBytes: number): Sample {
  const found = packages
    .flatMap((name) => filesBelow(nodeModules, name))
    .map(({ name, ...file }) => ({ ...file, name: `lib/${name}` }))
    .slice(0, limits.filesPerPackage - 2); // the main file and the noise are the other two
  const bare = toSample([mainFile, ...found]);
  const noise = gzBytes - bare.payload.length;
  if (noise < 0) throw new Error(`the sample is larger than ${gzBytes} bytes already: ${bare.payload.length}`);
  // gzip stores what it cannot compress: 5 bytes for each 16 KiB, and the entry's header and padding.
  return toSample([mainFile, ...found, { name: fillerName, isExecutable: false, content: makeNoise(Math.floor(noise * 0.9996)) }]);
}

function toSample(files: readonly Omit<SampleFile, 'size'>[]): Sample {
  const sized = files.map((file) => ({ ...file, size: file.content.length }));
  const tar = Buffer.concat([...canonicalTar(sized, (file) => file.content)]);
  return { files: sized, tar, payload: gzipSync(tar, { level: 6 }) };
}

function filesBelow(top: string, relative: string): Omit<SampleFile, 'size'>[] {
  const folder = path.join(top, relative);
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = `${relative}/${entry.name}`;
    if (entry.isDirectory()) return filesBelow(top, name);
    const { size, mode } = statSync(path.join(top, name));
    if (!entry.isFile() || size > fileBytes || faultOfName(`lib/${name}`) !== undefined) return [];
    return [{ name, isExecutable: (mode & 0o100) !== 0, content: readFileSync(path.join(top, name)) }];
  });
}

/** The same on every machine. */
function makeNoise(bytes: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.from('tsugite-benches!'), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}
