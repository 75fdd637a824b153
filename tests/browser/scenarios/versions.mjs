// A changed workflow in the demo, part by part: the night falls, the new version is looked at, everybody is moved, days go by.
const SLOW_MILLISECONDS = 280_000;
const WORKFLOW = "hf-discharge-90d";
const QUIET_HOUR = 22;

export default async function play(browser, { base, password, pictures, part, patient, hours }) {
  const found = [];
  const wide = [];
  const look = async (page, name, { full = true } = {}) => {
    found.push(...await browser.axe(page));
    if (!await browser.fits(page)) wide.push(`${name}: ${page.url()}`);
    if (pictures) await browser.screenshot(page, `${pictures}/${name}.png`, { full });
  };
  const text = async (page, selector) => (await page.locator(selector).innerText()).replace(/\s+/g, " ").trim();
  const mailbox = await browser.newPage();
  const letters = async () => {
    await mailbox.goto(`${base}/demo?to=${encodeURIComponent(patient)}`);
    return mailbox.locator("li.message").count();
  };
  const pass = async (n) => {
    await mailbox.request.post(`${base}/demo/clock`, { form: { hours: n }, timeout: SLOW_MILLISECONDS });
  };

  if (part === "night") {
    await mailbox.goto(`${base}/demo`);
    const now = await text(mailbox, "section.clock strong");
    const hour = Number(/ (\d\d):\d\d UTC/.exec(now)[1]);
    await pass((QUIET_HOUR - hour + 24) % 24 || 24);
    return { letters: await letters() };
  }
  if (part === "days") {
    await pass(hours);
    return { letters: await letters() };
  }

  const open = async (seen) => {
    const page = await browser.newPage(seen);
    page.setDefaultTimeout(SLOW_MILLISECONDS);
    await page.goto(`${base}/sign-in`);
    await page.locator("#login").fill("lead");
    await page.locator("#password").fill(password.lead);
    await browser.follow(page, page.locator("main button"));
    await page.locator("form.who").waitFor();
    await page.goto(`${base}/workflows/${WORKFLOW}/versions`);
    return page;
  };
  const desk = await open({ width: 1280, height: 860 });
  if (part === "look") {
    await look(desk, "versions", { full: false });
    await look(await open({ width: 320, height: 640 }), "versions-320");
    const chinese = await open({ width: 1280, height: 860, dark: true, locale: "zh-CN" });
    await look(chinese, "versions-zh-dark");
    return { found, wide, page: await text(desk, "main"), chinese: await text(chinese, "main"), letters: await letters() };
  }
  // Everybody is moved, and the page says when that is done.
  await desk.locator("section[aria-labelledby=everybody] input[value=now]").check();
  await browser.follow(desk, desk.locator("section[aria-labelledby=everybody] button"));
  for (;;) {
    await desk.goto(`${base}/workflows/${WORKFLOW}/versions`);
    const stands = await text(desk, "main");
    if (stands.includes("finished")) break;
    await desk.waitForTimeout(500);
  }
  await look(desk, "versions-moved");
  return { found, wide, page: await text(desk, "main"), letters: await letters() };
}
