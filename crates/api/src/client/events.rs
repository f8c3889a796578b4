//! What happens, as an iterator that waits.

use super::{Answer, Client, ClientError, sse};
use crate::{JobEvent, JobView, Output, OutputChunk, Problem};
use serde::de::DeserializeOwned;
use std::{marker::PhantomData, thread, time::Duration};

/// How often a broken stream is taken up again without anything new coming of it.
const RECONNECTS_MAX: u32 = 5;
/// Most of what a node asks to wait that is waited.
const RETRY_AFTER_MAX_SECS: u32 = 30;

/// What happens to a job: its current phase, then each later one, until it is over. Each step blocks.
///
/// When the connection breaks it connects again, and leaves out what it has told already. After an
/// error there is nothing more.
pub struct JobEvents {
    client: Client,
    path: String,
    reader: Option<sse::Reader>,
    failures: u32,
    over: bool,
    last: Option<Box<JobView>>,
    stdout_bytes: u64,
    stderr_bytes: u64,
}

impl JobEvents {
    pub(super) const fn new(client: Client, path: String) -> Self {
        let (reader, last) = (None, None);
        Self {
            client,
            path,
            reader,
            failures: 0,
            over: false,
            last,
            stdout_bytes: 0,
            stderr_bytes: 0,
        }
    }

    /// The next event that is news, or why there will be none.
    fn wait(&mut self) -> Answer<JobEvent> {
        loop {
            match self.step() {
                Ok(Some(event)) => {
                    self.failures = 0;
                    return Ok(event);
                }
                Ok(None) => {}
                Err(error) => self.take_up_again(error)?,
            }
        }
    }

    /// Wait before the next try, unless there is no point in one.
    fn take_up_again(&mut self, error: ClientError) -> Answer<()> {
        self.reader = None;
        self.failures += 1;
        // A node that never answered is not there; one that did may be starting anew.
        let never_there = self.last.is_none() && matches!(error, ClientError::Unreachable { .. });
        if never_there || !error.is_passing() || self.failures > RECONNECTS_MAX {
            return Err(error);
        }
        let asked = error.problem().and_then(|problem| problem.retry_after).unwrap_or(0);
        let asked = Duration::from_secs(asked.min(RETRY_AFTER_MAX_SECS).into());
        thread::sleep(self.client.timeouts.reconnect.max(asked));
        Ok(())
    }

    fn step(&mut self) -> Answer<Option<JobEvent>> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert(self.client.stream(&self.path)?),
        };
        let event = next(reader, &self.client.url(&self.path))?;
        match event.kind.as_str() {
            "phase" => Ok(self.phase(self.parse(&event)?)),
            "output" => Ok(self.output(self.parse(&event)?)),
            "problem" => Err(ClientError::Problem(self.parse(&event)?)),
            _ => Ok(None),
        }
    }

    fn parse<T: DeserializeOwned>(&self, event: &sse::Event) -> Answer<T> {
        parse(&self.client, &self.path, event)
    }

    fn phase(&mut self, view: Box<JobView>) -> Option<JobEvent> {
        if self.last.as_ref().is_some_and(|last| last.record == view.record) {
            return None;
        }
        self.over = view.is_over();
        self.last = Some(view.clone());
        Some(JobEvent::Phase(view))
    }

    fn output(&mut self, chunk: OutputChunk) -> Option<JobEvent> {
        let told = match chunk.output {
            Output::Stdout => &mut self.stdout_bytes,
            Output::Stderr => &mut self.stderr_bytes,
        };
        let chunk = untold(chunk, told)?;
        Some(JobEvent::Output(chunk))
    }
}

/// The part of `chunk` that comes after what was `told`, which then counts as told.
fn untold(mut chunk: OutputChunk, told: &mut u64) -> Option<OutputChunk> {
    let end = chunk.offset.checked_add(chunk.bytes.len() as u64)?;
    if end <= *told {
        return None;
    }
    let known = usize::try_from(told.saturating_sub(chunk.offset)).ok()?;
    chunk.bytes.drain(..known);
    chunk.offset += known as u64;
    *told = end;
    Some(chunk)
}

impl Iterator for JobEvents {
    type Item = Answer<JobEvent>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let event = self.wait();
        self.over |= event.is_err();
        Some(event)
    }
}

/// Events of one kind, as they happen. After an error there is nothing more.
pub struct Feed<T> {
    client: Client,
    path: String,
    kind: &'static str,
    reader: Option<sse::Reader>,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Feed<T> {
    pub(super) fn new(client: &Client, path: &str, kind: &'static str) -> Answer<Self> {
        Ok(Self {
            client: client.clone(),
            path: path.to_owned(),
            kind,
            reader: Some(client.stream(path)?),
            of: PhantomData,
        })
    }

    fn step(&mut self) -> Answer<Option<T>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let event = next(reader, &self.client.url(&self.path))?;
        match event.kind.as_str() {
            kind if kind == self.kind => parse(&self.client, &self.path, &event).map(Some),
            "problem" => {
                Err(ClientError::Problem(parse::<Problem>(&self.client, &self.path, &event)?))
            }
            _ => Ok(None),
        }
    }
}

impl<T: DeserializeOwned> Iterator for Feed<T> {
    type Item = Answer<T>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.reader.is_some() {
            match self.step() {
                Ok(None) => {}
                Ok(Some(block)) => return Some(Ok(block)),
                Err(error) => {
                    self.reader = None;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

fn next(reader: &mut sse::Reader, url: &str) -> Answer<sse::Event> {
    match reader.next() {
        Ok(Some(event)) => Ok(event),
        Ok(None) => Err(ClientError::Unreachable {
            url: url.to_owned(),
            reason: "the node ended the stream".to_owned(),
            hint: "try again",
        }),
        Err(error) => Err(ClientError::from_io(url.to_owned(), &error)),
    }
}

fn parse<T: DeserializeOwned>(client: &Client, path: &str, event: &sse::Event) -> Answer<T> {
    serde_json::from_str(&event.data)
        .map_err(|error| client.bad_answer(path, format!("{}: {error}", event.kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_not_told_again() {
        let chunk =
            |offset, text: &str| OutputChunk { output: Output::Stdout, offset, bytes: text.into() };
        let mut told = 0;
        let mut check =
            |given, left: Option<OutputChunk>| assert_eq!(untold(given, &mut told), left);
        check(chunk(0, "abc"), Some(chunk(0, "abc")));
        check(chunk(0, "abc"), None);
        check(chunk(0, "abcde"), Some(chunk(3, "de")));
        check(chunk(7, "hi"), Some(chunk(7, "hi")));
        check(chunk(u64::MAX, "overflows"), None);
    }
}
