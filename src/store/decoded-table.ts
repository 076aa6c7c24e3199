/**
 * A thread's cache of decoded values, indexed by entry address and checked against the entry's version: a value read twice
 * is decoded once, and no message is needed when another thread changes it, since a changed entry has another version.
 *
 * Places stand in sets of four. An address is hashed to a set; a new value goes to its first place and moves the others on, so
 * the one that came first leaves. The table grows while more than half of it is in use, up to one place for every 64 bytes
 * of the bound. The bound counts encoded bytes; when it is passed, places are cleared in turn.
 */
const FIRST_PLACES = 256;
const WAYS = 4;

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
  #address = new Uint32Array(FIRST_PLACES);
  #version = new Float64Array(FIRST_PLACES);
  #size = new Uint32Array(FIRST_PLACES);
  #value: unknown[] = new Array(FIRST_PLACES).fill(undefined);
  #used = 0;
  #bytes = 0;
  #hand = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxPlaces = Math.max(FIRST_PLACES, 2 ** Math.floor(Math.log2(Math.max(1, maxBytes / 64))));
  }

  /** The value decoded from this entry at this version, or `undefined`. */
  get(address: number, version: number): unknown {
    let at = (mix(address) >>> this.#shift) * WAYS;
    const end = at + WAYS;
    while (this.#address[at] !== address) if (++at === end) return undefined;
    return this.#version[at] === version ? this.#value[at] : undefined;
  }

  set(address: number, version: number, bytes: number, value: unknown): void {
    if (bytes > this.#maxBytes) return;
    if (this.#used * 2 > this.#mask && this.#mask + 1 < this.#maxPlaces) this.#grow();
    const at = (mix(address) >>> this.#shift) * WAYS;
    let last = at;
    while (last < at + WAYS - 1 && this.#address[last] !== address && this.#address[last] !== 0) last++;
    this.#clear(last);
    for (; last > at; last--) this.#move(last - 1, last);
    while (this.#bytes + bytes > this.#maxBytes) {
      this.#clear(this.#hand);
      this.#hand = (this.#hand + 1) & this.#mask;
    }
    this.#address[at] = address;
    this.#version[at] = version;
    this.#size[at] = bytes;
    this.#value[at] = value;
    this.#used++;
    this.#bytes += bytes;
  }

  /** Encoded bytes of what is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  #move(from: number, to: number): void {
    this.#address[to] = this.#address[from]!;
    this.#version[to] = this.#version[from]!;
    this.#size[to] = this.#size[from]!;
    this.#value[to] = this.#value[from];
    this.#address[from] = 0;
    this.#value[from] = undefined;
  }

  #clear(at: number): void {
    if (this.#address[at] === 0) return;
    this.#bytes -= this.#size[at]!;
    this.#used--;
    this.#address[at] = 0;
    this.#value[at] = undefined;
  }

  #grow(): void {
    const places = (this.#mask + 1) * 4;
    const [address, version, size, value] = [this.#address, this.#version, this.#size, this.#value];
    this.#mask = Math.min(places, this.#maxPlaces) - 1;
    this.#shift = 32 - Math.log2((this.#mask + 1) / WAYS);
    this.#address = new Uint32Array(this.#mask + 1);
    this.#version = new Float64Array(this.#mask + 1);
    this.#size = new Uint32Array(this.#mask + 1);
    this.#value = new Array(this.#mask + 1).fill(undefined);
    this.#used = 0;
    this.#bytes = 0;
    this.#hand = 0;
    for (let i = 0; i < address.length; i++) {
      if (address[i] !== 0) this.set(address[i]!, version[i]!, size[i]!, value[i]);
    }
  }
}
