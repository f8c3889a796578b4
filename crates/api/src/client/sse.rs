//! Server-sent events, as they come in.

use std::io::{self, BufRead, BufReader, Read as _};
use ureq::BodyReader;

/// Longest line read: a job with all the arguments it may have is 0.6 MB, escaped at worst 3.2 MB.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// An event: its kind (`message` if none is given) and its data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) kind: String,
    pub(super) data: String,
}

/// Reads events from a connection.
pub(super) struct Reader {
    lines: BufReader<BodyReader<'static>>,
    parser: Parser,
}

impl Reader {
    pub(super) fn new(body: BodyReader<'static>) -> Self {
        Self { lines: BufReader::new(body), parser: Parser::default() }
    }

    /// The next event; `None` when the node has ended the stream.
    pub(super) fn next(&mut self) -> io::Result<Option<Event>> {
        loop {
            let mut line = Vec::new();
            let read = (&mut self.lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            if read as u64 == LINE_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "an event is too long"));
            }
            if line.pop_if(|last| *last == b'\n').is_none() {
                // What was not ended by an empty line does not count.
                return Ok(None);
            }
            line.pop_if(|last| *last == b'\r');
            let line = String::from_utf8_lossy(&line);
            if let Some(event) = self.parser.line(&line) {
                return Ok(Some(event));
            }
        }
    }
}

/// Lines in, events out.
#[derive(Default)]
struct Parser {
    kind: Option<String>,
    data: Option<String>,
}

impl Parser {
    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let (kind, data) = (self.kind.take(), self.data.take());
            return data
                .map(|data| Event { kind: kind.unwrap_or_else(|| "message".to_owned()), data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("event", _) => self.kind = Some(value.to_owned()),
            ("data", Some(data)) if data.len() as u64 + value.len() as u64 <= LINE_BYTES_MAX => {
                data.push('\n');
                data.push_str(value);
            }
            ("data", None) => self.data = Some(value.to_owned()),
            // A comment, which keeps the connection alive, or a field of no use here.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, events: &[(&str, &str)]) {
        let mut parser = Parser::default();
        let parsed: Vec<Event> = text.lines().filter_map(|line| parser.line(line)).collect();
        let expected =
            events.iter().map(|(kind, data)| Event { kind: (*kind).into(), data: (*data).into() });
        assert_eq!(parsed, expected.collect::<Vec<_>>());
    }

    #[test]
    fn events_are_what_the_standard_says() {
        check("event: phase\ndata: {}\n\n", &[("phase", "{}")]);
        check(": alive\n\n\nid: 7\ndata:a\ndata: b\n\n", &[("message", "a\nb")]);
        check("event: x\n\ndata: y\n\n", &[("message", "y")]);
        check("data\n\n", &[("message", "")]);
        check("event: phase\ndata: cut off", &[]);
    }
}
