// A patient on a small phone with scripts turned off: every page of a daily check, looked at, photographed and put
// before axe-core. `visits` are { name, link, locale, dark, birth: [day, month, year] }.
export default async function play(browser, { base, pictures, visits }) {
  const found = [];
  const wide = [];
  const foreign = [];
  for (const visit of visits) {
    const page = await browser.newPage({ js: false, width: 320, height: 640, dark: visit.dark, locale: visit.locale });
    page.on("request", (request) => {
      if (!request.url().startsWith(base)) foreign.push(request.url());
    });
    const look = async (name) => {
      found.push(...await browser.axe(page));
      if (!await browser.fits(page)) wide.push(`${visit.name} ${name}`);
      await browser.screenshot(page, `${pictures}/${visit.name}-${name}.png`);
    };
    const send = () => browser.follow(page, page.locator("main form button").last());
    const birth = async ([day, month, year]) => {
      await page.locator("#day").fill(day);
      await page.locator("#month").fill(month);
      await page.locator("#year").fill(year);
      await send();
    };
    const choose = async (value) => {
      await page.locator(`input[name=answer][value="${value}"]`).check();
      await send();
    };

    await page.goto(base + visit.link);
    await look("01-guard");
    await birth(["1", "2", "1950"]);
    await look("02-guard-wrong");
    await birth(visit.birth);
    await look("03-number");
    await page.locator("#answer").fill("heavy");
    await send();
    await look("04-number-wrong");
    await page.locator("#answer").fill("87.2");
    await send();
    await look("05-doubt");
    await browser.follow(page, page.locator("button[name=sure][value=yes]"));
    await look("06-options");
    await send();
    await look("07-options-wrong");
    await choose("at_rest");
    await look("08-advice");
    await browser.follow(page, page.locator("main a.button"));
    for (const value of ["no", "none", "no", "no", "yes", "no", "yes"]) await choose(value);
    await look("09-one-unit");
    for (const value of ["120", "80", "70", "97"]) {
      await page.locator("#answer").fill(value);
      await send();
    }
    await look("10-check");
    await browser.follow(page, page.locator("a.change").nth(1));
    await look("11-change");
    await choose("same");
    await send();
    await look("12-done");

    await page.context().clearCookies();
    await page.goto(base + visit.link);
    await look("13-used");
    await page.goto(`${base}/c/nothing`);
    await look("14-unknown");
    await page.context().close();
  }
  const desk = await browser.newPage({ width: 1280 });
  await desk.goto(base + visits[0].link);
  found.push(...await browser.axe(desk));
  await desk.context().close();
  return { found, wide, foreign };
}
