// What JavaScript may call, and nothing else. `noun_verb`, plain numbers in and out; everything larger goes through the
// thread slot's staging area and results (layout.ts).
export { engine_close, engine_format, engine_open, engine_shard } from './engine';
export { thread_join, thread_leave, thread_mark_dead, thread_me } from './threads';
export { region_row } from './regions';
export { store_check, store_copy, store_find, store_get, store_get_locked, store_look, store_note, store_note_text, store_pieces, store_unlock } from './read';
export { many_note, many_note_text, many_touch } from './many';
export { large_begin, large_publish } from './large';
export { store_increment, store_put, store_refuse } from './write';
export { index_bytes, region_count, region_raise, store_begin, store_delete, store_end, store_scan, store_touch, store_version } from './store';
export { mutex_shorten, mutex_held, mutex_of, mutex_probe, mutex_release, mutex_try, mutex_wake_all } from './mutex-table';
export { debug_die, debug_held, debug_number, debug_walk } from './debug';
