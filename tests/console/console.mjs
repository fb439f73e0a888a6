// Druid's web console in Chromium, through the gate: what a person sees and does.
//
// Told by the environment: BED (bed.json), CERTIFICATE (the gate's), SCREENS (where screenshots go), TABLE (a name that is
// free), CHROMIUM. Prints one JSON object a line; the last one says what Druid or the gate answered with 400 or more.

import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const { BED, CERTIFICATE, SCREENS, TABLE, CHROMIUM } = process.env;
const bed = JSON.parse(readFileSync(BED, 'utf8'));
const CONSOLE = '/unified-console.html';
/// No single step takes longer, beside a cluster on two cores.
const STEP = 30_000;
/// No small query of the multi-stage engine takes longer, unless it stands still.
const RUN = 30_000;

const failures = [];
let began = Date.now();
const say = (step) => {
  console.log(JSON.stringify({ step, seconds: (Date.now() - began) / 1000 }));
  began = Date.now();
};

/// The bed's certificate authority is unknown to the browser: this one key is trusted, and no other.
function keyHash() {
  const key = new X509Certificate(readFileSync(CERTIFICATE)).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

async function open(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP);
  page.on('response', (response) => {
    if (response.status() < 400) return;
    failures.push(`${response.status()} ${response.request().method()} ${response.url().replace(bed.gate, '')}`);
  });
  return page;
}

const shoot = (page, name) => page.screenshot({ path: join(SCREENS, `${name}.png`) });

async function pasteToken(page, token) {
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function signIn(page, user) {
  await page.goto(`${bed.gate}${CONSOLE}`);
  assert.equal(new URL(page.url()).pathname, '/gate/login');
  await pasteToken(page, bed.users[user].token);
  await page.waitForURL(`${bed.gate}${CONSOLE}`);
  await page.goto(`${bed.gate}${CONSOLE}#workbench`);
  await page.reload();
  await page.locator('.ace_editor').first().waitFor();
}

/// Types a statement into the workbench in the place of what is there.
async function write(page, sql) {
  await page.locator('.ace_content').first().click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(sql);
}

async function chooseEngine(page, name) {
  await page.getByRole('button', { name: /^Engine:/ }).click();
  await page.getByText(name, { exact: true }).first().click();
  await page.keyboard.press('Escape');
}

const run = (page) => page.getByRole('button', { name: 'Run', exact: true }).click();

/// Waits until the page shows the text.
const shows = (page, text) => page.getByText(text).first().waitFor();

const EXTERN = `TABLE(EXTERN(
'{"type":"inline","data":"ada,1\\nbob,2\\ncleo,3"}',
'{"type":"csv","columns":["who","n"]}',
'[{"name":"who","type":"string"},{"name":"n","type":"long"}]'))`;
const INSERT = `INSERT INTO "${TABLE}"
SELECT TIMESTAMP '2020-01-01' AS __time, who, n
FROM ${EXTERN}
PARTITIONED BY DAY`;

async function theSignInPage(page) {
  await page.goto(`${bed.gate}${CONSOLE}`);
  await shoot(page, '1-sign-in');
  const token = bed.users.admin.token;
  await pasteToken(page, `${token.slice(0, -8)}AAAAAAAA`);
  await shows(page, "the token's signature is not valid");
  assert.ok(!(await page.content()).includes(token.slice(0, 40)), 'the page repeats the token');
  await shoot(page, '2-wrong-token');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, '3-wrong-token-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  say('the sign-in page refuses a wrong token');
}

async function theSession(page) {
  await signIn(page, 'admin');
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.map((cookie) => cookie.name), ['__Host-msq-gate-1']);
  const [{ secure, httpOnly, sameSite, path }] = cookies;
  assert.deepEqual({ secure, httpOnly, sameSite, path }, { secure: true, httpOnly: true, sameSite: 'Lax', path: '/' });
  assert.equal(await page.evaluate(() => document.cookie), '');
  await shows(page, 'wiki');
  await shoot(page, '4-console');
  say('the console loads');
}

/// Runs what is written until the page shows the result. A worker of Druid 27 that looks for its controller before the
/// Overlord knows where that is ends at once; the query then fails, or stands still: it is run again.
async function runTo(page, result) {
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    await run(page);
    await result.or(lostWorker(page)).first().waitFor({ timeout: RUN }).catch(() => {});
    if (await result.isVisible()) return;
    await shoot(page, `lost-worker-${attempt}`);
    if (await cancelLink(page).isVisible()) await cancelLink(page).click();
    await page.locator('button:not([disabled])', { hasText: /^Run$/ }).first().waitFor();
    say('a query lost its worker');
  }
  throw new Error('every query loses its worker');
}

const lostWorker = (page) => page.getByText(/WorkerRpcFailed|WorkerFailed/);

const cancelLink = (page) => page.getByText('(cancel)');

async function insertAndSelect(page) {
  await write(page, INSERT);
  await runTo(page, page.getByText(`inserted into '${TABLE}'.`).first());
  await shoot(page, '5-inserted');
  say('INSERT from EXTERN');
  await chooseEngine(page, 'sql-msq-task');
  await write(page, `SELECT who, n * 111 AS total\nFROM ${EXTERN}\nWHERE n > 1`);
  await runTo(page, page.getByText('333', { exact: true }).first());
  for (const text of ['who', 'total', 'bob', '222', 'cleo']) await page.getByText(text, { exact: true }).first().waitFor();
  await shoot(page, '6-selected');
  say('SELECT from EXTERN by the multi-stage engine');
}

async function cancel(page) {
  // It would run for days.
  const many = 'abcdefghijkl'.split('').map((name) => `wiki ${name}`);
  await write(page, `SELECT COUNT(*)\nFROM ${many.join(' CROSS JOIN ')}`);
  const running = page.getByText('Running query');
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    await run(page);
    await running.or(lostWorker(page)).first().waitFor({ timeout: RUN });
    if (await running.isVisible()) break;
  }
  await shoot(page, '7-running');
  const shutdown = page.waitForResponse((response) => response.url().endsWith('/shutdown'));
  await cancelLink(page).click();
  assert.equal((await shutdown).status(), 200);
  const id = (await shutdown).url().split('/').at(-2);
  await cancelLink(page).waitFor({ state: 'hidden' });
  await shoot(page, '8-cancelled');
  const ended = await page.waitForFunction(async (target) => {
    const { status } = await (await fetch(target)).json();
    return status.status !== 'RUNNING' && status.status;
  }, `/druid/indexer/v1/task/${id}/status`, { polling: 1000 });
  assert.equal(await ended.jsonValue(), 'FAILED');
  say('cancel');
}

async function signOut(page) {
  await page.goto(`${bed.gate}/gate/login`);
  await shows(page, 'You are signed in as admin.');
  await shoot(page, '9-sign-out');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Access token').waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  say('signing out');
}

async function refused(page) {
  await signIn(page, 'reader');
  await write(page, INSERT);
  await run(page);
  await shows(page, `WRITE DATASOURCE ${TABLE}`);
  await shows(page, 'READ EXTERNAL EXTERNAL');
  await shoot(page, '10-missing-permissions');
  say('a 403 shows what is missing');
}

mkdirSync(SCREENS, { recursive: true });
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--ignore-certificate-errors-spki-list=${keyHash()}`,
  ],
});
const page = await open(browser);
try {
  await theSignInPage(page);
  await theSession(page);
  await insertAndSelect(page);
  await cancel(page);
  await signOut(page);
  await refused(page);
} catch (error) {
  await shoot(page, 'failed');
  throw error;
} finally {
  console.log(JSON.stringify({ failures }));
  await browser.close();
}
