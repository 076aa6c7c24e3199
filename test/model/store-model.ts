// The store model, put together: programs of operations, one a thread, over one shard. See README.md for what is in it
// and what is not, and store-steps.ts for what a step is.
import { fail, type Model } from './search.ts';
import { indexState, NONE, type Op, Store, type Thread } from './store-memory.ts';
import { DONE, lockThen, stepNamed, stepNumbered, WAIT } from './store-steps.ts';
import { putFirst } from './store-writers.ts';
import './store-reader.ts';

export interface StoreCase {
  name: string;
  /** What each thread does, one operation after the other. */
  programs: readonly (readonly Op[])[];
  /** Chunks of the shard; 2 unless said, at most 4. */
  chunks?: number;
  /** Threads that may die, before any of their steps. */
  mortal?: readonly number[];
  /** Entries that stand at the start: key, value. */
  init?: readonly (readonly [number, number])[];
  /** Buckets at the start. */
  buckets?: number;
}
export interface StoreRun {
  /** The planted bug, '' for none. */
  bug?: string;
  /** Commits are cut at every store. */
  cut?: boolean;
  /** Failed reads before a reader takes the lock. */
  tries?: number;
  /** Searches are steps of their own. */
  apart?: boolean;
}

// Values are 1 to 7, 0 is "absent"; keys are 0 and 1.
export const set = (key: number, value: number): Op => ({ kind: 'set', key, value });
export const wide = (key: number, value: number): Op => ({ kind: 'wide', key, value });
export const large = (key: number, value: number): Op => ({ kind: 'large', key, value });
export const del = (key: number): Op => ({ kind: 'del', key, value: 0 });
export const inc = (key: number): Op => ({ kind: 'inc', key, value: 1, number: true });
export const upd = (key: number): Op => ({ kind: 'upd', key, value: 0, number: true });
export const get = (key: number): Op => ({ kind: 'get', key, value: 0 });
/** A read that raises the frequency. */
export const hit = (key: number): Op => ({ kind: 'get', key, value: 0, bump: true });
/** A read of a number. */
export const count = (key: number): Op => ({ kind: 'get', key, value: 0, number: true });
export const grow: Op = { kind: 'grow', key: 0, value: 0 };
export const close: Op = { kind: 'close', key: 0, value: 0 };

/** The first step of an operation. */
function entry(t: Thread, { kind }: Op): string {
  if (kind === 'get' || kind === 'upd') return 'get';
  if (kind === 'large' || kind === 'close' || kind === 'tidy') return kind;
  return lockThen(t, kind === 'wide' ? 'set: locked' : `${kind}: locked`);
}

function clear(t: Thread): void {
  for (const register of REGISTERS) t[register] = 0;
}
const REGISTERS = [
  'at',
  'begun',
  'late',
  'seen',
  'goOn',
  'room',
  'back',
  'store',
  'owner',
  'dropper',
  'noted',
  'drops',
  'place',
  'chunk',
  'word',
  'other',
  'a',
  'middle',
  'b',
  'link',
  'fails',
  'read',
  'token',
  'old',
  'slot',
  'victim',
  'to',
  'head',
  'tail',
] as const satisfies readonly (keyof Thread)[];

/** Makes the thread ready for its operation, if one is left. */
function prepare(s: Store, me: number): void {
  const t = s.threads[me];
  clear(t);
  const op = s.options.programs[me - 1];
  if (op && t.op >= op.length) return;
  t.at = stepNamed(entry(t, s.op(me))).number;
}

/** One step of a thread; false when it has to wait. */
function step(s: Store, me: number, apart: boolean): boolean {
  const t = s.threads[me];
  if (!t.begun) {
    const { kind, key } = s.op(me);
    t.begun = 1;
    t.late = s.shard.closed;
    if (kind === 'get' || kind === 'upd') t.seen = 1 << s.now[key];
  } else if (t.seen === 0 && stepNumbered(t.at).name === 'get') {
    t.seen = 1 << s.now[s.op(me).key]; // an update reads again
  }
  let next = stepNumbered(t.at).run(s, t, me);
  while (next !== WAIT && !apart && stepNamed(next).isSearch) next = stepNamed(next).run(s, t, me);
  if (next === WAIT) return false;
  if (next === DONE) {
    t.op++;
    prepare(s, me);
  } else t.at = stepNamed(next).number;
  if (s.shard.commit === 0) s.account();
  return true;
}

/** All threads are done or dead. A last caller comes, and then nothing may be open, and each key holds what it should. */
function checkEnd(s: Store): void {
  const { shard } = s;
  for (const lock of ['lock', 'large'] as const) {
    if (shard[lock] !== 0 && s.isAlive(shard[lock])) fail(`a thread has finished and holds \`${lock}\``);
  }
  const me = s.threads.length - 1;
  const t = s.threads[me];
  t.op = 0;
  prepare(s, me);
  for (let turns = 0; t.op === 0; turns++)
    if (turns > 99 || !step(s, me, false)) fail('a last caller is stuck');
  s.account();
  if (shard.lock || shard.large || shard.commit || shard.filling !== NONE) fail('something stays open');
  s.now.forEach((value, key) => {
    const slot = s.findSlot(key);
    const stands = slot === NONE ? 0 : s.chunks[s.slots[slot]].first;
    if (stands !== value) fail(`key ${key} holds ${stands}, and should hold ${value}`);
  });
}

export function storeModel(
  of: StoreCase,
  { bug = '', cut = false, tries = 1, apart = false }: StoreRun = {},
): Model {
  const { programs, chunks = 2, mortal = [], init = [], buckets = 1 } = of;
  const s = new Store({ programs, chunks, bug, cut, tries });
  s.shard.index = indexState(0, 0, buckets, 0);
  for (const [key, value] of init) putFirst(s, key, value);
  for (let me = 1; me <= programs.length; me++) prepare(s, me);
  return {
    state: s.state,
    threads: programs.length,
    isOpen: (me) => s.threads[me].at !== 0 && s.isAlive(me),
    mayDie: (me) => mortal.includes(me),
    die: (me) => {
      s.shard.alive &= ~(1 << me);
      s.threads[me].op = 0;
      clear(s.threads[me]);
    },
    step: (me) => step(s, me, apart),
    label: (me) => {
      const t = s.threads[me];
      const { name, stores } = stepNumbered(t.at);
      const { kind, key } = s.op(me);
      return `${kind}(${key}) ${name}${stores === 0 ? '' : t.store < stores ? `, store ${t.store + 1}` : ', close'}`;
    },
    checkEnd: () => checkEnd(s),
  };
}
