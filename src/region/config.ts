/** Options out of a flat configuration, such as a parsed file or `process.env`. */
import { debuglog } from 'node:util';
import { OptionError } from '../errors.ts';
import type { ConfigureOptions } from './types.ts';

/** Members by name; what is no string is taken as it is. */
export type RegionConfig = Readonly<Record<string, unknown>>;

const ARGUMENTS = 'arguments.';
const OPTIONS = ['expirationTime', 'wrap', 'regionInvalidator', 'replaceExistingBackend'];
const debug = debuglog('cairn');

/**
 * What a string stands for: a whole number, a number with a point or an exponent, `true` and `false` in any case, `None`
 * and `null` for `null`; else the string, with no blanks around it.
 * Source: dogpile.cache `coerce_string_conf`.
 */
export function coerce(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return Number(text);
  const lower = text.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower === 'true';
  return text === 'None' || text === 'null' ? null : text;
}

/** The backend's name, the options of `configure`, and the whole configuration coerced. */
export function readConfig(
  config: RegionConfig,
  prefix: string,
): { backend: string; options: ConfigureOptions; coerced: Record<string, unknown>; argumentsPrefix: string } {
  if (typeof config !== 'object' || config === null) {
    throw new OptionError('config', config, 'must be an object');
  }
  if (typeof prefix !== 'string') throw new OptionError('prefix', prefix, 'must be a string');
  const coerced: Record<string, unknown> = {};
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(config)) {
    if (!name.startsWith(prefix)) continue;
    coerced[name] = coerce(value);
    const own = name.slice(prefix.length);
    if (OPTIONS.includes(own)) options[own] = coerced[name];
    else if (own !== 'backend' && !own.startsWith(ARGUMENTS)) debug('configureFromConfig ignores %s', name);
  }
  const backend = coerced[`${prefix}backend`];
  if (typeof backend !== 'string') {
    throw new OptionError(`${prefix}backend`, backend, 'must be the name of a registered backend');
  }
  return { backend, options, coerced, argumentsPrefix: prefix + ARGUMENTS };
}
