/** The table of decoded values by itself: never a value of another version, never over its bound, hashes however they fall. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DECODED_MAX, DecodedTable } from '../../src/store/decoded-table.ts';
import { random, SEED } from '../support/engine.ts';

interface Version {
  hash: number;
  address: number;
  low: number;
  high: number;
  bytes: number;
}

function stands(table: DecodedTable, { hash, address, low, high }: Version): boolean {
  return table.has(table.placeOf(hash), address, low, high);
}

function put(table: DecodedTable, version: Version): void {
  table.set(version.hash, version.address, version.low, version.high, version.bytes, version);
}

const word = (rnd: () => number) => (rnd() * 2 ** 32) | 0;

for (const [kind, hashOf] of [
  ['random hashes', word],
  ['hashes of one set', (rnd) => (rnd() * 1000) | 0],
  ['hashes that repeat', (rnd) => (((rnd() * 300) | 0) * 0x9e3779b1) | 0],
] satisfies [string, (rnd: () => number) => number][]) {
  for (const bound of [0, 3000, 200_000, 8 * 2 ** 20]) {
    test(`${kind}, a bound of ${bound} bytes`, () => {
      const rnd = random(SEED + bound);
      const table = new DecodedTable(bound);
      const known: Version[] = [];
      let found = 0;
      for (let i = 0; i < 20_000; i++) {
        const version: Version = {
          hash: hashOf(rnd),
          address: 8 * (1 + ((rnd() * 2 ** 20) | 0)),
          low: word(rnd),
          high: (rnd() * 65536) | 0,
          bytes: (rnd() * 120) | 0,
        };
        put(table, version);
        known.push(version);
        assert.ok(table.bytes <= bound, `${table.bytes} bytes`);
        // where it is full, one of eight gets in: whoever comes back has a place, wherever the others of its set are
        for (let put8 = 0; i % 16 === 0 && put8 < 8 && !stands(table, version); put8++) put(table, version);
        if (i % 16 === 0 && version.hash !== 0)
          assert.is(stands(table, version), version.bytes <= bound && bound > 0);
        for (const asked of [version, known[(rnd() * known.length) | 0]!]) {
          if (stands(table, asked)) {
            found++;
            assert.is(table.at(table.placeOf(asked.hash)), asked);
          }
          // another version, another entry
          assert.not(stands(table, { ...asked, low: asked.low ^ 1 }));
          assert.not(stands(table, { ...asked, high: asked.high ^ 0x8000 }));
          assert.not(stands(table, { ...asked, address: asked.address + 8 }));
        }
      }
      assert.is(found > 0, bound > 0);
    });
  }
}

test('a value of every length up to the longest is kept, and counted', () => {
  for (const bytes of [0, 1, 2, 65_534, 65_535, DECODED_MAX]) {
    const table = new DecodedTable(8 * 2 ** 20);
    const version = { hash: -5, address: 64, low: -1, high: 65_535, bytes };
    put(table, version);
    assert.ok(stands(table, version));
    assert.is(table.bytes, Math.max(1, bytes));
    put(table, { ...version, low: 7, bytes: 100 });
    assert.not(stands(table, version)); // one value a key
    assert.is(table.bytes, 100);
  }
});

test('a small working set is found whole, also after the table grew', () => {
  const rnd = random(SEED);
  const table = new DecodedTable(8 * 2 ** 20);
  const versions = Array.from({ length: 30_000 }, (_, i) => ({
    hash: word(rnd),
    address: 8 + 8 * i,
    low: i,
    high: 3,
    bytes: 85,
  }));
  // what was put out by a full set gets in when it is read again
  for (let pass = 0; pass < 8; pass++) for (const v of versions) if (!stands(table, v)) put(table, v);
  const found = versions.filter((v) => stands(table, v)).length;
  assert.ok(found > versions.length * 0.9, `${found}`);
});

test('hash 0 is decoded anew where a free place shows it, and no other is lost', () => {
  const table = new DecodedTable(8 * 2 ** 20);
  const zero = { hash: 0, address: 64, low: 1, high: 1, bytes: 10 };
  const near = { hash: 1, address: 128, low: 2, high: 1, bytes: 10 };
  put(table, zero);
  put(table, near);
  assert.ok(stands(table, near));
  const place = table.placeOf(0);
  assert.ok(place >= 0 && place < 4);
  if (stands(table, zero)) assert.is(table.at(place), zero);
});

test.run();
