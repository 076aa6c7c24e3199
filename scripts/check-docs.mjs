// Checks the users' pages (docs/*.md, README.md) against a built package: that their examples run and print what they
// say, and that relative links of all pages lead somewhere. `node scripts/check-docs.mjs TEXT` runs only the examples of
// pages whose path holds TEXT.
//
// What is an example:
//   ```js            stands alone and is run; its process must end with 0
//   // name.mjs      as its first line: a file. The files under one heading belong together in one folder; those that
//                    no other of them names are run
//   ```js fragment   cannot run alone; only its syntax is checked
// What is compared: `console.log(...); // value`. Each time that line prints, in whichever thread, it has to print the
// comment, blanks and line breaks counting alike, and it has to print at least once.
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HANG_MS = 60_000;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const filter = process.argv[2] ?? '';
if (!existsSync(join(root, 'dist/src/index.js'))) {
  console.log('there is no dist/: build first\n0 passed, 1 failed');
  process.exit(1);
}

let passed = 0;
let failed = 0;
let folders = 0;

function check(name, problems) {
  if (problems.length === 0) passed++;
  else failed++;
  if (problems.length > 0) console.log(`FAIL ${name}\n  ${problems.join('\n  ')}`);
}

const scratch = mkdtempSync(join(tmpdir(), 'cairn-docs-'));
try {
  const pages = readPages();
  for (const page of pages.values()) for (const link of page.links) check(...checkLink(page, link, pages));
  await checkExamples([...pages.values()].filter(({ path }) => /^(docs\/[^/]+|README)\.md$/.test(path)));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** All pages of the repository, by path. */
function readPages() {
  const paths = readdirSync(root).filter((name) => name.endsWith('.md'));
  for (const folder of ['assembly', 'bench', 'docs', 'examples', 'scripts', 'src', 'test']) {
    for (const name of readdirSync(join(root, folder), { recursive: true })) {
      if (name.endsWith('.md')) paths.push(join(folder, name));
    }
  }
  return new Map(paths.map((path) => [path, readPage(path)]));
}

/** A page's anchors, links and examples. */
function readPage(path) {
  const anchors = new Set();
  const blocks = [];
  let prose = '';
  let block = null;
  let heading = 0;
  readFileSync(join(root, path), 'utf8')
    .split('\n')
    .forEach((line, n) => {
      const fence = /^\s*```(.*)$/.exec(line);
      if (block !== null) {
        if (fence) block = null;
        else block.lines.push(line);
      } else if (fence) {
        block = { info: fence[1].trim(), line: n + 2, heading, lines: [] };
        blocks.push(block);
      } else {
        const title = /^#+ (.*)$/.exec(line);
        if (title) {
          heading++;
          anchors.add(anchorOf(title[1], anchors));
        }
        prose += `${line}\n`;
      }
    });
  const links = [];
  for (const [, target] of prose.replace(/`[^`]*`/g, 'code').matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)) {
    if (!/^[a-z]+:/.test(target)) links.push(target);
  }
  return { path, anchors, links, blocks };
}

/** As GitHub makes it of a heading's text. */
function anchorOf(title, taken) {
  const plain = title.replace(/`/g, '').replace(/\[([^\]]*)\]\([^)]+\)/g, '$1');
  const anchor = plain
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
  let free = anchor;
  for (let n = 1; taken.has(free); n++) free = `${anchor}-${n}`;
  return free;
}

function checkLink(page, link, pages) {
  const [file, anchor] = link.split('#');
  const target = file === '' ? page.path : relative(root, join(root, dirname(page.path), file));
  const problems = [];
  if (!existsSync(join(root, target))) problems.push('no such file');
  else if (anchor && !pages.get(target)?.anchors.has(anchor)) problems.push('no such heading');
  return [`${page.path}: link to ${link}`, problems];
}

async function checkExamples(pages) {
  const examples = pages.filter(({ path }) => path.includes(filter)).flatMap(examplesOf);
  prepareScratch();
  let next = 0;
  const worker = async () => {
    while (next < examples.length) {
      const example = examples[next++];
      check(example.name, await runExample(example));
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
}

/** What is run together: files in one folder, and which of them to start. */
function examplesOf({ path, blocks }) {
  const examples = [];
  const byHeading = new Map();
  for (const { info, line, heading, lines } of blocks) {
    if (info !== 'js' && info !== 'js fragment') continue;
    const named = /^\/\/ (\S+\.mjs)$/.exec(lines[0] ?? '');
    const file = { name: named?.[1] ?? 'example.mjs', line, lines };
    if (info === 'js fragment' || !named) {
      examples.push({ name: `${path}:${line}`, files: [file], fragment: info === 'js fragment' });
      continue;
    }
    let example = byHeading.get(heading);
    if (example === undefined) {
      example = { name: `${path}:${line}`, files: [], fragment: false };
      byHeading.set(heading, example);
      examples.push(example);
    }
    example.files.push(file);
  }
  return examples;
}

/** Packages are found two folders up, cairn-cache one folder up; what is printed goes through `probe.mjs`. */
function prepareScratch() {
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
  mkdirSync(join(scratch, 'run', 'node_modules'), { recursive: true });
  symlinkSync(root, join(scratch, 'run', 'node_modules', 'cairn-cache'));
  writeFileSync(
    join(scratch, 'probe.mjs'),
    `import { appendFileSync } from 'node:fs';
import { format } from 'node:util';
const log = console.log;
console.log = (...args) => {
  const [, file, line] = /(file:.*?):(\\d+):\\d+/.exec(new Error().stack.split('\\n')[2]) ?? [];
  const record = { file, line: Number(line), text: format(...args) };
  appendFileSync(process.env.CAIRN_DOCS_LOG, JSON.stringify(record) + '\\n');
  log(...args);
};
`,
  );
}

async function runExample({ files, fragment }) {
  const folder = join(scratch, 'run', String(++folders));
  mkdirSync(folder);
  for (const { name, lines } of files) writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
  if (fragment) return (await node(['--check', files[0].name], folder)).problems;
  const text = (file) => file.lines.join('\n');
  const starts = files.filter(
    (file) => !files.some((other) => other !== file && text(other).includes(file.name)),
  );
  const problems = [];
  const records = [];
  for (const { name } of starts) {
    const log = join(folder, `${name}.log`);
    writeFileSync(log, '');
    const probe = pathToFileURL(join(scratch, 'probe.mjs')).href;
    problems.push(...(await node(['--import', probe, name], folder, { CAIRN_DOCS_LOG: log })).problems);
    for (const line of readFileSync(log, 'utf8').split('\n').slice(0, -1)) records.push(JSON.parse(line));
  }
  if (problems.length > 0) return problems;
  for (const file of files) {
    const url = pathToFileURL(join(folder, file.name)).href;
    file.lines.forEach((line, n) => {
      const said = /console\.log\(.*\);\s*\/\/ (.*)$/.exec(line)?.[1];
      if (said === undefined) return;
      const printed = records.filter((record) => record.file === url && record.line === n + 1);
      if (printed.length === 0) problems.push(`line ${file.line + n} printed nothing, expected ${said}`);
      for (const record of printed) {
        if (plain(record.text) === plain(said)) continue;
        problems.push(`line ${file.line + n} printed ${plain(record.text)}, expected ${said}`);
      }
    });
  }
  return problems;
}

function plain(text) {
  return text.replace(/\s+/g, ' ').trim();
}

function node(args, cwd, env = {}) {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: HANG_MS, encoding: 'utf8' };
    execFile(process.execPath, args, options, (error, _, stderr) => {
      if (error === null) return resolve({ problems: [] });
      const how = error.killed ? 'hangs' : `ended with ${error.code ?? error.signal}`;
      resolve({ problems: [`${how}: ${stderr.trim().split('\n').slice(0, 12).join('\n  ')}`] });
    });
  });
}
