//! What each code means, at more length than a diagnostic has room for.

/// A code and its explanation.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// For example `E301`.
    pub code: &'static str,
    /// What it is about, as a heading.
    pub title: &'static str,
    /// Why it is a problem and how it is mended.
    pub text: &'static str,
}

const fn code(code: &'static str, title: &'static str, text: &'static str) -> Code {
    Code { code, title, text }
}

/// Every code, in order.
pub const CODES: &[Code] = &[
    code(
        "E001",
        "not UTF-8",
        "The file holds bytes that are no text in UTF-8. Save it as UTF-8 in your editor; the place shown is the first wrong byte.",
    ),
    code(
        "E002",
        "too large",
        "A file has at most 1 MiB and 100,000 values. Split it into several workflows or questionnaires.",
    ),
    code(
        "E003",
        "not YAML",
        "The line cannot be read. Most often the indentation is wrong, a tab stands where spaces belong, or text with a colon, a comma or a bracket needs quotes.",
    ),
    code(
        "E004",
        "nested too deep",
        "Lists and maps lie within each other more than 24 deep. Nothing in a workflow needs that; a bracket is probably missing.",
    ),
    code(
        "E005",
        "anchors, aliases and tags",
        "YAML's &, *, ! and << are refused: a reader has to see at each place what holds there. Write the value out.",
    ),
    code(
        "E006",
        "a key twice",
        "The same key stands twice in one map, and only one of the two could count. Keep one.",
    ),
    code("E007", "two documents", "A file holds one document. Remove the line --- or make two files."),
    code(
        "E008",
        "more problems than are shown",
        "Only the first 200 problems of a file are shown. Mend those, then check again.",
    ),
    code("E009", "empty", "The file has nothing in it. Begin with \"workflow: NAME\" or remove it."),
    code("E010", "cannot be read", "The file does not exist or may not be read. Check path and permissions."),
    code(
        "E101",
        "an unknown key",
        "The key means nothing here. It is probably mistyped, or indented too far or not far enough.",
    ),
    code("E102", "a missing key", "Something that is needed is not there. The message names it."),
    code(
        "E103",
        "a value of the wrong type",
        "A list, a map, a number or a date is expected and something else stands here.",
    ),
    code(
        "E104",
        "not a name",
        "Names are letters, digits, - and _, begin with a letter, and have at most 60 characters. The words of conditions (and, or, not, in, of, true, false) are no names.",
    ),
    code(
        "E105",
        "a name twice",
        "Two things would be called the same, and a condition could not tell them apart. Rename one.",
    ),
    code(
        "E106",
        "a reference to nothing",
        "What is named does not exist, or exists and could not be read because of another problem. The help lists what there is.",
    ),
    code(
        "E107",
        "not one of the words that fit",
        "Only certain words may stand here. The help lists them or the nearest one.",
    ),
    code("E108", "out of range", "The number, or the number of entries, is larger or smaller than allowed."),
    code("E109", "a range upside down", "The first number of a range is the smaller one."),
    code(
        "E110",
        "file and name differ",
        "A workflow is called as its folder, a questionnaire and a calendar as its file. Rename one of the two.",
    ),
    code(
        "E120",
        "a condition that cannot be read",
        "The words of the condition do not make a sentence of the condition language. The caret is at the first word that does not fit.",
    ),
    code(
        "E121",
        "an unknown name in a condition",
        "Nothing that is known here has this name. Items are known only in rules on the answer to their questionnaire; everywhere else look back with previous(ITEM, 7 days).",
    ),
    code(
        "E122",
        "types that do not fit",
        "For example a choice compared with a number, or a plain value where yes or no is needed.",
    ),
    code(
        "E123",
        "units",
        "A number is compared with something that has a unit, and has none or another one. Write the number with the unit: 80 kg.",
    ),
    code(
        "E124",
        "not an option",
        "The word is not one of the options of the choice that it is compared with.",
    ),
    code(
        "E125",
        "limits of conditions",
        "A condition has at most 1024 bytes, is nested at most 40 deep, and looks back 1 to 366 days. Name parts of it under define.",
    ),
    code(
        "E126",
        "no answer at hand",
        "points(), band(), declined() and doubtful() look at the answer that a rule is about. Use them in rules with \"on: answer to …\".",
    ),
    code(
        "E127",
        "how functions are written",
        "The function does not exist or takes other things in its brackets.",
    ),
    code(
        "E128",
        "a comparison that cannot change",
        "With the range that the file gives the value, this comparison is always true or never true, so the rule always fires or never does. One of the two numbers is wrong.",
    ),
    code(
        "E190",
        "a case that did not come true",
        "The story was played to the planner and something expected did not happen, or something excluded did. The help says what happened instead. If that is right, tend check --accept writes it down.",
    ),
    code("E201", "lengths of time", "A whole number and a unit: 4 hours, 1 day, -28 days, 3 months."),
    code(
        "E202",
        "times and moments",
        "A time of day is \"09:00\" in quotes; a moment of a case is day 3 09:30 or 2026-03-02 10:00.",
    ),
    code(
        "E203",
        "negative or reversed times",
        "The time lies before it can: a window of negative length, a stretch that ends before it begins, something before its cause is known.",
    ),
    code(
        "E204",
        "overlapping windows",
        "Two occurrences of the same step are open at once, so an answer could belong to either. Make before and after smaller.",
    ),
    code(
        "E205",
        "stretches out of order",
        "The stretches of a schedule follow each other in time. Let each begin after the one before has ended.",
    ),
    code(
        "E206",
        "steps that wait for each other",
        "A step is placed around itself, or several steps are placed around each other. Count one of them from an anchor.",
    ),
    code("E207", "a list out of order", "Days, reminders and rungs are written with the earliest first."),
    code(
        "E209",
        "too many or too few occurrences",
        "A distance is at least a day, a repeat has at most 4000 occurrences, a list at most 400 entries.",
    ),
    code(
        "E210",
        "cases of a fact",
        "An option is decided twice, or two of the deciding facts share an option.",
    ),
    code(
        "E211",
        "a form that is not clear",
        "The entry has several forms at once or none. The help shows the forms.",
    ),
    code(
        "E212",
        "a reminder after the window",
        "The reminder would come when the window has closed and the ask has counted as missed.",
    ),
    code(
        "E213",
        "a chain without an end of its choices",
        "The last distance of a chain has no condition and the others have one; and nothing can be placed around a step whose days are not known beforehand.",
    ),
    code(
        "E214",
        "a change that can be read in two ways",
        "Under \"changes\" stands what became of steps of earlier versions, so that patients who are on one can be moved. A name that was renamed or removed is gone for ever: it cannot be that of a step, cannot stand under both, and what it was renamed to has to be a step, or a name that was itself renamed or removed later.",
    ),
    code(
        "E301",
        "missing words",
        "A text is missing in a language that the file declares. There is no fallback to another language.",
    ),
    code(
        "E302",
        "words in another language",
        "A text has words in a language that the file does not declare.",
    ),
    code("E303", "empty words", "The text of a language is empty."),
    code("E304", "an unknown placeholder", "What stands in braces is filled with nothing here."),
    code("E305", "too long", "A text has at most 2000 characters."),
    code(
        "E306",
        "a red flag without advice",
        "A red flag interrupts the patient's form, so it has to say what to do.",
    ),
    code(
        "E307",
        "no standard.yaml",
        "Levels and the words of messages come from standard.yaml beside the folders of the workflows.",
    ),
    code(
        "E401",
        "a ladder without an end",
        "The last rung of a level's ladder is nurse_lead or clinician: somebody who is there and decides.",
    ),
    code(
        "E403",
        "bands",
        "Bands follow each other without gap and overlap and cover every total that can occur.",
    ),
    code("E404", "an item without points", "A total can only be made of items that count for something."),
    code(
        "E405",
        "an instrument that may not be reproduced",
        "The wording of this instrument is licensed by its owners and may not be shipped in a file. Use one of the free instruments, or ask for the owner's permission and name it in \"licence\".",
    ),
    code(
        "E406",
        "a branch that is never shown",
        "No answers to the items before make this condition true, so the item is never asked or the flag never raised.",
    ),
    code(
        "W101",
        "a text message that is too long",
        "With the longest values filled in it takes more parts than are sent: one in the 7-bit alphabet, two in UCS-2. One letter outside the alphabet makes the whole message UCS-2.",
    ),
    code(
        "W102",
        "a text message that is not neutral",
        "Text messages are read by others on locked screens. They name no illness, specialty, instrument or result.",
    ),
    code("W103", "a text message that does not say who writes", "Begin with {hospital}."),
    code("W104", "a step that nothing starts", "The step says \"when: started\" and no rule starts it."),
    code(
        "W105",
        "silence without an owner",
        "When nobody answers this step, nothing follows. Add a rule \"on: silence of STEP\": it is the human after the messages that keeps patients from being lost.",
    ),
    code(
        "W106",
        "a rule that nothing triggers",
        "The rule waits for an answer to a questionnaire that no step asks.",
    ),
    code(
        "W107",
        "an alert that nobody owns",
        "The level has no owner, so the alert would reach nobody. Such a workflow is not used.",
    ),
    code(
        "W108",
        "work without an end",
        "The task has no ladder for when it stays undone, or the ladder ends at somebody who does not lead. Let its last rung be nurse_lead or clinician.",
    ),
    code(
        "W109",
        "a message at night",
        "Messages are sent between 08:00 and 21:00 only, so this one would wait for the morning. Choose another time.",
    ),
    code(
        "W110",
        "outside covered hours",
        "The questionnaire is only sent while somebody is there to see the answer, usually 08:00 to 18:00. Choose a time within.",
    ),
    code(
        "W112",
        "a test that is advised against",
        "The file itself lists this test under \"discouraged\": guidelines advise against it without symptoms.",
    ),
    code("W113", "a band that is never reached", "No answers lead to a total in this band."),
    code(
        "W116",
        "placeholders differ between languages",
        "One language names a phone number or value that another leaves out, so patients would be told different things.",
    ),
    code(
        "W118",
        "something that nothing uses",
        "A fact, a definition, a source or an anchor is declared and never used. It is probably mistyped elsewhere.",
    ),
];

/// The explanation of a code, written in any case.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code.eq_ignore_ascii_case(code.trim()))
}
