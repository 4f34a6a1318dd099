import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  imageBytesFor,
  mkfsArguments,
  planResize,
  readSuperblock,
  smallestImageBytes,
  usableBytesOf,
} from '../../../agent/rules/data-image.ts';

const mebibyte = 1024 * 1024;
const filled = (dataBytes: number, usedBytes: number) => ({ bytes: imageBytesFor(dataBytes), usedBytes });
const fresh = (dataBytes: number) => filled(dataBytes, 0);

test('an image gives at least what was asked for, and not much more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 3 * mebibyte, max: 64 * mebibyte }), (dataBytes) => {
      const usable = usableBytesOf(imageBytesFor(dataBytes));
      expect(usable).toBeGreaterThanOrEqual(dataBytes);
      // One step, or what mke2fs leaves out where a last group would be too small for its own tables.
      expect(usable - dataBytes).toBeLessThan(1.2 * mebibyte);
    }),
  );
});

test.each([4, 8])('the limits of the models, %i MiB, cost at most 2 MiB more', (mebibytes) => {
  expect(imageBytesFor(mebibytes * mebibyte) - mebibytes * mebibyte).toBeLessThan(2 * mebibyte);
});

test('no image is smaller than 4 MiB, which a journal needs; a larger limit never makes a smaller image', () => {
  expect(imageBytesFor(0)).toBe(smallestImageBytes);
  fc.assert(
    fc.property(fc.nat(32 * mebibyte), fc.nat(32 * mebibyte), (one, other) => {
      expect(imageBytesFor(Math.max(one, other))).toBeGreaterThanOrEqual(imageBytesFor(Math.min(one, other)));
    }),
  );
});

describe('another limit than last time', () => {
  test('the same limit, or one within the smallest image, changes nothing', () => {
    expect(planResize(fresh(4 * mebibyte), 4 * mebibyte)).toEqual({ kind: 'none' });
    expect(planResize(fresh(0), 65_536)).toEqual({ kind: 'none' });
  });

  test('a higher one makes it larger', () => {
    expect(planResize(fresh(4 * mebibyte), 8 * mebibyte)).toEqual({ kind: 'grow', toBytes: imageBytesFor(8 * mebibyte) });
  });

  test('a lower one makes it smaller when less is in it', () => {
    expect(planResize(filled(8 * mebibyte, 3 * mebibyte), 4 * mebibyte)).toEqual({ kind: 'shrink', toBytes: imageBytesFor(4 * mebibyte) });
  });

  test('a lower one leaves it when more is in it, and says how much', () => {
    expect(planResize(filled(8 * mebibyte, 5 * mebibyte), 4 * mebibyte)).toEqual({ kind: 'too-full', usedBytes: 5 * mebibyte });
  });
});

test('bytes that are no ext4 image of ours are none, however many', () => {
  expect(readSuperblock(Buffer.alloc(2_048))).toBeUndefined();
  expect(readSuperblock(Buffer.alloc(100))).toBeUndefined();
});

test('the file system is made with a journal, no reserve for root, and for its app alone', () => {
  expect(mkfsArguments('/d/data.img', 4 * mebibyte, 20_001).join(' ')).toBe(
    '-q -F -t ext4 -m 0 -b 1024 -g 8192 -I 256 -N 1024 -J size=1 ' +
      '-O none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,sparse_super,large_file,extra_isize,metadata_csum ' +
      '-E nodiscard,lazy_itable_init=0,lazy_journal_init=0,root_owner=20001:20001 /d/data.img',
  );
});
