// The mutex model: one regeneration mutex with leases, its waiters, and the tokens that keep late values out.
//
//   mutex     a word (owner, fence), a deadline that carries the fence, a `turn` counter that waiters sleep on
//   entry     what stands for the one key: nothing, a fresh value, a stale one, or a placeholder ("mark")
//   threads   callers; with `oneThread` all live in one thread, whose name the word carries
//
// A step is one access to the mutex, or one call of the store (which holds the shard's lock: see the store model).
// Every wait is timed. Here a wait runs out only once somebody died or lost a lease, so that a lost wake-up shows as
// somebody who is stuck. Words that only the oracles know are called ghosts.
import { fail, type Model, record } from './search.ts';

const NOTHING = 0;
const FRESH = 1;
const STALE = 2;
const MARK = 3;

const SHARED = record([
  'owner', // of the mutex, 0: free
  'fence', // raised whenever it is taken
  'endFence', // the deadline: whose it is
  'endOver', // and whether it has passed
  'turn', // raised by every release
  'closed', // the owner of the engine has closed it
  'kind', // of the entry: NOTHING, FRESH, STALE, MARK
  'value',
  'version',
  'over', // the time of a placeholder has ended
  'nextVersion',
  'alive', // bit n: thread n lives
  'origin', // ghost: what a load gives now
  'disturbed', // ghost: somebody died, or lost a lease
  'inside', // ghost: who works under the mutex
  'loads', // ghost
  'refused', // ghost: a late value was not stored
]);
const CALLER = record([
  'at', // the next step
  'op',
  'goOn', // step that follows when the mutex is had
  'turn', // as read before trying
  'seenOwner', // the word, as read
  'seenFence',
  'fence', // of the mutex that it holds
  'token', // version that has to stand for the value to be stored
  'data', // what it loaded
  'turned', // only with a bug
  'lost', // ghost: its lease ran out
  'why', // ghost: why its token's version stands no more
]);

/** hold: take it and let it go. impatient: the same, but gives up waiting at once. hang: take it and never let go. */
export type MutexOp =
  | 'hold'
  | 'impatient'
  | 'hang'
  // getOrCreate; with a creator that throws; a delete after the origin changed; a set after it changed
  | 'goc'
  | 'fail'
  | 'update'
  | 'put'
  // the lease of whoever holds the mutex ends; an ended placeholder is reclaimed; the engine's owner closes it
  | 'expire'
  | 'sweep'
  | 'close';

export interface MutexCase {
  name: string;
  programs: readonly (readonly MutexOp[])[];
  mortal?: readonly number[];
  /** All callers live in one thread. */
  oneThread?: boolean;
  /** A stale value stands at the start. */
  stale?: boolean;
  /** Most loads while nobody died or lost a lease. */
  loads?: number;
  /** Though values are refused, in the end a fresh one stands. */
  kept?: boolean;
  /** Causes for which a value may be refused, besides a change of the key. */
  accept?: readonly string[];
}

type Shared = ReturnType<typeof SHARED.over>;
type Caller = ReturnType<typeof CALLER.over>;
const WHY = [
  '',
  'the key was changed',
  'another value was stored',
  'a sharer failed',
  'ended by a stranger',
  'marked anew',
  'swept',
];

class Mutex {
  readonly state: Uint8Array;
  readonly shared: Shared;
  /** Who waits on `turn`, in order, 0: no one. */
  readonly asleep: Uint8Array;
  readonly callers: readonly Caller[];
  readonly of: MutexCase;
  readonly bug: string;

  constructor(of: MutexCase, bug: string) {
    const count = of.programs.length;
    const callersAt = SHARED.size + count;
    this.of = of;
    this.bug = bug;
    this.state = new Uint8Array((callersAt + count * CALLER.size + 3) & ~3);
    this.shared = SHARED.over(this.state, 0);
    this.asleep = this.state.subarray(SHARED.size, callersAt);
    const spare = new Uint8Array(CALLER.size); // in place of caller 0
    this.callers = Array.from({ length: count + 1 }, (_, i) =>
      i === 0 ? CALLER.over(spare, 0) : CALLER.over(this.state, callersAt + (i - 1) * CALLER.size),
    );
    this.shared.nextVersion = this.shared.origin = 1;
    this.shared.alive = (1 << (count + 1)) - 1;
    if (of.stale) Object.assign(this.shared, { kind: STALE, version: this.shared.nextVersion++ });
  }

  op(me: number): MutexOp | undefined {
    return this.of.programs[me - 1][this.callers[me].op];
  }
  /** The name that the word carries for this caller. */
  nameOf(me: number): number {
    return this.of.oneThread ? 1 : me;
  }
  isAlive(me: number): boolean {
    return (this.shared.alive & (1 << me)) !== 0;
  }
  isListed(me: number): boolean {
    return this.asleep.includes(me);
  }
  wake(all: boolean): void {
    this.asleep.copyWithin(0, 1);
    this.asleep[this.asleep.length - 1] = 0;
    if (all) this.asleep.fill(0);
  }
  /** The entry goes; ghost: whoever has its version as a token knows why. */
  remove(why: string): void {
    const { shared } = this;
    if (shared.kind === NOTHING) return;
    for (const t of this.callers) if (t.token === shared.version) t.why = WHY.indexOf(why);
    shared.kind = shared.value = shared.version = shared.over = 0;
  }
  publish(kind: number, value: number): void {
    Object.assign(this.shared, { kind, value, version: this.shared.nextVersion++, over: 0 });
  }
}

/** Returns the name of the next step; null: it has to wait. */
type Step = (m: Mutex, t: Caller, me: number, s: Shared) => string | null;
const DONE = 'done';

function acquireThen(t: Caller, then: string): string {
  t.goOn = NAMES.indexOf(then);
  return 'acquire';
}
const forgetTry = (t: Caller): void => {
  t.turn = t.seenOwner = t.seenFence = 0;
};

const STEPS: Record<string, Step> = {
  [DONE]: () => null,

  // ---- Acquire: read `turn`, try, sleep while `turn` is what was read.
  acquire: (m, t, _, s) => {
    if (m.bug !== 'late-turn-read') t.turn = s.turn;
    return m.of.programs.some((program) => program.includes('close')) ? 'try: is it closed' : 'try: word';
  },
  'try: is it closed': (_m, _t, _me, s) => (s.closed ? DONE : 'try: word'),
  'try: word': (m, t, _, s) => {
    t.seenOwner = s.owner;
    t.seenFence = s.fence;
    return s.owner === 0 || !m.isAlive(s.owner) ? 'try: take' : 'try: deadline';
  },
  'try: deadline': (m, t, _, s) => {
    const itsOwn = s.endFence === t.seenFence || m.bug === 'deadline-without-fence';
    return s.endOver && itsOwn ? 'try: take' : 'sleep';
  },
  'try: take': (m, t, me, s) => {
    if (s.owner !== t.seenOwner || s.fence !== t.seenFence) return 'sleep';
    s.owner = m.nameOf(me);
    t.fence = ++s.fence;
    forgetTry(t);
    return 'try: stamp';
  },
  'try: stamp': (_, t, _me, s) => {
    s.endFence = t.fence;
    s.endOver = 0;
    return NAMES[t.goOn];
  },
  sleep: (m, t, me, s) => {
    // looks at `turn` and sleeps in one, as Atomics.wait does
    if (m.bug === 'late-turn-read') t.turn = s.turn;
    const same = s.turn === t.turn;
    forgetTry(t);
    if (!same) return 'acquire';
    // a waitAsync that was given up is still listed, and is used again
    if (!m.isListed(me)) m.asleep[m.asleep.indexOf(0)] = me;
    return 'asleep';
  },
  asleep: (m, _, me, s) => {
    if (m.op(me) === 'impatient') return DONE; // its waitAsync cannot be cancelled and stays listed
    if (m.isListed(me) && !s.disturbed) return null;
    const place = m.asleep.indexOf(me);
    if (place >= 0) {
      m.asleep.copyWithin(place, place + 1);
      m.asleep[m.asleep.length - 1] = 0;
    }
    return 'acquire';
  },

  // ---- Release: free the word if owner and fence still stand, raise `turn`, notify all.
  release: (m, t, me, s) => {
    if (s.owner !== m.nameOf(me)) return DONE; // the lease was lost
    if (s.fence !== t.fence && m.bug !== 'release-without-fence') return DONE;
    if (m.bug === 'turn-then-free' && !t.turned) {
      s.turn++;
      t.turned = 1;
      return 'release';
    }
    s.owner = 0;
    return m.bug === 'notify-then-turn' || t.turned ? 'release: notify' : 'release: turn';
  },
  'release: turn': (m, _, _me, s) => {
    s.turn++;
    return m.bug === 'notify-then-turn' ? DONE : 'release: notify';
  },
  'release: notify': (m) => {
    m.wake(m.bug !== 'notify-one');
    return m.bug === 'notify-then-turn' ? 'release: turn' : DONE;
  },

  // ---- Holding it, with nothing to create.
  hold: (_, t) => acquireThen(t, 'hold: in'),
  'hold: in': (m, t, me, s) => {
    if (t.lost) return 'release';
    if (s.inside && m.isAlive(s.inside) && !m.callers[s.inside].lost) fail('two work under the mutex');
    s.inside = me;
    return 'hold: out';
  },
  'hold: out': (_, t, me, s) => {
    if (s.fence !== t.fence && !t.lost) fail('the mutex was taken away within its lease');
    if (s.owner === 0 && !t.lost) fail('the mutex was freed by another');
    if (s.inside === me) s.inside = 0;
    return 'release';
  },
  hang: (_, t) => acquireThen(t, DONE),

  // ---- getOrCreate.
  goc: (_, t, _me, s) => (s.kind === FRESH ? DONE : acquireThen(t, 'begin creation')),
  'begin creation': (m, t, _, s) => {
    // the second read, and the token, in one
    if (s.kind === FRESH && m.bug !== 'no-second-read') return 'release';
    const anew = m.bug === 'mark-anew' || (m.bug === 'expired-is-absent' && s.over);
    if (s.kind === MARK && anew) m.remove('marked anew');
    if (s.kind === NOTHING) m.publish(MARK, 0);
    s.over = 0; // a placeholder that stands, ended or not, is shared, and its time starts anew
    t.token = s.version;
    return 'load';
  },
  load: (m, t, _, s) => {
    t.data = s.origin;
    s.loads = Math.min(s.loads + 1, (m.of.loads ?? 0) + 1);
    return 'creating';
  },
  creating: (m, _, me) => (m.op(me) === 'fail' ? 'end creation' : 'store'),
  store: (m, t, _, s) => {
    const stands = s.kind !== NOTHING && s.version === t.token;
    if (m.bug === 'no-token' || (m.bug === 'owner-only' ? s.fence === t.fence : stands)) {
      m.remove('another value was stored');
      m.publish(FRESH, t.data);
      return 'release';
    }
    s.refused = 1;
    const why = WHY[t.why];
    const causes = [WHY[1], WHY[2], ...(m.of.accept ?? [])];
    if (!causes.includes(why)) fail(`a value was refused for no cause: ${why}`);
    return 'release';
  },
  'end creation': (m, t, _, s) => {
    // the creator failed: its own placeholder goes
    const own = s.version === t.token;
    if (s.kind === MARK && (own || m.bug === 'ends-any'))
      m.remove(own ? 'a sharer failed' : 'ended by a stranger');
    return 'release';
  },

  // ---- Everybody else.
  update: (_m, _t, _me, s) => {
    s.origin++;
    return 'delete';
  },
  delete: (m, _t, _me, s) => {
    if (s.kind !== MARK || m.bug !== 'delete-spares-marks') m.remove(WHY[1]);
    return DONE;
  },
  put: (_, t, _me, s) => {
    t.data = ++s.origin;
    return 'put: store';
  },
  'put: store': (m, t) => {
    m.remove(WHY[1]);
    m.publish(FRESH, t.data);
    return DONE;
  },
  expire: (m, _t, _me, s) => {
    if (s.owner === 0 || s.endFence !== s.fence || s.endOver) return DONE;
    s.endOver = s.disturbed = 1;
    for (const holder of m.callers) if (holder.fence === s.fence) holder.lost = 1;
    if (s.kind === MARK) s.over = 1;
    return DONE;
  },
  sweep: (m, _t, _me, s) => {
    if (s.over) m.remove('swept');
    return DONE;
  },
  // ---- The close: the bit, then `turn`, then notify.
  close: (m, _t, _me, s) => {
    if (m.bug === 'turn-then-closed') s.turn++;
    else s.closed = 1;
    return m.bug === 'close-without-turn' ? 'close: notify' : 'close: turn';
  },
  'close: turn': (m, _t, _me, s) => {
    if (m.bug === 'turn-then-closed') m.wake(true);
    else s.turn++;
    return 'close: notify';
  },
  'close: notify': (m, _t, _me, s) => {
    if (m.bug === 'turn-then-closed') s.closed = 1;
    else m.wake(true);
    return DONE;
  },
};
const NAMES = Object.keys(STEPS);
const RUN = Object.values(STEPS);

function clear(t: Caller): void {
  t.at =
    t.goOn =
    t.turn =
    t.seenOwner =
    t.seenFence =
    t.fence =
    t.token =
    t.data =
    t.turned =
    t.lost =
    t.why =
      0;
}
/** Makes the caller ready for its operation, if one is left. */
function prepare(m: Mutex, me: number): void {
  clear(m.callers[me]);
  const op = m.op(me);
  if (op === undefined) return;
  m.callers[me].at = NAMES.indexOf(op === 'impatient' ? 'hold' : op === 'fail' ? 'goc' : op);
}

function checkEnd(m: Mutex): void {
  const { shared: s, of } = m;
  if (s.kind === FRESH && s.value !== s.origin)
    fail(`a stale value stays: ${s.value}, while the origin has ${s.origin}`);
  const over = s.endOver === 1 && s.endFence === s.fence;
  const hangs = s.owner !== 0 && of.programs[s.owner - 1].includes('hang');
  if (s.owner !== 0 && m.isAlive(s.owner) && !over && !hangs) fail('the mutex stays held');
  if (of.kept && s.refused && s.kind !== FRESH) fail('every late value was refused: never cached');
  if (of.loads && !s.disturbed && s.loads > of.loads) fail(`more loads than ${of.loads}`);
}

export function mutexModel(of: MutexCase, bug = ''): Model {
  const m = new Mutex(of, bug);
  for (let me = 1; me <= of.programs.length; me++) prepare(m, me);
  return {
    state: m.state,
    threads: of.programs.length,
    isOpen: (me) => m.callers[me].at !== 0 && m.isAlive(me),
    mayDie: (me) => of.mortal?.includes(me) ?? false,
    die: (me) => {
      m.shared.alive &= ~(1 << me);
      m.shared.disturbed = 1;
      m.callers[me].op = 0;
      clear(m.callers[me]);
    },
    step: (me) => {
      const t = m.callers[me];
      const next = RUN[t.at](m, t, me, m.shared);
      if (next === null) return false;
      if (next === DONE) {
        t.op++;
        prepare(m, me);
      } else t.at = NAMES.indexOf(next);
      return true;
    },
    label: (me) => `${m.op(me)}: ${NAMES[m.callers[me].at]}`,
    checkEnd: () => checkEnd(m),
  };
}
