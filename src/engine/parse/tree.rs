//! A YAML file as a tree that knows where everything stands. Only the plain part of YAML: no anchors, aliases or tags.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use crate::diagnostic::{Log, Place};

/// The largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of lists and maps.
pub const NESTING_MAX: usize = 24;
/// Most scalars, lists and maps in one file.
pub const NODES_MAX: usize = 100_000;

/// A value in a file.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it begins.
    pub at: Place,
    /// Character offsets in the source.
    span: (usize, usize),
    /// What it is.
    pub kind: Kind,
}

/// What a value is. Scalars keep their text: their type is decided by who reads them.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Text, a number, a name …
    Scalar {
        /// Without quotes.
        text: String,
        /// Written without quotes.
        plain: bool,
    },
    /// In order.
    List(Vec<Node>),
    /// In order; keys are unique.
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub at: Place,
}

impl Node {
    /// For messages: "a list", "a map", "text".
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { text, .. } if text.trim().is_empty() => "nothing",
            Kind::Scalar { text, plain: true } if text == "~" || text == "null" => "nothing",
            Kind::Scalar { .. } => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The place of the `offset`-th character of this scalar's text, found again in the source.
    #[must_use]
    pub fn place_of(&self, offset: usize, source: &str) -> Place {
        let Kind::Scalar { text, .. } = &self.kind else { return self.at };
        let written: Vec<char> = source.chars().skip(self.span.0).take(self.span.1 - self.span.0).collect();
        let mut at = 0;
        let mut place = self.at;
        let mut step = |at: &mut usize| {
            if written.get(*at) == Some(&'\n') {
                place = Place { line: place.line + 1, column: 1 };
            } else {
                place.column += 1;
            }
            *at += 1;
            place
        };
        let mut here = self.at;
        if matches!(written.first(), Some('"' | '\'')) {
            here = step(&mut at);
        } else if matches!(written.first(), Some('|' | '>')) {
            while written.get(at).is_some_and(|c| *c != '\n') {
                here = step(&mut at);
            }
        }
        for (index, c) in text.chars().enumerate() {
            while at < written.len() && written[at] != c && written[at].is_whitespace() {
                here = step(&mut at);
            }
            if written.get(at) != Some(&c) && !c.is_whitespace() {
                return self.at;
            }
            if index == offset {
                return here;
            }
            if written.get(at) == Some(&c) || written.get(at).is_some_and(|w| w.is_whitespace()) {
                here = step(&mut at);
            }
        }
        here
    }
}

/// Reads a file; `None` when it is not even YAML. Everything else that is wrong is in the log, too.
#[must_use]
pub fn load(bytes: &[u8], log: &mut Log) -> Option<Node> {
    let text = decode(bytes, log)?;
    let mut reader = Reader { parser: Parser::new_from_str(text), nodes: 0, log };
    reader.file()
}

/// The text of a file, if it has one.
#[must_use]
pub fn decode<'b>(bytes: &'b [u8], log: &mut Log) -> Option<&'b str> {
    if bytes.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes; at most {FILE_BYTES_MAX} are read", bytes.len());
        log.error("E002", Place::START, message, "split it into several workflows or questionnaires");
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let line = good.matches('\n').count() + 1;
            let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let message = "the file is not UTF-8 text from here on";
            log.error("E001", Place { line, column }, message, "save it as UTF-8 in your editor");
            None
        }
    }
}

struct Reader<'t, 'l> {
    parser: Parser<'t, StrInput<'t>>,
    nodes: usize,
    log: &'l mut Log,
}

/// The file cannot be read on; why is in the log.
struct GaveUp;

fn place(span: &Span) -> Place {
    Place { line: span.start.line().max(1), column: span.start.col() + 1 }
}

impl<'t> Reader<'t, '_> {
    fn file(&mut self) -> Option<Node> {
        let mut document = None;
        loop {
            let (event, span) = self.next().ok()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if document.is_some() => {
                    let message = "a second document begins here; a file holds one";
                    self.log.error(
                        "E007",
                        place(&span),
                        message,
                        "remove the line with --- or make it a file of its own",
                    );
                    return None;
                }
                Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) => {
                    document = Some(self.node(event, span, 0).ok()?);
                }
                Event::Nothing
                | Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::SequenceEnd
                | Event::MappingEnd => {}
            }
        }
        if document.is_none() {
            self.log.error(
                "E009",
                Place::START,
                "the file is empty",
                "begin with \"workflow: NAME\" or remove the file",
            );
        }
        document
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), GaveUp> {
        match self.parser.next_event() {
            Some(Ok(pair)) => Ok(pair),
            Some(Err(error)) => {
                let at = Place { line: error.marker().line().max(1), column: error.marker().col() + 1 };
                let message = format!("this is not YAML: {}", error.info());
                let help = if error.info().contains("tab") {
                    "indent with spaces, not with tabs"
                } else {
                    "check the indentation, and put text with \": \", \" #\", { or [ in quotes"
                };
                self.log.error("E003", at, message, help);
                Err(GaveUp)
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, GaveUp> {
        let at = place(&span);
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("the file holds more than {NODES_MAX} values");
            self.log.error("E002", at, message, "split it into several workflows or questionnaires");
            return Err(GaveUp);
        }
        if depth > NESTING_MAX {
            let message = format!("lists and maps are nested more than {NESTING_MAX} deep");
            self.log.error("E004", at, message, "nothing in a workflow needs that; check the brackets");
            return Err(GaveUp);
        }
        let kind = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_anchor(anchor, tag.is_some(), at)?;
                Kind::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_anchor(anchor, tag.is_some(), at)?;
                Kind::List(self.list(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_anchor(anchor, tag.is_some(), at)?;
                return self.map(depth).map(|entries| {
                    let at = if span.is_empty() { entries.first().map_or(at, |(key, _)| key.at) } else { at };
                    Node { at, span: (span.start.index(), span.end.index()), kind: Kind::Map(entries) }
                });
            }
            Event::Alias(_) => {
                self.refuse_anchor(1, false, at)?;
                return Err(GaveUp);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => Kind::Scalar { text: String::new(), plain: true },
        };
        Ok(Node { at, span: (span.start.index(), span.end.index()), kind })
    }

    fn refuse_anchor(&mut self, anchor: usize, tag: bool, at: Place) -> Result<(), GaveUp> {
        if anchor == 0 && !tag {
            return Ok(());
        }
        let (what, help) = if tag {
            ("YAML tags (!) are not used here", "remove the word that begins with !; put text in quotes")
        } else {
            (
                "YAML anchors (&) and aliases (*) are not used here",
                "write the value out at each place; text that begins with & or * goes in quotes",
            )
        };
        self.log.error("E005", at, what, help);
        Err(GaveUp)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, GaveUp> {
        let mut nodes = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                return Ok(nodes);
            }
            nodes.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, GaveUp> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut seen = std::collections::BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                return Ok(entries);
            }
            let at = place(&span);
            let Event::Scalar(text, _, anchor, tag) = event else {
                self.log.error(
                    "E003",
                    at,
                    "a list or map cannot be a key",
                    "write a plain word before the colon",
                );
                return Err(GaveUp);
            };
            self.refuse_anchor(anchor, tag.is_some(), at)?;
            if text == "<<" {
                self.refuse_anchor(1, false, at)?;
            }
            let key = Key { text: text.into_owned(), at };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if let Some(first) = seen.insert(key.text.clone(), key.at.line) {
                let message = format!("\"{}\" is written twice here, first on line {first}", key.text);
                self.log.error("E006", key.at, message, "keep one of the two");
            } else {
                entries.push((key, value));
            }
        }
    }
}
