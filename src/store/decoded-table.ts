/**
 * A thread's cache of decoded values, checked against the entry's address and version: a value read twice is decoded once, and
 * no message is needed when another thread changes it, since a changed entry has another version.
 *
 * Places stand in sets of four, which the key's hash names: a reader knows it before it has found the entry, so the set is on
 * its way through memory meanwhile. Beside each value stands the hash, in one array, so that the line that says which of the
 * four has the value also has the value's address; what is compared exactly stands in another. A new value goes to the first
 * place of its set and moves the others on, so the one that came first leaves. The table grows while more than half of it is in
 * use, up to one place for every 32 bytes of the bound. The bound counts encoded bytes; when it is passed, places are cleared in
 * turn.
 */
const FIRST_PLACES = 256;
/** The table grows up to one place for so many bytes of the bound: with values of 64 bytes half of it is in use then. */
const PLACE_BYTES = 32;
const WAYS = 4;
/** Words a place: address (0: free), the version's low half, its high half below one less than the encoded bytes. */
const WORDS = 3;
const HALF = 16;
const LOW_HALF = 0xffff;
/** The longest value that is kept, encoded. */
export const DECODED_MAX = LOW_HALF + 1;
/**
 * Where a value would put out another, one of so many does. What is read often comes again and gets in; what is read once
 * seldom does, and costs no more than its decoding: a table that is much too small would else only be rewritten.
 */
const ADMIT_ONE_OF = 8;

/** 1 if both are the same, else 0. Without a branch: which place of a set has a value is never predicted. */
function same(a: number, b: number): number {
  const differ = a ^ b;
  return ((differ | -differ) >> 31) + 1;
}

/** For each place its hash and its value. Never holey, and hashes are small integers: V8 reads both without a call. */
function emptyPlaces(places: number): unknown[] {
  return Array.from({ length: places * 2 }, (_, i) => (i & 1 ? undefined : 0));
}

export class DecodedTable {
  readonly #maxBytes: number;
  readonly #maxPlaces: number;
  #mask = FIRST_PLACES - 1;
  #shift = 32 - Math.log2(FIRST_PLACES / WAYS);
  #places = emptyPlaces(FIRST_PLACES);
  #words = new Int32Array(FIRST_PLACES * WORDS);
  #used = 0;
  #bytes = 0;
  #hand = 0;
  #turned = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxPlaces = Math.max(FIRST_PLACES, 2 ** Math.floor(Math.log2(Math.max(1, maxBytes / PLACE_BYTES))));
  }

  /**
   * The only place where a value of this hash (32 bits, signed) can stand, for `has` and `at`. Nobody's, if it has none; also
   * where a free place shows the hash 0 and the key's is 0, which then is decoded each time.
   */
  placeOf(hash: number): number {
    const places = this.#places as number[];
    const set = (hash >>> this.#shift) * WAYS;
    const at = set * 2;
    const second = same(places[at + 2]!, hash);
    const third = same(places[at + 4]!, hash);
    const fourth = same(places[at + 6]!, hash);
    return set + (second | (third << 1) | (fourth * 3));
  }

  /** Whether a place has the value of this entry at this version, which comes in two halves. */
  has(place: number, address: number, low: number, high: number): boolean {
    const words = this.#words;
    const at = place * WORDS;
    return words[at] === address && words[at + 1] === low && (words[at + 2]! & LOW_HALF) === high;
  }

  at(place: number): unknown {
    return this.#places[place * 2 + 1];
  }

  /** Keeps a value of up to DECODED_MAX encoded bytes; one without any counts as one. */
  set(hash: number, address: number, low: number, high: number, length: number, value: unknown): void {
    const bytes = Math.max(1, length);
    if (bytes > this.#maxBytes) return;
    if (this.#used * 2 > this.#mask && this.#mask + 1 < this.#maxPlaces) this.#grow();
    const own = this.placeOf(hash);
    if (this.#places[own * 2] === hash) this.#clear(own); // an older version: a hash stands once in its set
    const first = (hash >>> this.#shift) * WAYS;
    let last = first;
    while (last < first + WAYS - 1 && this.#words[last * WORDS] !== 0) last++;
    const full = this.#words[last * WORDS] !== 0 || this.#bytes + bytes > this.#maxBytes;
    if (full && ++this.#turned % ADMIT_ONE_OF !== 0) return;
    this.#clear(last);
    for (; last > first; last--) this.#move(last - 1, last);
    while (this.#bytes + bytes > this.#maxBytes) {
      this.#clear(this.#hand);
      this.#hand = (this.#hand + 1) & this.#mask;
    }
    const at = first * WORDS;
    this.#words[at] = address;
    this.#words[at + 1] = low;
    this.#words[at + 2] = high | ((bytes - 1) << HALF);
    this.#places[first * 2] = hash;
    this.#places[first * 2 + 1] = value;
    this.#used++;
    this.#bytes += bytes;
  }

  /** Encoded bytes of what is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  #move(from: number, to: number): void {
    this.#words.copyWithin(to * WORDS, from * WORDS, (from + 1) * WORDS);
    this.#words[from * WORDS] = 0;
    this.#places[to * 2] = this.#places[from * 2];
    this.#places[to * 2 + 1] = this.#places[from * 2 + 1];
    this.#places[from * 2] = 0;
    this.#places[from * 2 + 1] = undefined;
  }

  #clear(place: number): void {
    if (this.#words[place * WORDS] === 0) return;
    this.#bytes -= (this.#words[place * WORDS + 2]! >>> HALF) + 1;
    this.#used--;
    this.#words[place * WORDS] = 0;
    this.#places[place * 2] = 0;
    this.#places[place * 2 + 1] = undefined;
  }

  #grow(): void {
    const words = this.#words;
    const places = this.#places;
    const count = this.#mask + 1;
    this.#mask = Math.min(count * 4, this.#maxPlaces) - 1;
    this.#shift = 32 - Math.log2((this.#mask + 1) / WAYS);
    this.#places = emptyPlaces(this.#mask + 1);
    this.#words = new Int32Array((this.#mask + 1) * WORDS);
    this.#used = 0;
    this.#bytes = 0;
    this.#hand = 0;
    for (let place = 0; place < count; place++) {
      const at = place * WORDS;
      if (words[at] === 0) continue;
      const bytes = (words[at + 2]! >>> HALF) + 1;
      const hash = places[place * 2] as number;
      this.set(hash, words[at]!, words[at + 1]!, words[at + 2]! & LOW_HALF, bytes, places[place * 2 + 1]);
    }
  }
}
