// The bugs that are planted into the store model: each is a rule turned round (docs name the rules by these names), with
// the case that shows why it is a rule.

export interface PlantedBug {
  bug: string;
  /** The case that shows it. */
  in: string;
  /** What is seen then. */
  shows: RegExp;
}
const inCase = (name: string, bugs: Record<string, RegExp>): PlantedBug[] =>
  Object.entries(bugs).map(([bug, shows]) => ({ bug, in: name, shows }));

/** Store model: rules 1 to 22, then the frequency, payload, links and the close. */
export const BUGS: readonly PlantedBug[] = [
  ...inCase('a key is deleted and set again in the same chunk', {
    'late-version': /torn value/,
    'no-version-check': /torn value/,
    'version-then-slot': /torn value/,
    'slot-then-version': /torn value/,
  }),
  ...inCase('a key is evicted and set again', { 'no-slot-check': /torn value/ }),
  ...inCase('a drop, and an update from before it', {
    'no-epoch-check': /key 0 read \d/,
    'same-epoch': /key 0 read \d/,
    'versions-restart': /lost update/,
  }),
  ...inCase('a writer dies', { 'epoch-first': /torn value/ }),
  ...inCase("another key takes a key's old chunk", { 'trust-other-key': /key 0 read 0/ }),
  ...inCase('a split, a writer and a reader', {
    'trust-miss': /key 1 read 0/,
    'moved-then-count': /key 1 read 0/,
    'bit-cleared-first': /key 1 read 0/,
    'clear-then-copy': /key 1 read 0/,
    'new-then-old': /key 1 read 0/,
    'split-left-open': /key 1 read 2/,
  }),
  ...inCase('a drop, then the index grows again', {
    'count-then-bucket': /key 1 read 2; during the read it held 0/,
  }),
  ...inCase('a neighbour is deleted', { 'hole-filled': /key 1 read 0/ }),
  ...inCase('a key is set twice and read', {
    'in-place': /torn value/,
    'taken-then-published': /chunk 1 is lost/,
  }),
  ...inCase('two writers make room', { 'find-before-room': /twice/ }),
  ...inCase('increments, an update and a reader', { 'version-then-number': /lost update/ }),
  ...inCase('an update, a delete and an increment', { 'no-compare': /lost update/ }),
  ...inCase('two large values of one key', {
    'filling-unlisted': /is lost/,
    'published-then-unlisted': /stands twice/,
    'large-lock-let-go': /stands twice/,
  }),
  ...inCase('two fillers die', { 'filling-forgotten': /is lost/, 'no-takeover': /stuck/ }),
  ...inCase('a drop while a filler lives and dies', {
    'orphan-only-if-dead': /no room/,
    'drop-without-large': /is lost/,
    'shard-before-large': /stuck/,
    'filler-goes-on': /is lost/,
  }),
  ...inCase('a writer who evicts dies', { 'ignore-commit': /no room/, 'drop-closed-first': /is lost/ }),
  ...inCase('two small chunks become a wide one', {
    'plain-bump': /torn value/,
    'guessable-versions': /torn value/,
    'no-range-check': /a link leads out of the memory/,
  }),
  ...inCase('a close, a writer and a reader', {
    'reader-ignores-closed': /after the close/,
    'writer-ignores-closed': /after the close/,
  }),
  ...inCase('a close and a drop', { 'drop-opens': /after the close/ }),
  ...inCase('a close during a split', { 'state-stored-whole': /after the close/ }),
];
