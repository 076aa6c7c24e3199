/** cairn-cache/keyv: a SharedCache as a store for Keyv 6 (`KeyvCairn`) and Keyv 5 (`Keyv5Cairn`). Imports no Keyv. */
export { Keyv5Cairn } from './keyv5.ts';
export {
  KeyvCairn,
  type KeyvCairnCapabilities,
  type KeyvCairnEntry,
  type KeyvCairnOptions,
} from './keyv6.ts';
