// Slab pages of a shard: 4 KiB each, of one size class, a whole piece of a large value, index, ghosts, or free. What must
// be known of a page is 16 bytes beside the pages, so a page is all chunks. Everything here happens under the shard's
// lock and inside the commit of whoever calls: each function is straight-line (no loop, no call after inlining).
//
//   partly used pages stand in a list by (class, live chunks); the class map has a bit for each list that is not empty,
//   so "the fullest page of a class" and "the page with the fewest live chunks" are a count of zeros.
//   full pages, whole pieces, index and ghost pages stand in no list; free ones on SH_FREE or behind SH_CARVED.
//
// A chunk is free if it is on its page's list (link at its byte 8: its version stays as it was, which readers that still
// hold it compare) or lies behind the page's `carved` mark.
import {
  H_CLASS_CHUNKS, H_CLASS_OF, H_CLASS_SIZE, KIND_FREE, KIND_WHOLE, P_CARVED, P_FREE, P_KIND, P_LIVE, P_NEXT, P_PREV,
  PAGE_BITS, PAGE_SIZE, PIECE_PAYLOAD, PIECE_SIZE, RECORD_SIZE, SH_BASE, SH_CARVED, SH_CLASS_FREE, SH_CLASS_MAP,
  SH_DEAD, SH_FREE, SH_FREE_COUNT, SH_LISTS, SH_PAGES, SH_RECORDS, SMALL_MAX, WHOLE_PAYLOAD,
} from './layout';

@inline export function classSize(cls: u32): u32 {
  return load<u16>(<usize>(cls << 1), H_CLASS_SIZE);
}

@inline export function classChunks(cls: u32): u32 {
  return load<u16>(<usize>(cls << 1), H_CLASS_CHUNKS);
}

/** Smallest class whose chunk holds that many bytes (1 to 1,024). */
@inline export function classOf(bytes: u32): u32 {
  return load<u8>(<usize>((bytes + 7) >> 3), H_CLASS_OF);
}

@inline export function recordOf(sh: usize, page: u32): usize {
  return <usize>load<u32>(sh, SH_RECORDS) + <usize>(page * RECORD_SIZE);
}

@inline export function pageOf(sh: usize, address: usize): u32 {
  return (<u32>address - load<u32>(sh, SH_BASE)) >> PAGE_BITS;
}

@inline export function pageAddress(sh: usize, page: u32): usize {
  return <usize>(load<u32>(sh, SH_BASE) + (page << PAGE_BITS));
}

@inline export function freePages(sh: usize): u32 {
  return load<u32>(sh, SH_FREE_COUNT) + load<u32>(sh, SH_PAGES) - load<u32>(sh, SH_CARVED);
}

/** Bytes of the piece that stands at an address. */
@inline export function pieceSize(sh: usize, address: usize): u32 {
  const kind = <u32>load<u8>(recordOf(sh, pageOf(sh, address)), P_KIND);
  return kind == KIND_WHOLE ? PAGE_SIZE : classSize(kind);
}

/** Chunk bytes that an entry of `bytes` (header, key, value) takes. */
export function weightOf(bytes: u32): u32 {
  if (bytes <= SMALL_MAX) return classSize(classOf(bytes));
  const whole = bytes >= WHOLE_PAYLOAD ? bytes / WHOLE_PAYLOAD : 0;
  let rest = bytes - whole * WHOLE_PAYLOAD;
  let weight = whole * PAGE_SIZE;
  while (rest > PIECE_PAYLOAD) {
    weight += PIECE_SIZE;
    rest -= PIECE_PAYLOAD;
  }
  return rest ? weight + classSize(classOf(rest + 8)) : weight;
}

@inline export function listPage(sh: usize, cls: u32, live: u32, page: u32): void {
  const head = sh + SH_LISTS + <usize>(((cls << 6) + live) << 2);
  const first = load<u32>(head);
  const record = recordOf(sh, page);
  store<u32>(record, 0, P_PREV);
  store<u32>(record, first, P_NEXT);
  if (first) store<u32>(recordOf(sh, first - 1), page + 1, P_PREV);
  store<u32>(head, page + 1);
  const map = sh + SH_CLASS_MAP + <usize>(cls << 3);
  store<u64>(map, load<u64>(map) | (<u64>1 << <u64>live));
}

@inline export function unlistPage(sh: usize, cls: u32, live: u32, page: u32): void {
  const record = recordOf(sh, page);
  const prev = load<u32>(record, P_PREV);
  const next = load<u32>(record, P_NEXT);
  if (next) store<u32>(recordOf(sh, next - 1), prev, P_PREV);
  if (prev) {
    store<u32>(recordOf(sh, prev - 1), next, P_NEXT);
  } else {
    store<u32>(sh + SH_LISTS + <usize>(((cls << 6) + live) << 2), next);
    if (!next) {
      const map = sh + SH_CLASS_MAP + <usize>(cls << 3);
      store<u64>(map, load<u64>(map) & ~(<u64>1 << <u64>live));
    }
  }
}

@inline function addClassFree(sh: usize, cls: u32, chunks: u32): void {
  const at = sh + SH_CLASS_FREE + <usize>(cls << 2);
  store<u32>(at, load<u32>(at) + chunks);
}

/** Takes a free page (there is one) for `kind`. Its record is written whole. */
@inline export function takePage(sh: usize, kind: u32): u32 {
  let page = load<u32>(sh, SH_FREE);
  if (page) {
    page -= 1;
    store<u32>(sh, load<u32>(recordOf(sh, page), P_NEXT), SH_FREE);
    store<u32>(sh, load<u32>(sh, SH_FREE_COUNT) - 1, SH_FREE_COUNT);
  } else {
    page = load<u32>(sh, SH_CARVED);
    store<u32>(sh, page + 1, SH_CARVED);
  }
  const record = recordOf(sh, page);
  store<u64>(record, <u64>kind, P_KIND); // live, free list and prev: 0
  store<u64>(record, 0, P_NEXT); // next and carved: 0
  return page;
}

@inline export function givePage(sh: usize, page: u32): void {
  const record = recordOf(sh, page);
  store<u64>(record, <u64>KIND_FREE, P_KIND);
  store<u32>(record, load<u32>(sh, SH_FREE), P_NEXT);
  store<u32>(sh, page + 1, SH_FREE);
  store<u32>(sh, load<u32>(sh, SH_FREE_COUNT) + 1, SH_FREE_COUNT);
}

/** A free page (there is one) joins a class, with no live chunk yet. */
@inline export function joinClass(sh: usize, cls: u32): void {
  const page = takePage(sh, cls);
  listPage(sh, cls, 0, page);
  addClassFree(sh, cls, classChunks(cls));
}

/** Page of the class to take a chunk from, the fullest; -1: none has a free chunk. */
@inline export function fullestPage(sh: usize, cls: u32): i32 {
  const map = load<u64>(sh + SH_CLASS_MAP + <usize>(cls << 3));
  if (!map) return -1;
  const live = 63 - <u32>clz<u64>(map);
  return <i32>load<u32>(sh + SH_LISTS + <usize>(((cls << 6) + live) << 2)) - 1;
}

/** Takes a chunk of a page that has a free one. */
@inline export function takeChunk(sh: usize, cls: u32, page: u32): usize {
  const record = recordOf(sh, page);
  const live = <u32>load<u8>(record, P_LIVE);
  const free = <u32>load<u16>(record, P_FREE);
  let chunk = pageAddress(sh, page);
  if (free) {
    chunk += <usize>((free - 1) << 3);
    store<u16>(record, <u16>load<u32>(chunk, 8), P_FREE);
  } else {
    const carved = <u32>load<u16>(record, P_CARVED);
    chunk += <usize>carved;
    store<u16>(record, <u16>(carved + classSize(cls)), P_CARVED);
  }
  unlistPage(sh, cls, live, page);
  store<u8>(record, <u8>(live + 1), P_LIVE);
  if (live + 1 < classChunks(cls)) listPage(sh, cls, live + 1, page);
  addClassFree(sh, cls, -1);
  return chunk;
}

/** Gives a chunk or a whole page back; a page whose last chunk goes is free. */
@inline export function freePiece(sh: usize, address: usize): void {
  const page = pageOf(sh, address);
  const record = recordOf(sh, page);
  const cls = <u32>load<u8>(record, P_KIND);
  if (cls == KIND_WHOLE) {
    givePage(sh, page);
  } else {
    const live = <u32>load<u8>(record, P_LIVE);
    const chunks = classChunks(cls);
    if (live < chunks) unlistPage(sh, cls, live, page);
    if (live == 1) {
      givePage(sh, page);
      addClassFree(sh, cls, 1 - chunks);
    } else {
      store<u32>(address, <u32>load<u16>(record, P_FREE), 8);
      store<u16>(record, <u16>(((<u32>address & (PAGE_SIZE - 1)) >> 3) + 1), P_FREE);
      store<u8>(record, <u8>(live - 1), P_LIVE);
      listPage(sh, cls, live - 1, page);
      addClassFree(sh, cls, 1);
    }
  }
}

/** Puts the chain that begins at `first` on the dead list. */
@inline export function buryChain(sh: usize, first: usize): void {
  store<u32>(first + <usize>pieceSize(sh, first) - 4, load<u32>(sh, SH_DEAD));
  store<u32>(sh, <u32>first, SH_DEAD);
}
