/** Makes the two sides of a duel, filled with the same keys and values, and checks that they give them back. */
import { makeCairn, makeFullCairn } from '../rivals/cairn.ts';
import { makeBentocache, makeCacheable, makeLru, makeMap, makeSharedMap } from '../rivals/in-process.ts';
import { makeLmdb } from '../rivals/lmdb.ts';
import { makeOtherThread } from '../rivals/other-thread.ts';
import type { Load, Rival } from '../rivals/types.ts';
import { keyOf, uniformOrder, VALUES, zipfOrder } from '../support/workload.ts';
import type { DuelCase, RivalName } from './cases.ts';
import type { LOOPS, LoopName, Work } from './loops.ts';
import type { Side } from './rounds.ts';

/** Values that writes cycle through, made before. */
const VALUE_POOL = 1024;

const MAKERS: Record<Exclude<RivalName, 'cairn'>, (load: Load) => Rival> = {
  Map: makeMap,
  'lru-cache': makeLru,
  lmdb: makeLmdb,
  bentocache: makeBentocache,
  cacheable: makeCacheable,
  sharedmap: makeSharedMap,
  'other-thread': makeOtherThread,
};

export function workOf({ order, entries, value }: DuelCase): Work {
  const length = entries > 2 ** 18 ? 2 ** 21 : 2 ** 18;
  return {
    order: (order === 'zipf' ? zipfOrder : uniformOrder)(length, entries),
    // as one piece: joined strings would be flattened by whoever reads them first
    kept: Array.from({ length: entries }, (_, i) => Buffer.from(keyOf(i)).toString('latin1')),
    values: Array.from({ length: VALUE_POOL }, (_, i) => VALUES[value](i)),
    entries,
  };
}

async function fill(rival: Rival, work: Work, { value, full }: DuelCase): Promise<void> {
  let last: unknown;
  for (let i = 0; i < work.entries; i++) {
    last = rival.fill(work.kept[i]!, VALUES[value](i));
    if (i % 1000 === 999) await last;
  }
  await last;
  // Each entry was read before: what is timed is a cache in use, not the first minute of one. (Not asked of another thread.)
  if (rival.title.startsWith('Cairn') || !(rival.read(work.kept[0]!) instanceof Promise)) {
    for (let pass = 0; pass < 2; pass++) for (const key of work.kept) rival.read(key);
  }
  for (const i of full ? [work.entries - 1] : [0, work.entries >> 1, work.entries - 1]) {
    const read = JSON.stringify(await rival.read(work.kept[i]!));
    if (read !== JSON.stringify(VALUES[value](i))) throw new Error(`${rival.title} gave back ${read}`);
  }
}

/** The loop, compiled for this side alone. */
async function loopOf(name: LoopName, side: string) {
  const module = (await import(`./loops.js?side=${side}`)) as { LOOPS: typeof LOOPS };
  return module.LOOPS[name] as (
    cache: any,
    work: Work,
    from: number,
    count: number,
  ) => number | Promise<number>;
}

export interface Contest {
  a: Side;
  b: Side;
  titleB: string;
  packageB: string | undefined;
  close(): Promise<void>;
}

/** `builds`: modules of two builds of Cairn; then both sides do the same. */
export async function contestOf(duel: DuelCase, builds?: readonly [string, string]): Promise<Contest> {
  const work = workOf(duel);
  const make = duel.full ? makeFullCairn : makeCairn;
  const load: Load = { entries: duel.entries, value: duel.value };
  const first = await make(load, builds?.[0]);
  await fill(first, work, duel);
  // of a full one as many entries are left as its bytes allow: the rival may keep just as many
  const entries = duel.full ? first.cache.size : duel.entries;
  const second =
    builds || duel.rival === 'cairn'
      ? await make(load, builds?.[1])
      : MAKERS[duel.rival]({ ...load, entries });
  await fill(second, work, duel);
  const loopA = await loopOf(duel.loop, 'a');
  const loopB = await loopOf(builds ? duel.loop : (duel.rivalLoop ?? duel.loop), 'b');
  return {
    a: { run: (from, count) => loopA(first.cache, work, from, count) },
    b: { run: (from, count) => loopB(second.cache, work, from, count) },
    titleB: second.title,
    packageB: second.package,
    close: async () => {
      await first.close();
      await second.close();
    },
  };
}
