/**
 * One duel in a process of its own: `node dist/bench/duels/main.js <id> [--rounds N] [--round-ms M]`. Its last line is the
 * result as JSON. Without an id: the list of duels. `--builds A.js,B.js` duels two builds of Cairn (`bench:compare`).
 */
import { parseArgs } from 'node:util';
import { CASES } from './cases.ts';
import { duel } from './rounds.ts';
import { contestOf } from './sides.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '21' },
    'round-ms': { type: 'string', default: '60' },
    builds: { type: 'string' },
  },
});

const chosen = CASES.find(({ id }) => id === positionals[0]);
if (!chosen) {
  for (const { id, title, rival } of CASES) console.log(`${id.padEnd(36)} ${title}; ${rival}`);
  process.exitCode = positionals.length ? 1 : 0;
} else {
  const builds = values.builds?.split(',') as [string, string] | undefined;
  const contest = await contestOf(chosen, builds);
  const result = await duel(contest.a, contest.b, {
    rounds: Number(values.rounds),
    roundMs: Number(values['round-ms']),
  });
  await contest.close();
  const { titleB, packageB } = contest;
  console.log(JSON.stringify({ id: chosen.id, rival: titleB, package: packageB, ...result }));
  process.exit(0); // some rivals keep timers
}
