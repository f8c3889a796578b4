//! Rust source as tokens, roughly: enough to tell code from comments and texts.
//!
//! Comments vanish; string literals become one [`Kind::Text`]; lifetimes and character literals are dropped. Macro bodies
//! are read like other code, nothing is expanded or resolved.

use std::iter::Peekable;
use std::str::Chars;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// From 1.
    pub line: u32,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier, a keyword, or a number with its suffix.
    Word(String),
    /// What a string literal says, escapes as written.
    Text(String),
    Sign(char),
}

impl Token {
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    pub fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    pub fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

pub fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { chars: text.chars().peekable(), line: 1 };
    let mut tokens = Vec::new();
    loop {
        let line = reader.line;
        let Some(c) = reader.next() else { return tokens };
        let kind = match c {
            '/' if reader.peek() == Some('/') => reader.skip_line(),
            '/' if reader.peek() == Some('*') => reader.skip_block(),
            '"' => Some(Kind::Text(reader.text())),
            '\'' => reader.skip_quote(),
            c if c.is_alphanumeric() || c == '_' => Some(reader.word(c)),
            c if c.is_whitespace() => None,
            c => Some(Kind::Sign(c)),
        };
        tokens.extend(kind.map(|kind| Token { line, kind }));
    }
}

/// The index just past the group that opens at `open`, which is one of `(`, `[`, `{`.
pub fn past_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// What stands inside the group that opens at `open`; all the rest, if nothing closes it.
pub fn inside(tokens: &[Token], open: usize) -> &[Token] {
    let end = past_group(tokens, open);
    let closed = tokens[end - 1].is(')') || tokens[end - 1].is(']') || tokens[end - 1].is('}');
    &tokens[open + 1..if closed { end - 1 } else { end }]
}

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    line: u32,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        self.line += u32::from(c == '\n');
        Some(c)
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().copied()
    }

    /// Whether what follows is `expected`; consumes nothing.
    fn ahead(&self, expected: &str) -> bool {
        let mut chars = self.chars.clone();
        expected.chars().all(|c| chars.next() == Some(c))
    }

    fn skip_line(&mut self) -> Option<Kind> {
        while self.next().is_some_and(|c| c != '\n') {}
        None
    }

    /// Block comments nest.
    fn skip_block(&mut self) -> Option<Kind> {
        self.next();
        let mut depth = 1;
        while depth > 0 {
            match (self.next()?, self.peek()) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => continue,
            }
            self.next();
        }
        None
    }

    /// Past a lifetime or a character literal, whose first quote is read.
    fn skip_quote(&mut self) -> Option<Kind> {
        let mut ahead = self.chars.clone();
        let literal = matches!((ahead.next(), ahead.next()), (Some('\\'), _) | (_, Some('\'')));
        if literal {
            loop {
                match self.next()? {
                    '\\' => drop(self.next()),
                    '\'' => return None,
                    _ => {}
                }
            }
        }
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.next();
        }
        None
    }

    /// The rest of a word, or the literal it introduces: `b"…"`, `br#"…"#`, `b'…'`.
    fn word(&mut self, first: char) -> Kind {
        let mut word = String::from(first);
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.next();
        }
        let raw = matches!(&*word, "r" | "br" | "cr");
        if raw || matches!(&*word, "b" | "c") {
            let hashes = if raw { self.chars.clone().take_while(|c| *c == '#').count() } else { 0 };
            if self.ahead(&format!("{}\"", "#".repeat(hashes))) {
                for _ in 0..=hashes {
                    self.next();
                }
                return Kind::Text(if raw { self.raw_text(hashes) } else { self.text() });
            }
            if raw && hashes == 1 {
                self.next(); // r#type
                let first = self.next().unwrap_or(' ');
                return self.word(first);
            }
        }
        Kind::Word(word)
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '"' => break,
                '\\' => {
                    text.push(c);
                    text.extend(self.next());
                }
                c => text.push(c),
            }
        }
        text
    }

    fn raw_text(&mut self, hashes: usize) -> String {
        let end = format!("\"{}", "#".repeat(hashes));
        let mut text = String::new();
        while !self.ahead(&end) {
            let Some(c) = self.next() else { return text };
            text.push(c);
        }
        for _ in 0..=hashes {
            self.next();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &str) {
        let shown: Vec<String> = tokens(source)
            .iter()
            .map(|token| match &token.kind {
                Kind::Word(word) => word.clone(),
                Kind::Text(text) => format!("<{text}>"),
                Kind::Sign(sign) => sign.to_string(),
            })
            .collect();
        assert_eq!(shown.join(" "), expected);
    }

    #[test]
    fn comments_vanish() {
        check("a // b\n/// c\n//! d\n/* e /* f */ g */ h", "a h");
    }

    #[test]
    fn texts_are_one_token() {
        check(
            r##"x("a \" // b", b"c", r"d\", r#"e " f"#, br##);"##,
            "x ( <a \\\" // b> , <c> , <d\\> , <e \" f> , br # # ) ;",
        );
    }

    #[test]
    fn quotes_are_lifetimes_or_characters() {
        check(
            r"fn f<'a>(x: &'a T) { '\''; '{'; b'}'; '\u{1f600}' }",
            "fn f < > ( x : & T ) { ; ; b ; }",
        );
    }

    #[test]
    fn raw_words_and_numbers() {
        check("r#type + 1.5f64 - 0x1f", "type + 1 . 5f64 - 0x1f");
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let found = tokens("/*\n*/ \"\n\" a\nb");
        let lines: Vec<u32> = found.iter().map(|token| token.line).collect();
        assert_eq!(lines, [2, 3, 4]);
    }

    #[test]
    fn groups_nest() {
        let found = tokens("f { a");
        assert_eq!(past_group(&tokens("{ a ( b ) } c"), 0), 6);
        assert_eq!(past_group(&found[..2], 1), 2);
        assert_eq!(inside(&tokens("{ a ( b ) } c"), 0), &tokens(" a ( b )")[..]);
        assert_eq!(inside(&found[..2], 1), []);
    }
}
