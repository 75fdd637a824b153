// Proves the tools themselves: tests/support/browser.rs serves /good, /bad and /form.
export default async function play(browser, { base, pictures }) {
  const page = await browser.newPage({ width: 320, dark: true, locale: "zh-CN" });
  await page.goto(`${base}/good`);
  const good = await browser.axe(page);
  const wide = await browser.fits(page);
  const picture = await browser.screenshot(page, `${pictures}/good.png`);
  const scripted = await page.locator("#script").textContent();
  const language = await page.evaluate(() => navigator.language);

  await page.goto(`${base}/bad`);
  const bad = await browser.axe(page);

  const plain = await browser.newPage({ js: false, width: 320 });
  await plain.goto(`${base}/good`);
  const unscripted = await plain.locator("#script").textContent();
  await plain.getByLabel("Name").fill("Li");
  await browser.follow(plain, plain.getByRole("button", { name: "Send" }));
  const greeting = await plain.locator("h1").textContent();
  const afterPost = await browser.axe(plain);
  return { good, bad, wide, picture, scripted, unscripted, language, greeting, afterPost };
}
