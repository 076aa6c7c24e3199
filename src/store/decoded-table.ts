/**
 * A thread's cache of decoded values, indexed by entry address and checked against the entry's version: a value read twice
 * is decoded once, and no message is needed when another thread changes it, since a changed entry has another version.
 *
 * Direct-mapped. The table doubles while more than half of it is in use, up to one place for every 64 bytes of the bound.
 * The bound counts encoded bytes; when it is passed, places are cleared in turn.
 */
const FIRST_PLACES = 256;

export class DecodedTable {
  readonly #maxBytes: number;
  readonly #maxPlaces: number;
  #mask = FIRST_PLACES - 1;
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
    const at = (address >>> 3) & this.#mask;
    return this.#address[at] === address && this.#version[at] === version ? this.#value[at] : undefined;
  }

  set(address: number, version: number, bytes: number, value: unknown): void {
    if (bytes > this.#maxBytes) return;
    if (this.#used * 2 > this.#mask && this.#mask + 1 < this.#maxPlaces) this.#grow();
    const at = (address >>> 3) & this.#mask;
    this.#clear(at);
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
