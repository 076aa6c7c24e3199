/** Tells which objects of one encoding were met before, by their number in the order in which they were met. */

/** Up to this many objects are searched one by one, which is cheaper than a set. */
const LISTED = 32;

export class ObjectNumbers {
  /** All objects, in order. */
  private readonly order: (object | undefined)[] = new Array<object | undefined>(LISTED).fill(undefined);
  private count = 0;
  /** From {@link LISTED} objects on; adding to it and looking at its size is the cheapest question there is. */
  private met: Set<object> | undefined;
  /** Made at the first object that comes again. */
  private numbers: Map<object, number> | undefined;

  /** The number of an object that was met before; else gives it the next number and returns -1. */
  of(value: object): number {
    const { order, count, met } = this;
    if (met === undefined) {
      for (let i = 0; i < count; i++) if (order[i] === value) return i;
      if (count < LISTED) {
        order[count] = value;
        this.count = count + 1;
        return -1;
      }
      this.met = new Set(order as object[]);
      this.met.add(value);
    } else {
      met.add(value);
      if (met.size === count) return this.numberOf(value);
    }
    if (this.numbers !== undefined) this.numbers.set(value, count);
    order.push(value);
    this.count = count + 1;
    return -1;
  }

  private numberOf(value: object): number {
    if (this.numbers === undefined) {
      this.numbers = new Map();
      for (let i = 0; i < this.count; i++) this.numbers.set(this.order[i] as object, i);
    }
    return this.numbers.get(value) as number;
  }

  clear(): void {
    const { order, count } = this;
    if (count > LISTED) order.length = LISTED;
    for (let i = Math.min(count, LISTED) - 1; i >= 0; i--) order[i] = undefined;
    this.count = 0;
    this.met = undefined;
    this.numbers = undefined;
  }
}
