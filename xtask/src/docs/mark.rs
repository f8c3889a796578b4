//! What a comment before a block says about its commands. Readers do not see it.
//!
//! ```text
//! <!-- run:
//! first: meshx up                      run this before the block
//! skip `meshx node start`: why         these commands are never run; without a name, none of the block
//! slow `meshx stake`: why              these are run by `cargo xtask docs`, and not in the tests
//! stop                                 end what the page has started
//! -->
//! ```

use anyhow::{Context as _, Result, bail, ensure};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    First(String),
    Stop,
    Skip(Named),
    Slow(Named),
}

/// Commands that begin with `prefix`, and why they are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub prefix: String,
    pub why: String,
}

impl Named {
    pub fn has(&self, command: &str) -> bool {
        command.starts_with(&self.prefix)
    }
}

impl Mark {
    /// Read one line: `stop`, `VERB: VALUE`, or ``VERB `COMMANDS`: VALUE``.
    pub fn parse(line: &str) -> Result<Self> {
        if line == "stop" {
            return Ok(Self::Stop);
        }
        let end = line.find(|c: char| !c.is_alphabetic()).unwrap_or(line.len());
        let (verb, rest) = line.split_at(end);
        let (prefix, value) = match rest.trim_start().strip_prefix('`') {
            Some(rest) => rest.split_once("`:").context("the commands end with `:")?,
            None => ("", rest.strip_prefix(':').context("expected a colon")?),
        };
        let value = value.trim().to_owned();
        ensure!(!value.is_empty(), "nothing stands after the colon");
        let named = |why| Named { prefix: prefix.to_owned(), why };
        Ok(match verb {
            "first" if prefix.is_empty() => Self::First(value),
            "skip" => Self::Skip(named(value)),
            "slow" => Self::Slow(named(value)),
            _ => bail!("{verb:?} is none of first, skip, slow and stop"),
        })
    }

    /// Whether it says something about one of these commands.
    pub fn applies(&self, mut commands: impl Iterator<Item = impl AsRef<str>>) -> bool {
        match self {
            Self::First(_) | Self::Stop => true,
            Self::Skip(named) | Self::Slow(named) => {
                commands.any(|command| named.has(command.as_ref()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_is_read() {
        let named = |prefix: &str, why: &str| Named { prefix: prefix.into(), why: why.into() };
        let parse = |line| Mark::parse(line).unwrap();
        assert_eq!(parse("stop"), Mark::Stop);
        assert_eq!(parse("first: meshx up"), Mark::First("meshx up".into()));
        assert_eq!(parse("skip: it needs root"), Mark::Skip(named("", "it needs root")));
        assert_eq!(parse("slow `a: b`: why: so"), Mark::Slow(named("a: b", "why: so")));
    }

    #[test]
    fn what_says_nothing_is_refused() {
        for line in ["", "skip", "skip:", "skip `a: why", "skip a: why", "run: it", "first `a`: b"]
        {
            assert!(Mark::parse(line).is_err(), "{line}");
        }
    }
}
