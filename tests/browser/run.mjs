// Runs one browser scenario and prints its result as one line of JSON.
//
//   node run.mjs SCENARIO '{"base":"http://127.0.0.1:8080", ...}'
//
// A scenario is scenarios/SCENARIO.mjs with a default export `async (browser, options) => result`.
// `browser` is the object made by tools.mjs: newPage, follow, axe, screenshot. tests/support/browser.rs keeps our
// standard input open: when the test process is gone, so are we and Chromium.
import { start } from "./tools.mjs";

const [scenario, json] = process.argv.slice(2);
if (!/^[a-z0-9_-]+$/.test(scenario ?? "") || json === undefined) {
  console.error("usage: node run.mjs SCENARIO JSON-OPTIONS");
  process.exit(2);
}

process.stdin.on("end", () => process.exit(3));
process.stdin.resume();

const browser = await start();
let code = 0;
try {
  const { default: play } = await import(`./scenarios/${scenario}.mjs`);
  const result = await play(browser, JSON.parse(json));
  console.log(JSON.stringify(result ?? null));
} catch (error) {
  console.error(`scenario ${scenario} failed: ${error?.stack ?? error}`);
  for (const line of browser.said()) console.error(line);
  code = 1;
} finally {
  await browser.stop();
}
process.exit(code);
