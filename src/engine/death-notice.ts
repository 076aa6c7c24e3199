/**
 * Death notices by MessagePort. A thread that attaches hands one end of a channel to the owner's thread; when the thread
 * ends, however it ends, the other end closes, and the owner writes the death down. Nothing waits for it: it shortens what
 * a waiter would find out by itself on Linux, and is the only notice elsewhere.
 *
 * The message passes through `process.on('workerMessage')`, where the user's own listeners see it too: it carries a tag.
 */
import {
  MessageChannel,
  type MessagePort,
  postMessageToThread,
  receiveMessageOnPort,
} from 'node:worker_threads';

const TAG = 'cairn.attach';

interface AttachMessage {
  tag: typeof TAG;
  engine: string;
  slot: number;
  generation: number;
  port: MessagePort;
}

/** What the owner does about a death. */
export type DeathHandler = (slot: number, generation: number) => void;

interface Owned {
  onDeath: DeathHandler;
  ports: Map<number, { generation: number; port: MessagePort }>;
}

/** Engines that this thread owns, by their id. */
const owned = new Map<string, Owned>();

function onMessage(message: unknown): void {
  const attach = message as AttachMessage | null;
  if (typeof attach !== 'object' || attach?.tag !== TAG) return;
  const engine = owned.get(attach.engine);
  // another copy of the package may own it, and has this very port: it is not this copy's to close
  if (!engine) return;
  const { slot, generation, port } = attach;
  engine.ports.set(slot, { generation, port });
  port.on('close', () => {
    if (engine.ports.get(slot)?.port === port) engine.ports.delete(slot);
    if (owned.get(attach.engine) === engine) engine.onDeath(slot, generation); // else this end closed it
  });
  port.unref();
}

/** The owner's side: begins to take ports for an engine. */
export function watchDeaths(engine: string, onDeath: DeathHandler): void {
  if (owned.size === 0) process.on('workerMessage', onMessage);
  owned.set(engine, { onDeath, ports: new Map() });
}

export function unwatchDeaths(engine: string): void {
  const entry = owned.get(engine);
  if (!entry) return;
  owned.delete(engine);
  for (const { port } of entry.ports.values()) port.close();
  if (owned.size === 0) process.off('workerMessage', onMessage);
}

/**
 * The owner's synchronous question, for platforms without /proc while its event loop does not turn: a port whose peer is
 * dead answers `postMessage` with `undefined` once its queue was looked at, a living one with `true`.
 */
export function portSaysDead(engine: string, slot: number, generation: number): boolean {
  const entry = owned.get(engine)?.ports.get(slot);
  if (entry?.generation !== generation) return false;
  receiveMessageOnPort(entry.port);
  return (entry.port.postMessage(0) as unknown) === undefined;
}

/**
 * The attaching side: keeps its end open until this thread ends or `close` is called. Never throws, never keeps a thread
 * alive. `onOwnerGone`: the other end closed first.
 */
export function sendNotice(
  engine: string,
  owner: number,
  slot: number,
  generation: number,
  onOwnerGone: () => void,
): { close(): void } {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', () => {}); // `portSaysDead` posts; unread, its messages would pile up
  port1.unref();
  const message: AttachMessage = { tag: TAG, engine, slot, generation, port: port2 };
  // without a listener in the owner's thread the promise rejects, and unhandled that would end this thread
  let closed = false;
  const close = () => {
    closed = true;
    port1.close();
  };
  port1.on('close', () => {
    if (!closed) onOwnerGone();
  });
  postMessageToThread(owner, message, [port2]).catch(close);
  return { close };
}
