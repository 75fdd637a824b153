// Every page of staff as a desk, a phone, a dark room and a Chinese reader see it: fits, accessible, photographed.
const SEEN = [
  { name: "desk", width: 1280 },
  { name: "phone", width: 320 },
  { name: "dark", width: 1280, dark: true },
  { name: "chinese", width: 1280, locale: "zh-CN" },
];

export default async function play(browser, { base, pictures, login, password, pages }) {
  const found = [];
  const wide = [];
  for (const { name, ...seen } of SEEN) {
    const page = await browser.newPage(seen);
    const look = async (what) => {
      found.push(...await browser.axe(page));
      if (!await browser.fits(page)) wide.push(`${name}: ${page.url()}`);
      if (pictures) await browser.screenshot(page, `${pictures}/${what}-${name}.png`);
    };
    await page.goto(`${base}/sign-in`);
    await look("sign-in");
    await page.locator("#login").fill(login);
    await page.locator("#password").fill(password);
    await browser.follow(page, page.locator("main button"));
    for (const [what, path] of Object.entries(pages)) {
      await page.goto(base + path);
      await look(what);
    }
    await page.context().close();
  }
  return { found, wide };
}
