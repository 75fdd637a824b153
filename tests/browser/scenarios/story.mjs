// The main job from end to end, as the people in it see it: a nurse enrols, the clock moves, the patient follows the
// mail on a small phone without scripts and answers badly, the nurse sees why, calls, and records what came of it.
const MOVED_MILLISECONDS = 240_000;
const PATIENT = "Rosalind Ferrari-Obi";
const BORN = { day: "9", month: "4", year: "1951" };
const NOTE = "Breathless at rest, ambulance called, daughter is with her.";

export default async function play(browser, { base, password, pictures }) {
  const found = [];
  const wide = [];
  const desk = await browser.newPage({ width: 1280, height: 860 });
  const look = async (page, name, { full = false } = {}) => {
    found.push(...await browser.axe(page));
    if (!await browser.fits(page)) wide.push(`${name}: ${page.url()}`);
    if (pictures) await browser.screenshot(page, `${pictures}/${name}.png`, { full });
  };
  const text = async (page, selector) => (await page.locator(selector).innerText()).replace(/\s+/g, " ").trim();
  const signIn = async (page, login) => {
    await page.goto(`${base}/sign-in`);
    await look(page, `sign-in-${login}`);
    await page.locator("#login").fill(login);
    await page.locator("#password").fill(password[login]);
    await browser.follow(page, page.locator("main button"));
    await page.locator("form.who").waitFor();
  };

  // The nurse enrols a patient who went home yesterday.
  await signIn(desk, "nurse");
  await look(desk, "worklist-before");
  await desk.goto(`${base}/enrol`);
  await look(desk, "enrol-choose");
  await desk.locator("#workflow").selectOption("hf-discharge-90d");
  await browser.follow(desk, desk.locator("main form button"));
  await look(desk, "enrol-empty", { full: true });
  const yesterday = new Date(Date.now() - 24 * 3600 * 1000).toISOString().slice(0, 10);
  const typed = {
    name: PATIENT, number: "S-1001", phone: "+447700900777", email: "rosalind@mail.example",
    birth_date: `${BORN.year}-0${BORN.month}-0${BORN.day}`, "anchor-discharge": yesterday, "fact-dry_weight": "78",
  };
  for (const [name, value] of Object.entries(typed)) await desk.locator(`[id="f-${name}"]`).fill(value);
  await desk.locator("#f-sex").selectOption("F");
  await desk.locator("#f-preferred").selectOption("email");
  for (const name of ["consent_sms", "consent_email", "consent_daily"]) await desk.locator(`#f-${name}`).check();
  await look(desk, "enrol", { full: true });
  await browser.follow(desk, desk.locator("main form > button"));
  await desk.locator("#timeline").waitFor();
  const patient = new URL(desk.url()).pathname;
  await look(desk, "patient-enrolled", { full: true });

  // A day goes by.
  const mailbox = await browser.newPage({ width: 1280, height: 860 });
  mailbox.setDefaultTimeout(MOVED_MILLISECONDS);
  await mailbox.goto(`${base}/demo`);
  await look(mailbox, "mailbox-before");
  await browser.follow(mailbox, mailbox.locator('button[name=hours][value="24"]'));
  await mailbox.locator(".notice[role=status]").waitFor();
  const moved = await text(mailbox, ".notice[role=status]");
  await look(mailbox, "mailbox");
  await mailbox.goto(`${base}/demo?to=${encodeURIComponent(PATIENT)}`);
  await look(mailbox, "mailbox-one");
  const mail = mailbox.locator("li.message.email", { has: mailbox.locator("a.button") }).first();
  const letter = (await mail.innerText()).replace(/\s+/g, " ");
  const link = await mail.locator("a.button").getAttribute("href");

  // She opens it on a small phone with scripts turned off.
  const phone = await browser.newPage({ js: false, width: 320, height: 640 });
  const send = () => browser.follow(phone, phone.locator("main form button").last());
  const choose = async (value) => {
    await phone.locator(`input[name=answer][value="${value}"]`).check();
    await send();
  };
  await phone.goto(base + link);
  await look(phone, "guard");
  for (const [part, value] of Object.entries(BORN)) await phone.locator(`#${part}`).fill(value);
  await send();
  await look(phone, "question-weight");
  await phone.locator("#answer").fill("81.4");
  await send();
  await phone.locator('input[name=answer][value="at_rest"]').check();
  await look(phone, "question");
  await send();
  await look(phone, "advice");
  const advice = await text(phone, "main");
  await browser.follow(phone, phone.locator("main a.button"));
  for (const value of ["one_more", "more", "no", "no", "yes", "no", "no"]) await choose(value);
  await look(phone, "check", { full: true });
  const check = await text(phone, "main");
  await send();
  await look(phone, "done");
  const done = await text(phone, "main");
  const reassured = await phone.locator("main .notice.green").count();
  const called = await phone.locator("main a[href^=\"tel:\"]").first().getAttribute("href");

  // The nurse's list says so, first of all, and why.
  await desk.goto(`${base}/worklist`);
  await look(desk, "worklist");
  const rows = (await desk.locator("ul.tasks > li:not(.line)").allInnerTexts()).map((row) => row.replace(/\s+/g, " "));
  const at = rows.findIndex((row) => row.includes(PATIENT));
  const first = desk.locator("ul.tasks > li:not(.line)").nth(at);
  const task = await first.locator("a").getAttribute("href");
  await browser.follow(desk, first.locator("button[name=take]"));
  await desk.goto(base + task);
  await look(desk, "call", { full: true });
  const call = await text(desk, "main");
  const dial = await desk.locator('main a[href^="tel:"]').first().getAttribute("href");
  await desk.locator("#f-note").fill(NOTE);
  await browser.follow(desk, desk.getByRole("button", { name: "Sent to emergency" }));
  await look(desk, "after-outcome", { full: true });
  await desk.goto(base + task);
  const closed = await text(desk, "main");
  await look(desk, "closed", { full: true });
  await desk.goto(base + patient);
  await look(desk, "patient", { full: true });
  const timeline = await desk.locator("ol.timeline > li").allInnerTexts();
  await desk.goto(`${base}/worklist`);
  const after = await text(desk, "main");

  // Others look at the same hospital: a clinician at the risk queue, a Chinese reader in a dark room at the list.
  const clinician = await browser.newPage({ width: 1280, height: 860 });
  await signIn(clinician, "clinician");
  await clinician.goto(`${base}/risk`);
  await look(clinician, "risk-queue");
  const chinese = await browser.newPage({ width: 1280, height: 860, dark: true, locale: "zh-CN" });
  await signIn(chinese, "nurse");
  await chinese.goto(`${base}/worklist`);
  await look(chinese, "worklist-zh-dark");
  return {
    found, wide, patient: PATIENT, note: NOTE, moved, letter, advice, check, done, reassured, called, above: rows.slice(0, at),
    row: rows[at], call, dial, closed, timeline, after,
  };
}
