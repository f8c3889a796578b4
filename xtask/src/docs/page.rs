//! The commands of a page: fenced blocks of `sh` and `console`, and tables with a column of commands.

use anyhow::{Context as _, Result, ensure};

use super::mark::Mark;

/// Commands that stand together, and what the comment before them says.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub marks: Vec<Mark>,
    pub steps: Vec<Step>,
}

/// One command, as it is typed.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// From 1.
    pub line: usize,
    pub command: String,
    /// What the page says that it prints on stdout.
    pub shown: Option<String>,
}

/// All commands of a page, in order.
///
/// # Errors
/// If a comment cannot be read, or speaks of commands that are not there.
pub fn blocks(text: &str) -> Result<Vec<Block>> {
    let mut reader = Reader { lines: text.lines().enumerate(), marks: Vec::new() };
    let mut blocks = Vec::new();
    while let Some((index, line)) = reader.lines.next() {
        let line = line.trim();
        let steps = match line {
            "```sh" => shell(&reader.fenced(index)),
            "```console" => console(&reader.fenced(index)),
            _ if line.starts_with("```") => {
                reader.fenced(index);
                continue;
            }
            _ if line.starts_with("<!-- run:") => {
                reader.comment(line).with_context(|| format!("line {}", index + 1))?;
                continue;
            }
            _ => match column(line) {
                Some(column) => reader.table(column),
                None => continue,
            },
        };
        let marks = std::mem::take(&mut reader.marks);
        blocks.push(Block { marks, steps });
    }
    ensure!(reader.marks.is_empty(), "the last comment stands before no commands");
    check(&blocks)?;
    Ok(blocks)
}

/// A mark that speaks of nothing was forgotten when its command changed.
fn check(blocks: &[Block]) -> Result<()> {
    for Block { marks, steps } in blocks {
        let line = steps.first().map_or(0, |step| step.line);
        for mark in marks {
            let applies = mark.applies(steps.iter().map(|step| &step.command));
            ensure!(applies, "line {line}: no command is meant by {mark:?}");
        }
    }
    Ok(())
}

struct Reader<'a> {
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
    marks: Vec<Mark>,
}

impl<'a> Reader<'a> {
    /// The lines of a fenced block, whose fence stands at `index`, each with its number from 1.
    fn fenced(&mut self, index: usize) -> Vec<(usize, &'a str)> {
        let lines = self.lines.by_ref().map(|(_, line)| line);
        let lines = lines.take_while(|line| line.trim() != "```");
        lines.enumerate().map(|(offset, line)| (index + offset + 2, line)).collect()
    }

    /// The comments that begin in `line`; the last of them may end in a later one.
    fn comment(&mut self, mut line: &'a str) -> Result<()> {
        while let Some((_, inside)) = line.split_once("<!-- run:") {
            line = inside;
            loop {
                let (text, after) = line.split_once("-->").unzip();
                let text = text.unwrap_or(line).trim();
                if !text.is_empty() {
                    self.marks.push(Mark::parse(text).with_context(|| text.to_owned())?);
                }
                match after {
                    Some(after) => line = after,
                    None => line = self.lines.next().context("the comment does not end")?.1,
                }
                if after.is_some() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// What stands in backticks at the beginning of the cells of a column, if it is a command.
    fn table(&mut self, column: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let rows = self.lines.clone().take_while(|(_, line)| line.starts_with('|'));
        for (index, row) in rows {
            self.lines.next();
            let cell = row.split('|').nth(column).unwrap_or_default().trim();
            let command = cell.strip_prefix('`').and_then(|cell| cell.split_once('`'));
            let command = command.map_or("", |(command, _)| command);
            if command.starts_with("meshx ") || command.starts_with("cargo ") {
                steps.push(Step { line: index + 1, command: command.to_owned(), shown: None });
            }
        }
        steps
    }
}

/// Which cell of a table's head says that commands stand below it.
fn column(line: &str) -> Option<usize> {
    let line = line.starts_with('|').then_some(line)?;
    line.split('|').position(|cell| cell.trim().starts_with("command"))
}

/// A command for each line, unless a line ends with a backslash.
fn shell(lines: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut open = false;
    for (line, text) in lines {
        match steps.last_mut().filter(|_| open) {
            Some(step) => step.command.extend(["\n", text]),
            None if text.trim().is_empty() || text.trim().starts_with('#') => {}
            None => {
                let command = text.trim().to_owned();
                steps.push(Step { line: *line, command, shown: None });
            }
        }
        open = text.ends_with('\\');
    }
    steps
}

/// A command behind each `$`, and what it prints.
fn console(lines: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (line, text) in lines {
        if let Some(command) = text.strip_prefix("$ ") {
            let shown = Some(String::new());
            steps.push(Step { line: *line, command: command.to_owned(), shown });
        } else if let Some(shown) = steps.last_mut().and_then(|step| step.shown.as_mut()) {
            shown.extend([text, "\n"]);
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<(usize, String)> {
        let blocks = blocks(text).unwrap().into_iter();
        blocks.flat_map(|block| block.steps).map(|step| (step.line, step.command)).collect()
    }

    #[test]
    fn a_line_is_a_command_unless_it_goes_on() {
        let text = "Text\n\n```sh\n# why\na   # then\n\nb \\\n  c\n```\n```text\nd\n```\n";
        let expected = [(5, "a   # then".into()), (7, "b \\\n  c".into())];
        assert_eq!(commands(text), expected);
    }

    #[test]
    fn a_console_says_what_is_printed() {
        let blocks = blocks("```console\n$ a\n1\n2\n$ b\n```").unwrap();
        let step = |line, command: &str, shown: &str| Step {
            line,
            command: command.into(),
            shown: Some(shown.into()),
        };
        assert_eq!(blocks[0].steps, [step(2, "a", "1\n2\n"), step(5, "b", "")]);
    }

    #[test]
    fn the_column_of_commands_of_a_table_is_read() {
        let text = "| what | command that shows it |\n|---|---|\n| a | `meshx a`, or so |\n| `meshx b` | no |\n\n";
        assert_eq!(commands(text), [(3, "meshx a".into())]);
        assert!(commands("| what | who |\n|---|---|\n| a | `meshx a` |\n").is_empty());
    }

    #[test]
    fn marks_belong_to_the_next_commands() {
        let text = "<!-- run: stop --> <!-- run: stop -->\n<!-- run:\nfirst: x\nskip `b`: it is slow\n-->\n\n```sh\nb\n```\n```sh\nc\n```";
        let found = blocks(text).unwrap();
        assert_eq!((found[0].marks.len(), found[1].marks.len()), (4, 0));
    }

    #[test]
    fn marks_of_nothing_are_refused() {
        for text in
            ["<!-- run: stop -->", "<!-- run: skip `a`: b -->\n```sh\nb\n```", "<!-- run: stop\n"]
        {
            assert!(blocks(text).is_err(), "{text}");
        }
    }
}
