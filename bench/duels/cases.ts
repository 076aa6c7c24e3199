/** Every duel: what is done, on how many entries, against whom, and the goal. A ratio is A's speed over B's; A is always Cairn. */
import type { ValueKind } from '../support/workload.ts';
import type { LoopName } from './loops.ts';

export type RivalName =
  | 'cairn'
  | 'Map'
  | 'lru-cache'
  | 'lmdb'
  | 'bentocache'
  | 'cacheable'
  | 'sharedmap'
  | 'other-thread';

export interface DuelCase {
  id: string;
  /** Heading of the table that it belongs to. */
  group: string;
  title: string;
  value: ValueKind;
  order: 'zipf' | 'uniform';
  entries: number;
  rival: RivalName;
  loop: LoopName;
  /** The rival's loop where it is another one. */
  rivalLoop?: LoopName;
  /** Both are full, so that each new key evicts. */
  full?: boolean;
  goal?: number;
}

const K100 = 100_000;
const M1 = 1_000_000;
const VALUE_NAMES: Record<ValueKind, string> = {
  object: '85-byte object',
  string: '85-byte string',
  number: 'number',
};
const ORDER_NAMES = { zipf: 'Zipf 0.99', uniform: 'uniform' };

type Goals = [value: ValueKind, order: DuelCase['order'], goal: number];

function gets(loop: 'getBuilt' | 'getKept', entries: number, goals: Goals[]): DuelCase[] {
  const key = loop === 'getBuilt' ? 'key built for the call' : 'key kept';
  return goals.map(([value, order, goal]) => ({
    id: `get-${value}-${loop === 'getBuilt' ? 'built' : 'kept'}-${order}-${entries === M1 ? '1m' : '100k'}`,
    group: `get beside lru-cache, ${entries.toLocaleString('en')} entries`,
    title: `get, ${VALUE_NAMES[value]}, ${key}, ${ORDER_NAMES[order]}${entries === M1 ? ', 1,000,000 entries' : ''}`,
    value,
    order,
    entries,
    rival: 'lru-cache',
    loop,
    goal,
  }));
}

interface Other {
  value?: ValueKind;
  loop?: LoopName;
  rivalLoop?: LoopName;
  goal?: number;
}

/** Built keys, uniform order, 100,000 entries. */
function other(rival: RivalName, { value = 'string', loop = 'getBuilt', rivalLoop, goal }: Other): DuelCase {
  return {
    id: `get-${value}-${rival}`.toLowerCase(),
    group: 'get beside others, 100,000 entries',
    title: `get, ${VALUE_NAMES[value]}, key built for the call, uniform`,
    value,
    order: 'uniform',
    entries: K100,
    rival,
    loop,
    ...(rivalLoop && { rivalLoop }),
    ...(goal && { goal }),
  };
}

function writes(loop: 'setNew' | 'setOver', value: ValueKind, goal: number): DuelCase {
  const isNew = loop === 'setNew';
  return {
    id: `${isNew ? 'set-new' : 'set-over'}-${value}`,
    group: 'set beside lru-cache, 100,000 entries',
    title: isNew
      ? `set of a new key with eviction, ${VALUE_NAMES[value]}`
      : `set over an existing key, ${VALUE_NAMES[value]}`,
    value,
    order: 'uniform',
    entries: K100,
    rival: 'lru-cache',
    loop,
    full: isNew,
    goal,
  };
}

const base = { value: 'object', order: 'uniform', entries: K100 } as const;

export const CASES: readonly DuelCase[] = [
  ...gets('getBuilt', K100, [
    ['object', 'zipf', 2.2],
    ['object', 'uniform', 2],
    ['string', 'zipf', 2.2],
    ['string', 'uniform', 2.1],
  ]),
  ...gets('getKept', K100, [
    ['object', 'zipf', 1.2],
    ['object', 'uniform', 1.2],
    ['string', 'zipf', 1.1],
    ['string', 'uniform', 1.1],
  ]),
  {
    id: 'get-missing',
    group: 'get beside lru-cache, 100,000 entries',
    title: 'get of a missing key, built for the call',
    value: 'string',
    order: 'uniform',
    entries: K100,
    rival: 'lru-cache',
    loop: 'getMissing',
    goal: 2,
  },
  ...gets('getBuilt', M1, [
    ['object', 'zipf', 2.2],
    ['object', 'uniform', 1.4],
    ['string', 'zipf', 2.2],
    ['string', 'uniform', 2.2],
  ]),
  writes('setNew', 'string', 1.3),
  writes('setNew', 'object', 0.8),
  writes('setOver', 'string', 0.8),
  writes('setOver', 'object', 0.5),
  {
    ...base,
    id: 'get-or-create-sync',
    group: 'getOrCreate on a hit, 100,000 entries',
    title: "getOrCreateSync on a hit, beside Cairn's own get",
    rival: 'cairn',
    loop: 'getOrCreateSync',
    rivalLoop: 'getBuilt',
    goal: 0.9,
  },
  {
    ...base,
    id: 'get-or-create',
    group: 'getOrCreate on a hit, 100,000 entries',
    title: "getOrCreate on a hit, beside lru-cache's fetch on a hit",
    rival: 'lru-cache',
    loop: 'getOrCreate',
    rivalLoop: 'fetch',
    goal: 2,
  },
  {
    id: 'get-many',
    group: 'getMany, 1,000,000 entries',
    title: 'getMany of 100 random keys, beside 100 gets',
    value: 'string',
    order: 'uniform',
    entries: M1,
    rival: 'cairn',
    loop: 'getMany100',
    rivalLoop: 'get100',
    goal: 1.5,
  },
  other('Map', {}),
  other('Map', { value: 'object' }),
  other('lmdb', { goal: 3 }),
  other('lmdb', { value: 'object', goal: 6 }),
  other('bentocache', { value: 'object', rivalLoop: 'getByObject' }),
  other('cacheable', { value: 'object' }),
  other('sharedmap', {}),
  other('other-thread', { rivalLoop: 'getAsync', goal: 30 }),
  other('other-thread', { value: 'object', rivalLoop: 'getAsync', goal: 30 }),
];
