// What a scenario can do: open a page as a certain person would see it, ask axe-core about it, photograph it.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.TEND_CHROMIUM ?? "/usr/bin/chromium";
const STEP_MILLISECONDS = 15_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const QUIET = [
  "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

export async function start() {
  // A launch without userDataDir takes a new empty one and removes it at the end.
  const chrome = await chromium.launch({
    executablePath: CHROMIUM, headless: true, chromiumSandbox: false, args: QUIET,
  });
  const said = [];
  const lookedAt = new WeakMap();

  // A page in a context of its own: own cookies, own screen. `js: false` is a browser with scripts turned off.
  async function newPage(seen = {}) {
    const { js = true, width = 1280, height = 800, dark = false, locale = "en-GB", print = false } = seen;
    const mobile = width < 600;
    const context = await chrome.newContext({
      javaScriptEnabled: js, viewport: { width, height }, locale, isMobile: mobile, hasTouch: mobile,
      colorScheme: dark ? "dark" : "light", reducedMotion: "reduce",
    });
    context.setDefaultTimeout(STEP_MILLISECONDS);
    const page = await context.newPage();
    lookedAt.set(page, { ...seen, js });
    if (print) await page.emulateMedia({ media: "print" });
    page.on("console", (line) => said.push(`console ${line.type()}: ${line.text()}`));
    page.on("pageerror", (error) => said.push(`page error: ${error}`));
    page.on("requestfailed", (request) => said.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
    page.on("response", (response) => {
      if (response.status() >= 400) said.push(`${response.status()}: ${response.url()}`);
    });
    return page;
  }

  // Clicks what leads to another page, and waits until that page is there. A click by itself may return while the old
  // page is going away, and whoever asks then asks nobody.
  async function follow(page, locator) {
    await Promise.all([page.waitForEvent("load"), locator.click()]);
  }

  // The violations of WCAG 2.2 A and AA and of axe's best practices, each with the places where it was found.
  // The page's own content security policy stays in force: axe is evaluated by the debugger, not by a script tag.
  // Where scripts are turned off, axe reads the same bytes and the same style sheets in a twin with scripts on.
  async function axe(page) {
    const seen = lookedAt.get(page);
    if (!seen.js) return axeInTwin(page, seen);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() =>
      globalThis.axe.run(document, { resultTypes: ["violations"] }));
    return violations.map(({ id, impact, help, nodes }) => ({
      id, impact, help, page: page.url(), places: nodes.map((node) => `${node.target}: ${node.html}`),
    }));
  }

  async function axeInTwin(page, seen) {
    const twin = await newPage({ ...seen, js: true });
    try {
      const body = await page.content();
      await twin.context().addCookies(await page.context().cookies());
      await twin.route(page.url(), (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body }));
      await twin.goto(page.url());
      return await axe(twin);
    } finally {
      await twin.context().close();
    }
  }

  async function screenshot(page, path, { full = true } = {}) {
    mkdirSync(dirname(path), { recursive: true });
    await page.screenshot({ path, fullPage: full, animations: "disabled" });
    return path;
  }

  // True when the page needs no sideways scrolling at its width.
  async function fits(page) {
    return page.locator("html").evaluate((html) => html.scrollWidth <= html.clientWidth);
  }

  return { newPage, follow, axe, screenshot, fits, said: () => said, stop: () => chrome.close() };
}
