// The instructions that may stand in a commit. V8 takes interrupts at function entries and loop heads only, so what
// is listed runs to its end once begun; what is not listed is refused, also where it would be harmless. Left out on
// purpose: calls, loops, waits, `memory.atomic.notify` (a runtime call, and it belongs after the unlock),
// `memory.grow`, `memory.init`, tables, exceptions and the float-to-integer conversions that trap.

const words = (text) => text.trim().split(/\s+/);
const each = (prefixes, ops) =>
  words(prefixes).flatMap((prefix) => words(ops).map((op) => `${prefix}.${op}`));

const INTEGER = `const add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr clz ctz popcnt
  eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u extend8_s extend16_s
  load store load8_s load8_u load16_s load16_u store8 store16
  trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u
  atomic.load atomic.load8_u atomic.load16_u atomic.store atomic.store8 atomic.store16`;
const FLOAT = `const add sub mul div min max sqrt abs neg ceil floor trunc nearest copysign eq ne lt gt le ge
  load store convert_i32_s convert_i32_u convert_i64_s convert_i64_u`;
const RMW = 'add sub and or xor xchg cmpxchg';
const NARROW_RMW = 'add_u sub_u and_u or_u xor_u xchg_u cmpxchg_u';
const LANES = 'i8x16 i16x8 i32x4 i64x2';

const ALLOWED = new Set([
  ...words('local.get local.set local.tee global.get global.set select drop nop'),
  ...words('block if else end br br_if br_table'),
  ...words('memory.copy memory.fill atomic.fence'),
  ...each('i32 i64', INTEGER),
  ...words('i32.wrap_i64 i32.reinterpret_f32 i64.reinterpret_f64 i64.extend_i32_s i64.extend_i32_u'),
  ...words('i64.load32_s i64.load32_u i64.store32 i64.extend32_s i64.atomic.load32_u i64.atomic.store32'),
  ...each('f32 f64', FLOAT),
  ...words('f32.demote_f64 f32.reinterpret_i32 f64.promote_f32 f64.reinterpret_i64'),
  ...each('i32.atomic.rmw i64.atomic.rmw', RMW),
  ...each('i32.atomic.rmw8 i32.atomic.rmw16 i64.atomic.rmw8 i64.atomic.rmw16 i64.atomic.rmw32', NARROW_RMW),
  ...words('v128.const v128.load v128.store v128.and v128.or v128.xor v128.not v128.andnot v128.bitselect'),
  ...words('v128.any_true v128.load32_zero v128.load64_zero i8x16.extract_lane_u i16x8.extract_lane_u'),
  ...each('i32x4 i64x2', 'extract_lane'),
  ...each(LANES, 'splat replace_lane eq ne add sub all_true bitmask'),
]);

/** Why an instruction may not stand in a commit, or `undefined` where it may. */
export function refusal({ op, args }) {
  if (ALLOWED.has(op)) return undefined;
  if (op === 'loop') return 'a loop';
  if (/^(return_)?call/.test(op))
    return `a call: ${[op, ...args.filter((arg) => arg.startsWith('$'))].join(' ')}`;
  if (op.startsWith('memory.atomic.wait')) return `a wait: ${op}`;
  if (op === 'return') return 'a return before the closing store';
  return `not on the allow-list: ${op}`;
}
