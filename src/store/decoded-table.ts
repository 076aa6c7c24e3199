/**
 * A thread's cache of decoded values, indexed by entry address and checked against the entry's version: a value read twice
 * is decoded once, and no message is needed when another thread changes it, since a changed entry has another version.
 *
 * Places stand in sets of four. An address is hashed to a set; a new value goes to its first place and moves the others on, so
 * the one that came first leaves. What is compared is in four words a place, so a set is one line of the CPU's cache, and its
 * values are half a line. The table grows while more than half of it is in use, up to one place for every 32 bytes of the
 * bound. The bound counts encoded bytes; when it is passed, places are cleared in turn.
 */
const FIRST_PLACES = 256;
/** The table grows up to one place for so many bytes of the bound: with values of 64 bytes half of it is in use then. */
const PLACE_BYTES = 32;
const WAYS = 4;
/** Words a place: address, the version's halves, encoded bytes. */
const WORDS = 4;
const BYTES = 3;
/**
 * Where a value would put out another, one of so many does. What is read often comes again and gets in; what is read once
 * seldom does, and costs no more than its decoding: a table that is much too small would else only be rewritten.
 */
const ADMIT_ONE_OF = 8;

/** Mixes an address: they form a lattice of pages and chunks, which one multiplication leaves in clusters (lowbias32, Wellons 2018). */
function mix(address: number): number {
  const h = Math.imul(address ^ (address >>> 16), 0x7feb352d);
  return Math.imul(h ^ (h >>> 15), 0x846ca68b);
}

export class DecodedTable {
  readonly #maxBytes: number;
  readonly #maxPlaces: number;
  #mask = FIRST_PLACES - 1;
  #shift = 32 - Math.log2(FIRST_PLACES / WAYS);
  #words = new Int32Array(FIRST_PLACES * WORDS);
  #values: unknown[] = new Array(FIRST_PLACES).fill(undefined);
  #used = 0;
  #bytes = 0;
  #hand = 0;
  #turned = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxPlaces = Math.max(FIRST_PLACES, 2 ** Math.floor(Math.log2(Math.max(1, maxBytes / PLACE_BYTES))));
  }

  /** Where the value of this entry at this version stands, for `at`; -1: nowhere. The version comes in two halves. */
  find(address: number, low: number, high: number): number {
    const words = this.#words;
    let at = (mix(address) >>> this.#shift) * (WAYS * WORDS);
    const end = at + WAYS * WORDS;
    while (words[at] !== address) if ((at += WORDS) === end) return -1;
    return words[at + 1] === low && words[at + 2] === high ? at >>> 2 : -1;
  }

  /** Looks at the places of an entry, so that they are near. What it returns says nothing, but must be used. */
  touch(address: number): number {
    const set = (mix(address) >>> this.#shift) * WAYS;
    return this.#words[set * WORDS]! | (this.#values[set] === undefined ? 0 : 1);
  }

  at(place: number): unknown {
    return this.#values[place];
  }

  set(address: number, low: number, high: number, bytes: number, value: unknown): void {
    if (bytes > this.#maxBytes) return;
    if (this.#used * 2 > this.#mask && this.#mask + 1 < this.#maxPlaces) this.#grow();
    const first = (mix(address) >>> this.#shift) * WAYS;
    let last = first;
    while (
      last < first + WAYS - 1 &&
      this.#words[last * WORDS] !== address &&
      this.#words[last * WORDS] !== 0
    )
      last++;
    const over = this.#bytes + bytes > this.#maxBytes;
    const taken = this.#words[last * WORDS]!;
    if ((over || (taken !== 0 && taken !== address)) && ++this.#turned % ADMIT_ONE_OF !== 0) return;
    this.#clear(last);
    for (; last > first; last--) this.#move(last - 1, last);
    while (this.#bytes + bytes > this.#maxBytes) {
      this.#clear(this.#hand);
      this.#hand = (this.#hand + 1) & this.#mask;
    }
    const at = first * WORDS;
    this.#words[at] = address;
    this.#words[at + 1] = low;
    this.#words[at + 2] = high;
    this.#words[at + BYTES] = bytes;
    this.#values[first] = value;
    this.#used++;
    this.#bytes += bytes;
  }

  /** Encoded bytes of what is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  #move(from: number, to: number): void {
    this.#words.copyWithin(to * WORDS, from * WORDS, (from + 1) * WORDS);
    this.#values[to] = this.#values[from];
    this.#words[from * WORDS] = 0;
    this.#values[from] = undefined;
  }

  #clear(place: number): void {
    if (this.#words[place * WORDS] === 0) return;
    this.#bytes -= this.#words[place * WORDS + BYTES]!;
    this.#used--;
    this.#words[place * WORDS] = 0;
    this.#values[place] = undefined;
  }

  #grow(): void {
    const words = this.#words;
    const values = this.#values;
    this.#mask = Math.min((this.#mask + 1) * 4, this.#maxPlaces) - 1;
    this.#shift = 32 - Math.log2((this.#mask + 1) / WAYS);
    this.#words = new Int32Array((this.#mask + 1) * WORDS);
    this.#values = new Array(this.#mask + 1).fill(undefined);
    this.#used = 0;
    this.#bytes = 0;
    this.#hand = 0;
    for (let place = 0; place < values.length; place++) {
      const at = place * WORDS;
      if (words[at] === 0) continue;
      this.set(words[at]!, words[at + 1]!, words[at + 2]!, words[at + BYTES]!, values[place]);
    }
  }
}
